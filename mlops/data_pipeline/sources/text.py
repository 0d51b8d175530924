"""Text in blocks of whole records: decoded, free of NUL bytes, each with the number of its first line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

import msgspec

from mlops.errors import BadDataError

BLOCK = 1 << 24
"""Bytes of a block, about."""
LONGEST = 1 << 26
"""Bytes that one record may have at most."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END = re.compile(rb"\r\n|\r|\n")


class Block(msgspec.Struct, frozen=True):
    """Whole records in UTF-8; `line` is the number of the first line, from 1."""

    content: bytes
    line: int


def blocks(chunks: Iterable[bytes], where: str, *, encoding: str = "", quote: bytes = b"") -> Iterator[Block]:
    """Cut text at the ends of records; a line end between two quotes is none.

    Args:
        chunks: The bytes of the file, in any pieces.
        where: The file's name, for errors.
        encoding: Of the bytes; UTF-8 or what the byte order mark says when empty.

    Raises:
        BadDataError: a byte does not fit the encoding, is NUL, or a quote never closes; names the line.
    """
    done, rest, line = b"", b"", 1
    for piece in _gathered(_decoded(chunks, where, encoding)):
        line += lines_in(done)
        done, rest = b"", rest + piece
        cut = _last_end(rest, quote)
        if cut:
            yield _checked(Block(rest[:cut], line), where)
            done, rest = rest[:cut], rest[cut:]  # its lines are counted when more comes
        elif len(rest) > LONGEST:
            break
    if rest:
        line += lines_in(done)
    if quote and rest.count(quote) % 2:
        raise _unclosed(rest, where, line, quote)
    if len(rest) > LONGEST:
        raise BadDataError(
            f"has a line of more than {LONGEST >> 20} MiB", where=f"{where}:{line}",
            mend="this is no table; export it again",
        )
    if rest:
        yield _checked(Block(rest, line), where)


def lines_in(content: bytes) -> int:
    """How many line ends there are: `\\n`, `\\r\\n` or a lone `\\r`."""
    lines = content.count(b"\n")
    if b"\r" in content:
        lines += content.count(b"\r") - content.count(b"\r\n")
    return lines


def lines_of(content: bytes) -> list[bytes]:
    """The lines without their ends."""
    return _LINE_END.split(content)


def place(content: bytes, offset: int, line: int) -> tuple[int, int]:
    """Line and column (from 1, the column in bytes) of an offset in content that begins with line `line`."""
    before = content[:offset]
    start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
    return line + lines_in(before), offset - start + 1


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about BLOCK."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= BLOCK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _decoded(chunks: Iterable[bytes], where: str, encoding: str) -> Iterator[bytes]:
    """The text as UTF-8 without byte order mark. What claims to be UTF-8 is checked block by block later."""
    pieces = iter(chunks)
    first = next(pieces, b"")
    mark, marked = next(((mark, name) for mark, name in _MARKS if first.startswith(mark)), (b"", ""))
    name = codecs.lookup(marked or encoding or "utf-8").name
    if name == "utf-8":
        yield first[len(mark):]
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(name)("strict")
    line = 1
    piece: bytes | None = first[len(mark):]
    while piece is not None:
        following = next(pieces, None)
        pending, _ = decoder.getstate()
        try:
            text = decoder.decode(piece, final=following is None).encode()
        except UnicodeError as error:
            raise _undecodable(error, pending + piece, where, name, line) from error
        yield text
        line += lines_in(text)
        piece = following


def _undecodable(error: UnicodeError, content: bytes, where: str, name: str, line: int) -> BadDataError:
    start = error.start if isinstance(error, UnicodeDecodeError) else 0
    before = content[:start].decode(name, errors="ignore").encode()
    number, column = place(before, len(before), line)
    byte = f": byte 0x{content[start]:02x} in column {column} of the line" if start < len(content) else ""
    return BadDataError(
        f"is not {name}{byte}", where=f"{where}:{number}",
        mend="declare the file's `encoding` under `source`, or export it again",
    )


def _checked(block: Block, where: str) -> Block:
    content = block.content
    zero = content.find(b"\0")
    if zero >= 0:
        line, column = place(content, zero, block.line)
        wide = content[:200].count(b"\0") > 40
        raise BadDataError(
            f"holds a NUL byte in column {column} of the line", where=f"{where}:{line}",
            mend="it looks like UTF-16 without a byte order mark: declare `encoding: utf-16-le` under `source`" if wide
            else "the file is damaged or no text; export it again",
        )
    if not content.isascii():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            line, column = place(content, error.start, block.line)
            raise BadDataError(
                f"is not UTF-8: byte 0x{content[error.start]:02x} in column {column} of the line",
                where=f"{where}:{line}",
                mend="declare the file's `encoding` under `source` (`latin-1`, `cp1252`, …), or save it as UTF-8",
            ) from error
    return block


def _last_end(content: bytes, quote: bytes) -> int:
    """Where the last whole record ends, 0 where none does."""
    if quote not in content:  # which is many times quicker to see than to count
        quote = b""
    even = not quote or content.count(quote) % 2 == 0
    stop = len(content)
    while stop > 0:
        end = max(content.rfind(b"\n", 0, stop), content.rfind(b"\r", 0, stop))
        if end < 0:
            return 0
        if quote and content.count(quote, end, stop) % 2:
            even = not even
        if even and not (content[end] == 13 and end + 1 == len(content)):  # a \n may follow in the next piece
            return end + 1
        stop = end
    return 0


def _unclosed(content: bytes, where: str, line: int, quote: bytes) -> BadDataError:
    """The first line with an odd number of quotes is where the unclosed one most likely is."""
    odd = next((number for number, each in enumerate(lines_of(content)) if each.count(quote) % 2), 0)
    return BadDataError(
        f"a quote ({quote.decode()}) opens and never closes", where=f"{where}:{line + odd}",
        mend="close or remove the quote in this line; the file may be cut off",
    )
