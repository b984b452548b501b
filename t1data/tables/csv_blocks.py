"""Text cut into blocks of whole records, and which of them the fast parser reads right."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from t1data.errors import InputError
from t1data.tables.csv_scan import Dialect, Record, Scanner

MOST_RECORD: Final = 12 << 20
"""Bytes of the longest record: more cannot be sent in one request, and an open quote must not fill the memory."""

_QUOTE, _LF, _CR = 0x22, 0x0A, 0x0D
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Positions = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole records.

    Parameters
    ----------
    text : bytes
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

    text: bytes
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
    rest, missing = b"", 0
    for text in texts:
        rest += text
        if len(rest) < missing:  # an open record is looked at again only when twice as much has come
            continue
        block = _block(rest, scanner, line=line, final=False)
        missing = 0 if block.text else min(2 * len(rest), MOST_RECORD + 1)
        if not block.text and len(rest) > MOST_RECORD:
            raise _too_long(rest, scanner, line)
        rest = rest[len(block.text) :]
        line += block.lines
        if block.text:
            yield block
    if rest:
        ended = rest if rest.endswith(scanner.dialect.line_break) else rest + scanner.dialect.line_break
        yield _block(ended, scanner, line=line, final=True)


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
    part = text[: records[-1].end] if records else b""
    return Block(part, line, part.count(scanner.dialect.line_break), len(records), records)


def _plain(text: bytes, dialect: Dialect, line: int) -> Block | None:
    """Cut behind the last line break outside quotes, if everything up to there is plain."""
    text = text[: text.rfind(b"\n") + 1]
    data = np.frombuffer(text, dtype=np.uint8)  # numpy counts 20 times faster than bytes do
    feeds = data == _LF
    if b"\r" in text and (data[1:][data[:-1] == _CR] != _LF).any():
        return None
    if b'"' not in text:
        lines = int(np.count_nonzero(feeds))
        return Block(text, line, lines, lines) if lines else None
    quotes = np.flatnonzero(data == _QUOTE)
    outside = _outside(np.flatnonzero(feeds), quotes)
    if not (len(outside) and _quotes_are_plain(data, quotes, dialect)):
        return None
    part = text[: outside[-1] + 1]
    return Block(part, line, int(np.count_nonzero(feeds[: len(part)])), len(outside))


def _quotes_are_plain(data: Bytes, quotes: Positions, dialect: Dialect) -> bool:
    """Whether reading the quotes by pairs is right: the first of each opens, the second closes.

    A doubled quote inside a field then closes and opens at once. It is right when every opening quote stands at the
    beginning of a field or behind a closing one, and every closing quote at the end of a field or before an opening
    one.
    """
    opening, closing, mark = quotes[0::2], quotes[1::2], ord(dialect.delimiter)
    before = data[opening[opening > 0] - 1]
    after = data[closing + 1]  # the text ends in LF, so a byte always follows
    begun = (before == mark) | (before == _LF) | (before == _QUOTE)
    ended = (after == mark) | (after == _LF) | (after == _QUOTE) | (after == _CR)
    return bool(begun.all() and ended.all())


def _outside(breaks: Positions, quotes: Positions) -> Positions:
    outside: Positions = breaks[np.searchsorted(quotes, breaks) % 2 == 0]
    return outside


def record_starts(text: bytes) -> tuple[Positions, Positions]:
    """Find the records of a plain block: offset of each that is no blank line, and its 0-based physical line."""
    data = np.frombuffer(text, dtype=np.uint8)
    breaks = np.flatnonzero(data == _LF)
    outside = _outside(breaks, np.flatnonzero(data == _QUOTE))
    starts = np.concatenate([np.zeros(1, dtype=np.int64), outside[:-1] + 1])
    blank = (starts == outside) | ((data[starts] == _CR) & (starts + 1 == outside))
    kept = starts[~blank]
    return kept, np.searchsorted(breaks, kept)
