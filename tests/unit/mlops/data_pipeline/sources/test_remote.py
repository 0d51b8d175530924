"""Objects of a real S3 server: one, a pattern, a prefix; interrupted, replaced, refused, away."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline import Dataset, intake
from mlops.data_pipeline.sources import remote
from mlops.errors import BusyError, ConfigurationError, MissingInputError, MlopsError, UnavailableError


@pytest.fixture
def stored(bucket: str, dataset: Dataset) -> str:
    """The people's rows in three objects."""
    import s3fs

    table = intake.read_source(dataset).table
    store = s3fs.S3FileSystem(skip_instance_cache=True)
    store.pipe(f"{bucket}/people/a.csv", table[:20].write_csv().encode())
    store.pipe(f"{bucket}/people/b.csv.gz", gzip.compress(table[20:31].write_csv().encode()))
    store.pipe(f"{bucket}/people/c.csv", table[31:].write_csv().encode())
    store.pipe(f"{bucket}/people/_SUCCESS", b"")
    store.pipe(f"{bucket}/whole.csv", table.write_csv().encode())
    return f"s3://{bucket}"


@pytest.mark.engine
@pytest.mark.parametrize(("key", "rows"), [("whole.csv", 60), ("people/", 60), ("people/*.csv", 49)])
def test_objects_are_a_source(stored: str, dataset: Dataset, work: Path, key: str, rows: int) -> None:
    target = work / "ingested.parquet"
    record = intake.ingest(dataset, target, f"{stored}/{key}", quarantined=work / "quarantine.parquet")
    assert record.rows == rows and record.location.startswith(stored) and not record.wrong_cells
    if rows == 60:
        assert record.fingerprint == intake.read_source(dataset).source.fingerprint
        assert pl.read_parquet(target).equals(intake.read_source(dataset).table)
    assert not [path for path in (work / ".fetched").iterdir()]


@pytest.mark.engine
def test_an_interrupted_fetch_goes_on(stored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    address = f"{stored}/whole.csv"
    whole = remote.fetch(address, tmp_path / "whole").read_bytes()
    read: list[tuple[int, int]] = []
    before = s3fs.core.S3File._fetch_range

    def counted(self: Any, start: int, end: int) -> bytes:
        read.append((start, end))
        if len(read) == 1:
            raise ConnectionError("cut")
        return bytes(before(self, start, end))

    monkeypatch.setattr(s3fs.core.S3File, "_fetch_range", counted)
    with pytest.raises(UnavailableError):
        remote.fetch(address, tmp_path / "again")
    part = next(tmp_path.glob("again.*.part"))
    part.write_bytes(whole[:700])  # as a killed call would leave it
    assert remote.fetch(address, tmp_path / "again").read_bytes() == whole
    assert read[1][0] == 700 and not [*tmp_path.glob("*.part")]
    asked = len(read)
    assert remote.fetch(address, tmp_path / "again").read_bytes() == whole and len(read) == asked  # it is the same
    s3fs.S3FileSystem(skip_instance_cache=True).pipe(address.removeprefix("s3://"), whole[::-1])
    assert remote.fetch(address, tmp_path / "again").read_bytes() == whole[::-1]


@pytest.mark.engine
def test_an_object_that_is_replaced_meanwhile_is_not_taken(
    stored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    before = s3fs.core.S3File._fetch_range

    def replaced(self: Any, start: int, end: int) -> bytes:
        s3fs.S3FileSystem(skip_instance_cache=True).pipe(f"{stored}/whole.csv".removeprefix("s3://"), b"x" * 5000)
        return bytes(before(self, start, end))

    monkeypatch.setattr(s3fs.core.S3File, "_fetch_range", replaced)
    with pytest.raises((BusyError, UnavailableError)):
        remote.fetch(f"{stored}/whole.csv", tmp_path / "whole")
    assert all(each.suffix == ".part" for each in tmp_path.glob("whole*"))


@pytest.mark.engine
@pytest.mark.parametrize(("address", "kind"), [
    ("{stored}/absent.csv", MissingInputError), ("{stored}/people/*.parquet", MissingInputError),
    ("s3://no-such-bucket-here/x.csv", MlopsError),
])
def test_what_is_not_there_is_said(stored: str, dataset: Dataset, address: str, kind: type[MlopsError]) -> None:
    with pytest.raises(kind) as caught:
        intake.read_source(dataset, address.format(stored=stored))
    assert caught.value.mend and "s3://" in (caught.value.where or "")


@pytest.mark.engine
def test_a_user_without_rights_is_said(stored: str, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises((ConfigurationError, MissingInputError, UnavailableError)) as caught:
        intake.read_source(dataset, f"{stored}/whole.csv")
    assert "right" in str(caught.value) or "AWS_" in str(caught.value)


def test_a_store_that_does_not_answer_is_said(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "aws").touch()
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_CONFIG_FILE": str(tmp_path / "aws"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "aws"),
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UnavailableError, match="did not answer"):
        intake.read_source(dataset, "s3://bucket/x.csv")
