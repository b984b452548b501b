"""Text cut into blocks of whole records, and which of them the fast parser reads right."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from t1data.errors import InputError
from t1data.tables.csv_scan import Dialect, Record, Scanner
from t1data.tables.records import SLICE_ROWS

MOST_RECORD: Final = 12 << 20
"""Bytes of the longest record: more cannot be sent in one request, and an open quote must not fill the memory."""

_WINDOW: Final = 1 << 18
"""Bytes that are looked at together: what numpy makes of them stays in the cache, and in memory that is used again."""

_WIDE: Final = 4 << 20
"""Bytes at most of a block of long records, which are read many at once as what is done for each column weighs."""

_QUOTE, _LF, _CR = 0x22, 0x0A, 0x0D
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Positions = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole records.

    Parameters
    ----------
    text : memoryview
        The records, each with its line break. When `records` is None, RFC 4180 holds for all of it: quotes open only
        at the beginning of a field and close only at its end, CR stands only before LF, and there is no NUL, nor a byte
        order mark ahead.
    line : int
        1-based physical line on which it begins.
    lines : int
        Physical lines.
    breaks : int
        Line breaks outside quotes: the records and the blank lines together.
    records : list of Record, optional
        What the exact scanner read, when `text` is not that plain.
    """

    text: memoryview
    line: int
    lines: int
    breaks: int
    records: list[Record] | None = None


def blocks_of(texts: Iterator[bytes], scanner: Scanner, *, line: int) -> Iterator[Block]:
    """Cut a stream of text into blocks of whole records.

    Parameters
    ----------
    texts : iterator of bytes
        UTF-8, from the beginning of a record on.
    line : int
        1-based physical line of that beginning.

    Raises
    ------
    InputError
        Where quotes leave it unclear where a record ends, or for a record of more than `MOST_RECORD` bytes.
    """
    rest, come, wanted = b"", list[bytes](), 0
    for text in texts:
        come.append(text)
        if len(rest) + sum(map(len, come)) < wanted:
            continue
        rest = b"".join((rest, *come))
        come.clear()
        block = _block(rest, scanner, line=line, final=False)
        wanted = _wanted(block, len(rest))
        if not block.text and len(rest) > MOST_RECORD:
            raise _too_long(rest, scanner, line)
        rest = rest[len(block.text) :]
        line += block.lines
        if block.text:
            yield block
    if rest := b"".join((rest, *come)):
        ended = rest if rest.endswith(scanner.dialect.line_break) else rest + scanner.dialect.line_break
        yield _block(ended, scanner, line=line, final=True)


def _wanted(block: Block, size: int) -> int:
    """Return how many bytes to look at next: half a slice of rows, but twice as many when no record ended in these."""
    if not block.text:
        return min(2 * size, MOST_RECORD + 1)
    return min(len(block.text) * SLICE_ROWS // (2 * block.breaks), _WIDE)


def _too_long(rest: bytes, scanner: Scanner, line: int) -> InputError:
    list(scanner.records(rest, line=line, final=True))  # says so when the reason is an open quote
    return InputError(
        f"{scanner.dialect.where}, line {line}: the line is longer than {MOST_RECORD >> 20} MB. "
        "No customer is that large: check the file's line breaks and quotes."
    )


def _block(text: bytes, scanner: Scanner, *, line: int, final: bool) -> Block:
    # pyarrow drops a byte order mark at the beginning of what it reads; here it is the first character of a cell.
    odd = scanner.dialect.lone_cr or b"\0" in text or text.startswith(BOM_UTF8)
    plain = None if odd else _plain(text, scanner.dialect, line)
    if plain and (not final or len(plain.text) == len(text)):
        return plain
    records = list(scanner.records(text, line=line, final=final))
    part = memoryview(text)[: records[-1].end if records else 0]
    return Block(part, line, text.count(scanner.dialect.line_break, 0, len(part)), len(records), records)


def _plain(text: bytes, dialect: Dialect, line: int) -> Block | None:
    """Cut behind the last line break outside quotes, if everything up to the last line break is plain."""
    data = np.frombuffer(text, dtype=np.uint8, count=text.rfind(b"\n") + 1)
    if b"\r" in text and (data[1:][data[:-1] == _CR] != _LF).any():
        return None
    try:
        ends, breaks = zip(*_windows(data, ord(dialect.delimiter)), strict=True) if data.size else ((0,), (0,))
    except _NotPlainError:
        return None
    part = memoryview(text)[: max(ends)]
    lines = int(np.count_nonzero(data[: len(part)] == _LF))
    return Block(part, line, lines, sum(breaks)) if part else None


class _NotPlainError(Exception):
    """A quote stands where RFC 4180 has none."""


def _windows(data: Bytes, mark: int) -> Iterator[tuple[int, int]]:
    """Yield, window by window, the offset behind the last line break outside quotes, and how many such breaks it has.

    Raises `_NotPlainError` unless reading the quotes by pairs is right: the first of each opens, the second closes. A
    doubled quote inside a field then closes and opens at once. It is right when every opening quote stands at the
    beginning of a field or behind a closing one, and every closing quote at the end of a field or before an opening
    one.
    """
    is_open = 0
    for low in range(0, len(data), _WINDOW):
        window = data[low : low + _WINDOW]
        breaks, quotes = np.flatnonzero(window == _LF), np.flatnonzero(window == _QUOTE)
        before = data[quotes[is_open::2] + (low - 1)]  # that of the first byte is the last one, a line break
        after = data[quotes[1 - is_open :: 2] + (low + 1)]  # the data ends in LF, so a byte always follows
        begun = (before == mark) | (before == _LF) | (before == _QUOTE)
        ended = (after == mark) | (after == _LF) | (after == _QUOTE) | (after == _CR)
        if not (begun.all() and ended.all()):
            raise _NotPlainError
        outside = _outside(breaks, quotes, is_open=is_open)
        is_open = (is_open + len(quotes)) % 2
        yield (low + int(outside[-1]) + 1 if len(outside) else 0), len(outside)


def _outside(breaks: Positions, quotes: Positions, *, is_open: int = 0) -> Positions:
    if not len(quotes):
        return breaks[:0] if is_open else breaks
    outside: Positions = breaks[np.searchsorted(quotes, breaks) % 2 == is_open]
    return outside


def record_starts(text: memoryview) -> tuple[Positions, Positions]:
    """Find the records of a plain block: offset of each that is no blank line, and its 0-based physical line."""
    data = np.frombuffer(text, dtype=np.uint8)
    breaks = np.flatnonzero(data == _LF)
    outside = _outside(breaks, np.flatnonzero(data == _QUOTE))
    starts = np.concatenate([np.zeros(1, dtype=np.int64), outside[:-1] + 1])
    blank = (starts == outside) | ((data[starts] == _CR) & (starts + 1 == outside))
    kept = starts[~blank]
    return kept, np.searchsorted(breaks, kept)
