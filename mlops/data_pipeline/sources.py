"""Where rows come from: a file, a URL, a function of the product."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops import product
from mlops.data_pipeline.csv_file import read_csv
from mlops.data_pipeline.dataset import Dataset, is_reference
from mlops.data_pipeline.download import download, without_secrets
from mlops.data_pipeline.fingerprint import fingerprint
from mlops.errors import BadDataError, ConfigurationError, MissingInputError
from mlops.files import sha256_bytes
from mlops.records import Source

if TYPE_CHECKING:
    import polars


@dataclasses.dataclass(frozen=True)
class Raw:
    """Rows as they came, typed but not judged, and where from."""

    table: polars.DataFrame
    source: Source


def open_source(dataset: Dataset, given: str | None = None) -> Raw:
    """The rows of the data set's own source, or of the CSV or Parquet file or URL `given` by the user.

    A column that the data set declares as a number but that holds text stays text: the suite says
    which rows are wrong. Undeclared columns are kept.

    Raises:
        MissingInputError: there is no such file.
        UnavailableError: the server did not answer, or not wholly.
        BadDataError: the file is no table of the data set's form; says where and how to mend it.
        ConfigurationError: the data set's own function cannot be loaded or returns no table.
    """
    from mlops.data_pipeline.types import to_declared_types

    location = dataset.source if given is None else given
    if given is None and is_reference(location):
        table = _call(dataset)
        typed = to_declared_types(table, dataset, from_text=False)
        return Raw(typed, Source(
            location=location, sha256=fingerprint(typed), rows=typed.height, simulated=dataset.simulated
        ))
    if location.startswith(("http://", "https://")):
        with tempfile.TemporaryDirectory(prefix="mlops-download-") as folder:
            content = download(location, Path(folder) / "download").read_bytes()
        shown, resolved = without_secrets(location), None
    else:
        resolved = _path(dataset, location, given is not None)
        content = _read(resolved)
        shown = location
    table, is_text = parse(content, shown, dataset)
    typed = to_declared_types(table, dataset, from_text=is_text)
    digest = sha256_bytes(content)
    source = Source(location=shown, sha256=digest, rows=typed.height, simulated=_simulated(dataset, given, digest))
    return Raw(typed, source)


def parse(content: bytes, where: str, dataset: Dataset) -> tuple[polars.DataFrame, bool]:
    """A file's bytes as a table, and whether its cells are text that is still to be typed (CSV).

    What a file is, its first bytes tell, whatever its name ends with.
    """
    if not content:
        raise BadDataError("the file is empty", where=where, mend="give a CSV or Parquet file with a header and rows")
    if content[:4] == b"PAR1":
        return _read_parquet(content, where), False
    for magic, name in ((b"\x1f\x8b", "gzip"), (b"PK\x03\x04", "zip (or Excel)"), (b"ARROW1", "Arrow"),
                        (b"(\xb5/\xfd", "Zstandard"), (b"BZh", "bzip2"), (b"\xfd7zXZ", "xz"), (b"%PDF", "PDF")):
        if content.startswith(magic):
            raise BadDataError(
                f"the file is {name}, not CSV or Parquet", where=where,
                mend="unpack it, or export it as CSV or Parquet, first",
            )
    return read_csv(content, where, list(dataset.columns)), True


def _read_parquet(content: bytes, where: str) -> polars.DataFrame:
    import io

    import polars as pl

    try:
        return pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadDataError(
            f"the Parquet file cannot be read: {reason[:200]}", where=where,
            mend="it is truncated or damaged; copy or export it again",
        ) from error


def _path(dataset: Dataset, location: str, given: bool) -> Path:
    """A user's path counts from the current folder, a declared one from the repository."""
    if not location or "\0" in location:
        raise MissingInputError(f"{location!r} is no path", where=dataset.name, mend="give a path or an address")
    if "://" in location:
        raise ConfigurationError(
            f"{location.partition('://')[0]}:// is no source that can be read", where=without_secrets(location),
            mend="give a path, or an http:// or https:// address",
        )
    path = Path(location).expanduser() if given else dataset.repository / location
    if path.is_dir():
        raise MissingInputError("is a folder, not a file", where=path, mend="name the CSV or Parquet file in it")
    if path.is_char_device() or path.is_block_device():
        raise MissingInputError("is a device, not a file", where=path, mend="name a CSV or Parquet file")
    return path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise MissingInputError("there is no such file", where=path, mend="check the path and its spelling") from error
    except OSError as error:
        raise MissingInputError(
            f"the file cannot be read: {error.strerror or error}", where=path, mend="make it readable for this user"
        ) from error


def _call(dataset: Dataset) -> polars.DataFrame:
    import polars as pl

    loader = product.load(dataset.source, where=f"{dataset.file} (source)", repository=dataset.repository)
    table: Any = loader()
    if hasattr(table, "iloc"):  # a pandas frame
        table = pl.from_pandas(table)
    if not isinstance(table, pl.DataFrame):
        raise ConfigurationError(
            f"{dataset.source} returned {type(table).__name__}, not a table", where=dataset.file,
            mend="return a Polars or pandas DataFrame",
        )
    return table


def _simulated(dataset: Dataset, given: str | None, digest: str) -> bool:
    """A user's own file is not simulated, unless it is the data set's simulated one, byte for byte."""
    if given is None or not dataset.simulated:
        return dataset.simulated and given is None
    own = dataset.repository / dataset.source
    return own.is_file() and sha256_bytes(own.read_bytes()) == digest
