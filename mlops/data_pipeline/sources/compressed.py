"""What a file is, told by its first bytes whatever its name ends with, and its content without compression."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

from mlops.data_pipeline.sources.local_file import LocalFile
from mlops.errors import BadDataError

CHUNK = 1 << 22
"""Bytes taken at a time."""

_COMPRESSED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"(\xb5/\xfd", "zstd"), (b"PK", "zip"))
_OTHERS = (
    (b"%PDF", "PDF"), (b"SQLite format 3\0", "a SQLite database"), (b"Obj\x01", "Avro"), (b"ORC", "ORC"),
    (b"\x89HDF", "HDF5"), (b"\xd0\xcf\x11\xe0", "an old Excel file"), (b"FEA1", "Feather version 1"),
    (b"7z\xbc\xaf", "7-Zip"), (b"Rar!", "RAR"), (b"\x7fELF", "a program"),
)


def kind_of(head: bytes) -> str:
    """`parquet`, `arrow` (a file or a stream), `jsonl` or `csv` for a file that begins with `head`."""
    if head.startswith((b"PAR1", b"PARE")):
        return "parquet"
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    return "jsonl" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "csv"


def compression_of(head: bytes) -> str:
    """The name of the compression, empty for none."""
    return next((name for magic, name in _COMPRESSED if head.startswith(magic)), "")


def refuse_others(head: bytes, where: str, *, inside: str = "") -> None:
    """Raise BadDataError for a kind of file that holds no rows in a form that is read here."""
    found = next((name for magic, name in _OTHERS if head.startswith(magic)), "")
    if not found and head[257:262] == b"ustar":
        found = "a tar archive"
    if inside and not found:
        packed = compression_of(head)
        found = packed or (kind_of(head) if head.startswith((b"PAR1", b"ARROW1")) else "")
    if found:
        raise BadDataError(
            f"the file is {found}{f' inside {inside}' if inside else ''}, not CSV, JSON lines, Parquet or Arrow",
            where=where, mend="unpack it, or export it as CSV or Parquet, first",
        )


def chunks(file: LocalFile) -> Iterator[bytes]:
    """The file's content without compression.

    Raises:
        BadDataError: the compressed content is cut off or damaged, or holds no single file of rows.
    """
    file.seek(0)
    head = file.read(512) or b""
    file.seek(0)
    name = compression_of(head)
    if not name:
        refuse_others(head, file.shown)
        yield from iter(lambda: file.read(CHUNK) or b"", b"")
        return
    first = True
    try:
        stream = _OPEN[name](io.BufferedReader(file, CHUNK), file.shown)
        while content := stream.read(CHUNK):
            if first:
                refuse_others(content[:512], file.shown, inside=name)
                first = False
            yield content
    except (EOFError, OSError, ValueError, zlib.error, _lzma_error(), _zip_error()) as error:
        raise BadDataError(
            f"the {name} content is cut off or damaged: {str(error)[:160] or type(error).__name__}", where=file.shown,
            mend="copy or fetch the file again, wholly",
        ) from error
    if first:
        raise BadDataError(f"the {name} file is empty", where=file.shown, mend="give a file with a header and rows")


def _gzip(file: IO[bytes], _: str) -> IO[bytes]:
    import gzip

    stream: Any = gzip.GzipFile(fileobj=file)
    return stream  # type: ignore[no-any-return]


def _bzip2(file: IO[bytes], _: str) -> IO[bytes]:
    import bz2

    return bz2.BZ2File(file)


def _xz(file: IO[bytes], _: str) -> IO[bytes]:
    import lzma

    return lzma.LZMAFile(file)


def _zstd(file: IO[bytes], _: str) -> IO[bytes]:
    import pyarrow as pa

    stream: IO[bytes] = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
    return stream


def _zip(file: IO[bytes], where: str) -> IO[bytes]:
    import zipfile

    archive = zipfile.ZipFile(file)
    members = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        office = any(each.filename == "[Content_Types].xml" for each in members)
        found = "an Excel or other Office file" if office else f"a zip with {len(members)} files"
        raise BadDataError(
            f"the file is {found}, not one file of rows", where=where,
            mend="export the sheet as CSV" if office else "unpack it and name the files, or a folder of them",
        )
    if members[0].flag_bits & 1:
        raise BadDataError("the zip is locked with a password", where=where, mend="unpack it first")
    return archive.open(members[0])


_OPEN: dict[str, Callable[[IO[bytes], str], IO[bytes]]] = {
    "gzip": _gzip, "bzip2": _bzip2, "xz": _xz, "zstd": _zstd, "zip": _zip,
}


def _lzma_error() -> type[Exception]:
    import lzma

    return lzma.LZMAError


def _zip_error() -> type[Exception]:
    import zipfile

    return zipfile.BadZipFile
