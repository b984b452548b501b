"""Text files as a stream of UTF-8 blocks: marks, encodings and what to say when one does not fit."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from t1data.errors import InputError
from t1data.tables.files import open_unpacked, readable
from t1data.tables.strings import is_utf8

BLOCK: Final = 1 << 20
FIRST_BLOCK: Final = 1 << 16
"""The first block is small, so that the first rows come at once."""

_MARKS: Final = (  # UTF-32 before UTF-16: the little-endian mark of one begins with that of the other
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LIKELY: Final = ("cp1252", "cp1250", "cp1251", "shift_jis", "gb18030")
_C1: Final = frozenset(map(chr, range(0x80, 0xA0)))


@dataclass(frozen=True)
class TextFile:
    """A text file and the encoding in which it is read.

    Parameters
    ----------
    path : pathlib.Path
        Plain, gzip or Zstandard.
    encoding : str
        A Python codec.
    mark : int
        Bytes of the byte order mark at the beginning.
    """

    path: Path
    encoding: str
    mark: int = 0

    @classmethod
    def of(cls, path: Path, *, encoding: str | None = None) -> TextFile:
        """Find the encoding by the byte order mark, else take the given one, else UTF-8.

        Raises
        ------
        InputError
            For an unknown encoding, or one that contradicts the mark.
        """
        asked = None if encoding is None else _codec(encoding)
        with open_unpacked(path) as file:
            head = file.read(4)
        mark, found = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", "utf-8"))
        if mark and asked is not None and not _agree(asked, found):
            raise InputError(f"{path} begins with the mark of {found}, which is not {encoding}. Leave encoding= out.")
        if not mark and asked in ("utf-16", "utf-32"):
            raise InputError(f"{path} has no byte order mark. Pass encoding='{asked}-le' or '{asked}-be'.")
        return cls(path, found if mark or asked is None else asked, len(mark))

    def blocks(self) -> Iterator[bytes]:
        """Yield the text without its mark as non-empty blocks of bytes that, joined, are valid UTF-8.

        Raises
        ------
        InputError
            At the first byte that does not fit the encoding, with its offset, line and likely encodings.
        """
        decode = _checked if self.encoding == "utf-8" else _transcoded
        with open_unpacked(self.path) as file, readable(self.path):
            file.read(self.mark)
            raw = iter(lambda: file.read(BLOCK), b"")
            try:
                yield from decode(_first_small(raw), self.encoding)
            except _BadBytes as bad:
                raise self._refusal(bad) from None

    def line_at(self, offset: int) -> int:
        """Return the 1-based line of a byte, counted by reading the file up to there."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        lines, left = 1, offset
        with open_unpacked(self.path) as file:
            while left > 0 and (block := file.read(min(left, BLOCK))):
                lines, left = lines + decoder.decode(block).count("\n"), left - len(block)
        return lines

    def _refusal(self, bad: _BadBytes) -> InputError:
        offset = bad.offset + self.mark
        where = f"{self.path}, line {self.line_at(offset)}, byte {offset}"
        if bad.control:
            return InputError(
                f"{where}: 0x{bad.found.hex()} is a control character in {self.encoding}, so the file is "
                'probably cp1252. Pass encoding="cp1252".'
            )
        likely = ", ".join(name for name in _LIKELY if _fits(bad.around, name))
        named = f"; likely ones: {likely}. Or" if likely else ", or"
        return InputError(
            f"{where}: 0x{bad.found.hex()} is not {self.encoding}. "
            f"Pass the right encoding={named} save the file as UTF-8."
        )


class _BadBytes(Exception):
    """Bytes that do not fit, with their offset behind the mark and what stands around them."""

    def __init__(self, offset: int, found: bytes, around: bytes, *, control: bool = False) -> None:
        self.offset, self.found, self.around, self.control = offset, found, around, control


def _first_small(blocks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(blocks, b"")
    if first:
        yield first[:FIRST_BLOCK]
    if len(first) > FIRST_BLOCK:
        yield first[FIRST_BLOCK:]
    yield from blocks


def _checked(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Pass UTF-8 through, checked; a character may lie across two blocks."""
    begun, offset = b"", 0
    for block in blocks:
        seen = begun + block
        whole = _whole_characters(seen)
        if not is_utf8(seen[:whole]):  # a tenth of what decoding takes, which then says where the fault lies
            _decode(codecs.getincrementaldecoder(encoding)(), seen, offset=offset - len(begun))
        begun = seen[whole:]
        offset += len(block)
        yield block
    _decode(codecs.getincrementaldecoder(encoding)(), begun, offset=offset - len(begun), final=True)


def _whole_characters(text: bytes) -> int:
    """Return how many of the bytes come before a character that breaks off at the end."""
    for back in range(1, min(4, len(text) + 1)):
        if text[-back] >= 0xC0:  # the lead of a character, which says how long it is
            return len(text) - back if back < (2 + (text[-back] >= 0xE0) + (text[-back] >= 0xF0)) else len(text)
        if text[-back] < 0x80:
            break
    return len(text)


def _transcoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Turn text of another encoding into UTF-8."""
    decoder, offset = codecs.getincrementaldecoder(encoding)(), 0
    latin = codecs.lookup(encoding).name == "iso8859-1"
    for block in blocks:
        text = _decode(decoder, block, offset=offset)
        if latin and not _C1.isdisjoint(text):
            at = next(i for i, char in enumerate(text) if char in _C1)
            raise _BadBytes(offset + at, block[at : at + 1], block, control=True)
        offset += len(block)
        yield from _encoded(text, offset)
    yield from _encoded(_decode(decoder, b"", offset=offset, final=True), offset)


def _decode(decoder: codecs.IncrementalDecoder, block: bytes, *, offset: int, final: bool = False) -> str:
    pending = decoder.getstate()[0]
    try:
        return decoder.decode(block, final)
    except UnicodeError as error:  # some codecs raise it without a position
        start, seen = getattr(error, "start", 0), pending + block
        raise _BadBytes(offset - len(pending) + start, seen[start : start + 1], seen) from None


def _encoded(text: str, offset: int) -> Iterator[bytes]:
    try:
        if text:
            yield text.encode()
    except UnicodeEncodeError as error:  # a codec that lets half a surrogate pair through
        raise _BadBytes(offset, text[error.start].encode("utf-8", "surrogatepass"), b"") from None


def _codec(encoding: str) -> str:
    try:
        "".encode(encoding)  # fails for codecs that are no text encodings, such as base64
        return codecs.lookup(encoding).name.removesuffix("-sig")
    except (LookupError, ValueError, TypeError):
        raise InputError(f"{encoding!r} is no text encoding known to Python; try 'utf-8' or 'cp1252'.") from None


def _agree(asked: str, found: str) -> bool:
    """Whether the asked encoding is the one of the mark; ``utf-16`` stands for both byte orders."""
    return found.startswith(asked)


def _fits(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeError:
        return False
    return True
