"""CSV files made and mutated by seed, and what each must become, by an own reading of RFC 4180 one byte at a time.

The rules, written down here apart from the package: a field is quoted when it begins with a quote; in it two quotes
are one. A record ends at LF, with any CR before it. Text behind a closing quote, a lone CR, NUL and another number of
fields make a row invalid. Quotes that leave it open where a record ends, and bytes that are not UTF-8, refuse the file.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.fuzz_rows import Due, Invalid, Sent, resolve_twins

HEADER = ("integration_id", "Name", "Points", "Vip")
TYPES = {"Name": "string", "Points": "number", "Vip": "boolean"}
CELLS = (
    "", "", "007", "0", "-0", "1.10", "1e5", "1E+400", "12,5", "1_000", "NA", "null", "nan", "true", "FALSE", "x",
    "a b", ' "', 'say "hi"', '"', "two\nlines", "two\r\nlines", "\r", ",", ";", "Żółć", "😀", "e\u0301", "\u2028",
    "\x85", "\x7f", "\t", "=1+1", "+49", "9007199254740993", "0.1000000000000000055", "a" * 40, "\ufeff",
)  # fmt: skip
POINTS = (
    "",
    "7",
    "-3",
    "1.50",
    "1e5",
    "9007199254740993",
    "007",
    "+1",
    ".5",
    "1e999",
    "0",
    "-0",
    "12345678901234567890.10",
)
VIPS = ("", "true", "false", "True", "FALSE", "yes", "1")
SPICE = (b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b";", b" ", b"\xff", b"\xc3", b'",', b',"', b"\n\n", b'"\n')
ENDS = re.compile(rb",|\r*\n")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class CsvFile:
    """The bytes of a file, and what must become of it: the rows by number, or None when it must be refused."""

    content: bytes
    due: dict[int, Due] | None


def make_csv(chance: random.Random) -> CsvFile:
    """Make a file; every second one is damaged."""
    body = b"".join(_lines(chance))
    if chance.random() < 0.5:
        body = _damaged(body, chance)
    mark = b"\xef\xbb\xbf" if chance.random() < 0.1 else b""
    head = ",".join(HEADER).encode() + chance.choice((b"\n", b"\r\n"))
    return CsvFile(mark + head + body, due_of(body))


def _lines(chance: random.Random) -> Iterator[bytes]:
    ends = chance.choice(((b"\n",), (b"\r\n",), (b"\n", b"\r\n", b"\n\n")))
    for number in range(chance.choice((1, 2, 3, 8, 20))):
        id_ = (
            f"{chance.choice(('', '00', 'é', 'a b', ' ', '💥'))}{number}"
            if chance.random() < 0.9
            else chance.choice(CELLS)
        )
        cells = [id_, chance.choice(CELLS), chance.choice(POINTS), chance.choice(VIPS)]
        if chance.random() < 0.03:
            cells = cells[: chance.randint(1, 3)] if chance.random() < 0.5 else [*cells, "more"]
        yield ",".join(_written(cell, chance) for cell in cells).encode() + chance.choice(ends)


def _written(cell: str, chance: random.Random) -> str:
    needs = any(mark in cell for mark in ',"\n\r')
    return '"' + cell.replace('"', '""') + '"' if needs or chance.random() < 0.2 else cell


def _damaged(body: bytes, chance: random.Random) -> bytes:
    """Insert, delete, replace, repeat, cut off."""
    for _ in range(chance.choice((1, 1, 2, 5))):
        at, to = sorted(chance.randrange(len(body) + 1) for _ in range(2))
        spice = chance.choice(SPICE)
        body = chance.choice(
            (
                body[:at] + spice + body[at:],
                body[:at] + spice + body[at + 1 :],
                body[:at] + body[at + 1 :],
                body[:to] + body[at:to][:60] + body[to:],
                body[:to],
            )
        )
    return body


@dataclass
class _Record:
    """One record as the state machine reads it."""

    fields: list[bytes] = field(default_factory=list)
    faults: set[str] = field(default_factory=set)
    raw: bytes = b""


def due_of(body: bytes) -> dict[int, Due] | None:
    """Return what must become of the text behind the header."""
    try:
        body.decode()
        records = [record for record in _records(body) if record.fields != [b""] or record.raw.strip(b"\r\n")]
    except ValueError:
        return None
    if any("stray_quote" in r.faults and (r.raw.count(b"\n") > 1 or r.raw.count(b'"') % 2) for r in records):
        return None
    return resolve_twins({row: _due_of_record(record) for row, record in enumerate(records)}) if records else None


def _records(body: bytes) -> Iterator[_Record]:
    """Yield every record, blank lines too; ValueError for a quote that is never closed."""
    body = body if body.endswith(b"\n") or not body else body + b"\n"
    at = 0
    while at < len(body):
        record, first = _Record(), at
        more = True
        while more:
            at, more = _field(body, at, record)
        record.raw = body[first:at]
        if b"\0" in record.raw:
            record.faults.add("nul_character")
        yield record


def _field(body: bytes, at: int, record: _Record) -> tuple[int, bool]:
    """Read one field and what ends it; return where the next begins, and whether the record goes on."""
    text = bytearray()
    if body[at : at + 1] == b'"':
        at = _quoted(body, at + 1, text)
        if not ENDS.match(body, at):
            record.faults.add("stray_quote")
    while True:
        byte = body[at : at + 1]
        if byte == b"\r":
            if ends := ENDS.match(body, at):
                at, byte = ends.end() - 1, b"\n"
            else:
                record.faults.add("stray_line_break")
        if byte in (b",", b"\n"):
            record.fields.append(bytes(text))
            return at + 1, byte == b","
        text += byte
        at += 1


def _quoted(body: bytes, at: int, text: bytearray) -> int:
    """Read behind an opening quote; return the place behind the closing one."""
    while True:
        end = body.index(b'"', at)  # ValueError: never closed
        text += body[at:end]
        if body[end + 1 : end + 2] != b'"':
            return end + 1
        text += b'"'
        at = end + 2


def _due_of_record(record: _Record) -> Due:
    for fault in ("nul_character", "stray_quote", "stray_line_break"):
        if fault in record.faults:
            return Invalid(frozenset({fault}))
    if len(record.fields) != len(HEADER):
        return Invalid(frozenset({"ragged_row"}))
    id_, name, points, vip = (cell.decode() for cell in record.fields)
    codes = set(id_codes(id_)) | _number_codes(points) | ({"not_a_boolean"} - {_boolean(vip)})
    if codes:
        return Invalid(frozenset(codes))
    values = {"Name": name, "Points": ("number", points), "Vip": vip.lower() == "true"}
    given = (name, points, vip)
    return Sent(id_, {key: value for (key, value), cell in zip(values.items(), given, strict=True) if cell})


def id_codes(id_: str) -> Iterator[str]:
    """Name what keeps an id from being sent."""
    if not id_:
        yield "missing_id"
    if len(id_) > 1000:
        yield "id_too_long"
    if id_ and _strip(id_) != id_:
        yield "id_whitespace"
    if any(unicodedata.category(character) == "Cc" for character in id_):
        yield "id_control_character"


def _strip(text: str) -> str:
    """Take away what Unicode calls white space, which is less than Python's `str.strip` does."""
    return text.strip("\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
                      "\u2028\u2029\u202f\u205f\u3000")  # fmt: skip


def _number_codes(text: str) -> set[str]:
    if not text:
        return set()
    if not NUMBER.fullmatch(text):
        return {"not_a_number"}
    return {"not_finite"} if float(text) in (float("inf"), float("-inf")) else set()


def _boolean(text: str) -> str:
    return "not_a_boolean" if text in ("", "true", "false", "True", "False", "TRUE", "FALSE") else ""
