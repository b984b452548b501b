"""What a file is by its first bytes, and how a text file separates its fields."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from t1data.errors import InputError
from t1data.tables.csv_scan import Dialect, Scanner

DELIMITERS: Final = (b",", b";", b"\t", b"|")
_LINES: Final = 100
"""Records after the header that are looked at: enough to tell, and read in a millisecond."""

_MAGIC: Final = (  # longer and surer signs first
    (b"PAR1", "parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "ole"),
    (b"ARROW1", "an Arrow (Feather) file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"%PDF", "a PDF document"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"SQLite format 3", "an SQLite database"),
)
_MARKUP: Final = (
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<?xml", "an XML document"),
    (b"{", "JSON text"),
    (b"[{", "JSON text"),
)
_NOTE: Final = re.compile(rb'\s*"?(sep=.)"?\s*', re.IGNORECASE)
CONTAINERS: Final = frozenset({"gzip", "zstd", "zip", "ole"})
"""Kinds that say little of what is in them: packed files, zip archives, and Microsoft's compound files."""


def kind_of(head: bytes) -> str:
    """Name the kind of a file by its first bytes: ``"parquet"``, ``"text"``, one of `CONTAINERS`, or words for people.

    Examples
    --------
    >>> kind_of(b"PAR1")
    'parquet'
    >>> kind_of(b"integration_id,name")
    'text'
    """
    markup = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    signs = [name for sign, name in _MAGIC if head.startswith(sign)]
    pages = [name for sign, name in _MARKUP if markup.startswith(sign)]
    return next(iter(signs + pages), "text")


def lone_cr(sample: bytes) -> bool:
    """Whether the first line outside quotes ends with a carriage return that no LF follows."""
    outside = b"".join(sample.split(b'"')[::2])
    first = outside.find(b"\r")
    return first >= 0 and b"\n" not in outside[:first] and not outside[first:].lstrip(b"\r").startswith(b"\n")


def find_delimiter(sample: bytes, *, lone_cr: bool, where: str) -> bytes:
    """Choose the delimiter that stands in the header and divides most of the first records alike.

    Parameters
    ----------
    sample : bytes
        UTF-8 text from the beginning of the file.

    Raises
    ------
    InputError
        When two delimiters fit equally well.
    """
    scores = {d: _score(sample, Dialect(d, lone_cr=lone_cr, where=where)) for d in DELIMITERS}
    best = max(scores.values())
    chosen = [d for d, score in scores.items() if score == best]
    if best[1] == 1:
        return b","
    if len(chosen) > 1:
        named = " and ".join(repr(d.decode()) for d in chosen)
        raise InputError(f"{where}: {named} divide the lines equally well. Pass delimiter=.")
    return chosen[0]


def _score(sample: bytes, dialect: Dialect) -> tuple[float, int]:
    """Share of records as wide as the header, and that width; a header in one piece scores least."""
    widths = [len(fields) for fields in first_records(sample, dialect, most=_LINES)]
    width = widths[0] if widths else 1
    return (0.0, 1) if width == 1 else (Counter(widths)[width] / len(widths), width)


def first_records(sample: bytes, dialect: Dialect, *, most: int) -> list[list[bytes]]:
    """Fields of the first records of a sample, blank lines left out; it stops before a faulty quote."""
    found: list[list[bytes]] = []
    try:
        for record in Scanner(dialect).records(sample, line=1, final=False):
            if not record.blank:
                found.append(record.fields)
            if len(found) >= most:
                break
    except InputError:  # told with its line when the rows are read; a wrong delimiter can cause it as well
        pass
    return found


def check_no_note(header: bytes, *, where: str) -> None:
    """Refuse a first line such as ``sep=;``, which tells Excel the delimiter and is no header."""
    if note := _NOTE.fullmatch(header):
        raise InputError(
            f"{where} begins with {note[1].decode()!r}, a note for Excel. Take that line out: "
            "the delimiter is found without it."
        )


def check_one_column(header: bytes, *, where: str) -> None:
    """Refuse a header in one piece that holds another delimiter outside quotes."""
    other = [d.decode() for d in DELIMITERS if d in b"".join(header.split(b'"')[::2])]
    if other:
        raise InputError(
            f"{where} has only one column, and its header holds {other[0]!r}: the delimiter is wrong. "
            f"Pass delimiter={other[0]!r}, or leave it out."
        )
