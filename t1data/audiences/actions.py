"""A plan of actions on audiences, looked over once: rows that are ready to send, and what keeps others from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as at

from t1data.bulk.batches import EncodedRows
from t1data.bulk.intake import line_of, lines_of
from t1data.errors import InputError
from t1data.journal.records import Line
from t1data.tables.choices import choose_id
from t1data.tables.duplicates import Duplicate, resolve
from t1data.tables.ids import check_id_field, read_ids
from t1data.tables.labels import position
from t1data.tables.numbers import number_tokens
from t1data.tables.problems import Problem
from t1data.tables.records import Slice, Source, check_known
from t1data.tables.report import list_problems
from t1data.tables.source import open_source
from t1data.tables.strings import escape, indices, mask, plain, positions, text, texts
from t1data.tables.survey import Hashes, Survey, are_among, survey
from t1data.tables.tokens import Flaw

ACTION, AUDIENCE = "action", "audience_id"
_WORDS = texts(["add", "delete"])
_HEAD, _WHO, _WHERE, _TAIL, _EMPTY = map(
    text, ('{"action":"', '","profileIntegrationId":"', '","audienceId":', "},", "")
)

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Twins = dict[tuple[str, int], list[tuple[int, bytes]]]


@dataclass(frozen=True)
class Read:
    """Some rows of a plan: those that are sent, in order, and why others are not.

    Attributes
    ----------
    rows : ndarray of int64
        0-based.
    ids : pyarrow.StringArray
        Whom they are about.
    words : pyarrow.StringArray
        ``add`` or ``delete``.
    audiences : ndarray of int64
        Of which audience.
    lines : list of Line
        The other rows, each with its reason.
    stop : int
        The row number after the last row.
    """

    rows: Numbers
    ids: pa.StringArray
    words: pa.StringArray
    audiences: Numbers
    lines: list[Line]
    stop: int

    @property
    def adds(self) -> Flags:
        """Whether each action adds; else it deletes."""
        adds = np.zeros(len(self.words), dtype=bool)
        adds[positions(pc.equal(self.words, _WORDS[0]))] = True
        return adds

    def encoded(self) -> EncodedRows:
        """Return the rows as they are sent."""
        where = indices(self.audiences).cast(pa.string())
        pieces = pc.binary_join_element_wise(_HEAD, self.words, _WHO, escape(self.ids), _WHERE, where, _TAIL, _EMPTY)
        return EncodedRows(self.rows, pieces.cast(pa.binary()), self.lines, self.stop)

    def only(self, keep: Flags) -> Read:
        """Return some of the rows, with all lines."""
        kept = mask(keep)
        rows, audiences = self.rows[keep], self.audiences[keep]
        return replace(self, rows=rows, ids=self.ids.filter(kept), words=self.words.filter(kept), audiences=audiences)


@dataclass(frozen=True)
class Actions:
    """A plan that has been looked over; `read` reads it again, as often as needed.

    Attributes
    ----------
    source : Source
        Where it comes from.
    column : str
        Which column holds the ids.
    rows : int
        Rows of the plan.
    audiences : tuple of int
        Every audience that an action names.
    duplicates : mapping of int to Duplicate
        Rows that are not sent since another row is about the same customer and the same audience.
    in_turn : bool
        Some customer has actions on several audiences: of two requests about one customer, none may overtake.
    """

    source: Source
    column: str
    rows: int
    audiences: tuple[int, ...] = ()
    duplicates: Mapping[int, Duplicate] = field(default_factory=dict)
    in_turn: bool = False

    def read(self) -> Iterator[Read]:
        """Yield the whole plan in order, some thousand rows at a time."""
        for part in self.source.slices([self.column, ACTION, AUDIENCE]):
            found = _read(part, self.column)
            yield self._once(found) if self.duplicates else found

    def _once(self, found: Read) -> Read:
        twice = [self.duplicates[row] for row in found.rows.tolist() if row in self.duplicates]
        keep = np.isin(found.rows, [each.row for each in twice], invert=True)
        lines = sorted([*found.lines, *map(_line_of, twice)], key=lambda line: line.row)
        return replace(found, lines=lines).only(keep)


def read_actions(
    data: Any,
    *,
    words: Mapping[str, str | None] = MappingProxyType({}),
    allow_suspect_ids: bool = False,
    allow_empty: bool = False,
) -> Actions:
    """Open and look over a plan; nothing is sent.

    Parameters
    ----------
    data : path, DataFrame, or anything with an Arrow stream
        Columns ``integration_id, action, audience_id``; others are not read.
    words : mapping
        How a text file or workbook is read: ``encoding, delimiter, sheet``, as `open_source` takes them.
    allow_suspect_ids : bool
        Take ids that look as if a spreadsheet had damaged them.
    allow_empty : bool
        Take a plan without a row: nothing is to be done.

    Raises
    ------
    InputError
        There are no rows, a column is missing or of a type that cannot be meant, or ids look damaged.
    """
    source = open_source(data, allow_empty=allow_empty, **words)
    column = choose_id(source.schema.names)
    check_known([ACTION, AUDIENCE], source.schema.names, where=source.name)
    check_id_field(source.schema.field(column))
    _check_type(source, ACTION, at.is_string, "text")
    _check_type(source, AUDIENCE, lambda kind: at.is_integer(kind) or at.is_string(kind), "whole numbers")
    seen = look_over(source, column, allow_suspect_ids=allow_suspect_ids)
    if not (seen.rows or allow_empty):
        raise InputError(f"{source.name} has no rows")
    return _looked_over(Actions(source, column, seen.rows), seen.repeated)


def look_over(source: Source, column: str, *, allow_suspect_ids: bool) -> Survey:
    """Read all ids once; raise `InputError` when they look as if a program had damaged them."""
    seen = survey(source, column)
    blocking = [suspect.message for suspect in seen.suspects if suspect.blocks]
    if blocking and not allow_suspect_ids:
        raise InputError(f"{column}: {'; '.join(blocking)}. Say allow_suspect_ids=True to send them")
    return seen


def _check_type(source: Source, column: str, fits: Any, what: str) -> None:
    kind = source.schema.field(column).type
    kind = kind.value_type if at.is_dictionary(kind) else kind
    if not fits(pa.string() if at.is_large_string(kind) or at.is_string_view(kind) else kind):
        raise InputError(f"{column}: column {column!r} holds {kind}, and must hold {what}")


def _looked_over(actions: Actions, repeated: Hashes) -> Actions:
    audiences: set[int] = set()
    twins: Twins = defaultdict(list)
    for found in actions.read():
        audiences.update(np.unique(found.audiences).tolist())
        if len(repeated):
            _collect(found.only(are_among(found.ids, repeated)), twins)
    known = (each for rows in twins.values() if len(rows) > 1 for each in resolve(rows, "reject"))
    in_turn = len({id_ for id_, _ in twins}) < len(twins)
    return replace(
        actions,
        audiences=tuple(sorted(audiences)),
        duplicates={each.row: each for each in known},
        in_turn=in_turn,
    )


def _collect(found: Read, twins: Twins) -> None:
    columns = (found.ids.to_pylist(), found.audiences.tolist(), found.rows.tolist(), found.words.to_pylist())
    for id_, audience, row, word in zip(*columns, strict=True):
        twins[id_, audience].append((row, word.encode()))


def _read(part: Slice, column: str) -> Read:
    ids = read_ids(part.batch.column(column))
    words, where = plain(_decoded(part, ACTION)), _numbers(_decoded(part, AUDIENCE))
    bad_word, bad_number = (
        _not(pc.is_in(words, value_set=_WORDS)),
        _not(pc.match_substring_regex(where, "^[1-9]\\d{0,17}$")),
    )
    faults = [*((column, flaw) for flaw in ids.flaws), (ACTION, Flaw("not_an_action", bad_word))]
    faults.append((AUDIENCE, Flaw("not_an_audience", bad_number)))
    problems = sorted([*part.problems, *list_problems(part, faults, ids=ids.text)], key=lambda problem: problem.row)
    clean = np.ones(len(part.rows), dtype=bool)
    for _, flaw in faults:
        clean[flaw.at] = False
    kept = mask(clean)
    numbers = _whole(where.filter(kept).cast(pa.int64()))
    lines = lines_of(problems)
    return Read(part.rows[clean], ids.text.filter(kept), words.filter(kept), numbers, lines, part.next_row)


def _decoded(part: Slice, column: str) -> pa.Array:
    array = part.batch.column(column)
    return array.dictionary_decode() if at.is_dictionary(array.type) else array


def _numbers(array: pa.Array) -> pa.StringArray:
    return number_tokens(array).text if at.is_integer(array.type) else plain(array)


def _whole(array: pa.Int64Array) -> Numbers:
    """Return numbers without a null; Arrow's own way imports pandas, 0.5 s that a command need not spend."""
    return np.frombuffer(array.buffers()[1] or b"", np.int64, len(array), array.offset * 8)


def _not(fits: pa.BooleanArray) -> Numbers:
    """Return the places that are not true, nulls among them."""
    odd = np.ones(len(fits), dtype=bool)
    odd[positions(fits)] = False
    return np.flatnonzero(odd)


def _line_of(twin: Duplicate) -> Line:
    if twin.same:
        return Line(twin.row, "same_row", same_as=twin.other)
    return line_of(Problem(twin.row, "contradicting_actions", value=f"see row {position(twin.other)}"))
