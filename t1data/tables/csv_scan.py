"""The exact CSV scanner: slow, and the authority wherever the fast parser could be mistaken.

A field is quoted when its first character is a quote; inside, two quotes stand for one. A quote further in is an
ordinary character. A record ends at a line break outside quotes: LF with any carriage returns before it, or, in files
whose header ends so, a lone CR. Nothing is repaired: a record that breaks these rules gets a reason instead of fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from t1data.errors import InputError

_QUOTED = rb'"[^"]*+(?:""[^"]*+)*+"'
_QUOTED_FIELD = re.compile(_QUOTED)
_WIDEST = 256
"""Fields of a record that is matched in one go: a pattern for 9000 columns takes two seconds to compile."""


@dataclass(frozen=True)
class Dialect:
    """How a text file separates fields and records.

    Parameters
    ----------
    delimiter : bytes
        One byte.
    lone_cr : bool
        Records end at a lone carriage return, as on old Macintosh systems, instead of LF.
    where : str
        The file, for messages.
    """

    delimiter: bytes
    lone_cr: bool = False
    where: str = ""

    @property
    def line_break(self) -> bytes:
        """The byte that ends each physical line."""
        return b"\r" if self.lone_cr else b"\n"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: where it lies, and its fields or what is wrong with it.

    Parameters
    ----------
    end : int
        Offset behind its line break.
    line : int
        1-based physical line on which it begins.
    fields : list of bytes
        Without quotes. Empty for a blank line; of no use when `code` is set.
    code : str, optional
        A key of `t1data.tables.problems.REASONS`.
    blank : bool
        An empty physical line, which is no row.
    """

    end: int
    line: int
    fields: list[bytes]
    code: str | None = None
    blank: bool = False


@dataclass(frozen=True)
class Scanner:
    """Reads the records of one dialect, one by one.

    Parameters
    ----------
    dialect : Dialect
    width : int
        Number of fields that most records have: those are matched in one go.
    """

    dialect: Dialect
    width: int = 1

    def records(self, text: bytes, *, line: int, final: bool) -> Iterator[Record]:
        """Yield the records of `text` that are complete, which is: end in a line break.

        Parameters
        ----------
        text : bytes
            Begins where a record begins.
        line : int
            1-based physical line of that beginning.
        final : bool
            Nothing follows: a quote still open at the end is never closed.

        Raises
        ------
        InputError
            When quotes leave it unclear where a record ends, naming the line.
        """
        at = 0
        while at < len(text):
            record = self._blank_line(text, at, line) or self._good(text, at, line) or self._walk(text, at, line, final)
            if record is None:
                return
            yield record
            line += text.count(self.dialect.line_break, at, record.end)
            at = record.end

    def _blank_line(self, text: bytes, at: int, line: int) -> Record | None:
        found = self._line_break.match(text, at)
        return found and Record(found.end(), line, [], blank=True)

    def _good(self, text: bytes, at: int, line: int) -> Record | None:
        found = self._whole.match(text, at) if self.width <= _WIDEST else None
        if found is None:
            return None
        fields = [_unquoted(raw) for raw in found.groups()]
        return Record(found.end(), line, fields, "nul_character" if b"\0" in found.group() else None)

    def _walk(self, text: bytes, at: int, line: int, final: bool) -> Record | None:
        """Go field by field through a record of another width, a faulty or an incomplete one."""
        fields, codes, start = [], set[str](), at
        while True:
            quoted = _QUOTED_FIELD.match(text, start)
            if quoted is None and text.startswith(b'"', start):
                return self._open_quote(text, at, start, line) if final else None
            stop = quoted.end() if quoted else start
            rest = self._rest.match(text, stop)
            assert rest is not None  # it matches the empty text as well
            codes |= self._faults(rest.group(), bool(quoted))
            fields.append(_unquoted(text[start : rest.end()]))
            start = rest.end() + 1
            if rest.end() == len(text):
                return None
            if end := self._line_break.match(text, rest.end()):
                return self._judged(text[at : end.end()], Record(end.end(), line, fields), codes)

    def _faults(self, rest: bytes, quoted: bool) -> set[str]:
        """Name what is wrong with the part of a field that stands outside quotes."""
        strays = {"stray_quote"} if quoted and rest else set()
        return strays | ({"stray_line_break"} if b"\r" in rest or b"\n" in rest else set())

    def _judged(self, text: bytes, record: Record, codes: set[str]) -> Record:
        """Refuse the file where a fault reaches beyond its own line, else mark the record."""
        where = f"{self.dialect.where}, line {record.line}"
        lines = text.count(self.dialect.line_break)
        if "stray_quote" in codes and (lines > 1 or text.count(b'"') % 2):
            raise InputError(
                f'{where}: a quote opens here and is not closed properly. Write a quote inside a quoted cell twice: "".'
            )
        if "stray_line_break" in codes and self.dialect.lone_cr:
            raise InputError(
                f"{where}: the line ends with LF, others with CR. Save the file with one kind of line break."
            )
        if b"\0" in text:
            codes = {"nul_character"}
        return replace(record, code=min(codes, default=None, key=_WORST.index))

    def _open_quote(self, text: bytes, at: int, start: int, line: int) -> Record:
        opened = line + text.count(self.dialect.line_break, at, start)
        raise InputError(
            f"{self.dialect.where}, line {opened}: the quote that opens here is never closed. Close it, or take it out."
        )

    @cached_property
    def _line_break(self) -> re.Pattern[bytes]:
        return re.compile(rb"\r" if self.dialect.lone_cr else rb"\r*+\n")

    @cached_property
    def _whole(self) -> re.Pattern[bytes]:
        delimiter = re.escape(self.dialect.delimiter)
        plain = rb'[^"\r\n' + delimiter + rb"][^\r\n" + delimiter + rb"]*+"
        field = rb"(" + _QUOTED + rb"|" + plain + rb"|)"
        return re.compile(delimiter.join([field] * self.width) + self._line_break.pattern)

    @cached_property
    def _rest(self) -> re.Pattern[bytes]:
        """What follows up to a delimiter or line break, taking in breaks of the wrong kind."""
        plain = rb"[^\r\n" + re.escape(self.dialect.delimiter) + rb"]*+"
        stray = rb"\n" if self.dialect.lone_cr else rb"\r++(?!\n)"
        return re.compile(plain + rb"(?:" + stray + plain + rb")*+")


_WORST = ("nul_character", "stray_quote", "stray_line_break")


def _unquoted(raw: bytes) -> bytes:
    return raw[1:-1].replace(b'""', b'"') if raw.startswith(b'"') else raw
