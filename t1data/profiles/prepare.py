"""From anything with rows to rows that are ready to send: read, surveyed, laid out, duplicates resolved."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.bulk.batches import EncodedRows
from t1data.bulk.catalogue import read_catalogue
from t1data.bulk.intake import input_of, line_of, lines_of
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.journal.records import UNCHANGED, Line
from t1data.tables.choices import ID, choose_attributes, choose_id
from t1data.tables.duplicates import Duplicate, Policy, check_policy, find_duplicates
from t1data.tables.encode import Encoder
from t1data.tables.ids import check_id_field
from t1data.tables.layout import Layout, Missing, resolve_layout
from t1data.tables.literals import exact
from t1data.tables.portions import small_first
from t1data.tables.problems import Problem
from t1data.tables.records import Source
from t1data.tables.source import open_source
from t1data.tables.strings import indices
from t1data.tables.survey import Survey, survey

Numbers = npt.NDArray[np.int64]

ENTITY = "CustomerProfile"
_HELD = "the account holds these values already; nothing was sent"


@dataclass(frozen=True)
class Options:
    """How the caller wants the input read; the keywords of the public functions, in one record."""

    id: str = ID
    attributes: Sequence[str] | Mapping[str, str] | None = None
    types: Mapping[str, str] | None = None
    defaults: Mapping[str, Any] | None = None
    constants: Mapping[str, Any] | None = None
    missing: Missing | Mapping[str, Missing] = "omit"
    duplicates: Policy = "reject"
    tz: str | None = None
    decimal: str = "."
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    truncate_times: bool = False
    allow_suspect_ids: bool = False
    ids_from_floats: bool = False
    run_rule_engine: bool = False
    dry: bool = False
    only_changed: bool = False


@dataclass(frozen=True)
class Part:
    """Some rows, ready to send, and what keeps others among them from being sent."""

    rows: EncodedRows
    problems: list[Problem]
    cleared: Mapping[str, int]


@dataclass(frozen=True)
class Prepared:
    """An input that has been looked over once; `parts` reads it again, as often as needed."""

    source: Source
    layout: Layout
    survey: Survey
    duplicates: Mapping[int, Duplicate]
    options: Options
    path: str | None = None
    catalogue_checked: bool = False
    unchanged: npt.NDArray[np.bool_] | None = None
    _encoder: Encoder = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        encoder = Encoder(self.layout, id_in_path=self.options.run_rule_engine)
        object.__setattr__(self, "_encoder", encoder)

    def parts(self) -> Iterator[Part]:
        """Yield the whole input in order, some thousand rows at a time."""
        for slice_ in small_first(self.source.slices(self.layout.source_columns)):
            encoded = self._encoder.encode(slice_)
            problems = sorted([*slice_.problems, *encoded.problems], key=lambda problem: problem.row)
            lines = lines_of(problems)
            ids = encoded.ids if self.options.run_rule_engine else None
            rows = EncodedRows(encoded.rows, encoded.pieces, lines, slice_.next_row, keys=ids, lanes=ids)
            if self.duplicates:
                rows, more = self._without_duplicates(rows, encoded.ids)
                problems = sorted([*problems, *more], key=lambda problem: problem.row)
            if self.unchanged is not None:
                rows = _without_unchanged(rows, self.unchanged)
            yield Part(rows, problems, encoded.cleared)

    def input(self) -> Input:
        """Return the input for people who look at outcomes."""
        return input_of(self.source, self.layout.id_column)

    def facts(self) -> dict[str, Any]:
        """Return what must be the same when a run is resumed, and how to read the input again."""
        return {
            "input": self.source.fingerprint(),
            "layout": asdict(self.layout) | {"duplicates": self.options.duplicates} | self._way(),
            "recipe": {"path": self.path, "options": asdict(self.options) | self._literals()},
        }

    def _way(self) -> dict[str, bool]:
        """Return how the rows go out, where that is not many in a request."""
        options = self.options
        way = {"run_rule_engine": True, "dry": options.dry} if options.run_rule_engine else {}
        return way | ({"only_changed": True} if options.only_changed else {})

    def _literals(self) -> dict[str, dict[str, str]]:
        """Return constants and defaults as JSON texts: exact, and what `Options` holds may be no JSON value."""
        defaults = {column.name: column.default for column in self.layout.columns if column.default is not None}
        return {"constants": dict(self.layout.constants), "defaults": defaults}

    def _without_duplicates(self, part: EncodedRows, ids: pa.StringArray) -> tuple[EncodedRows, list[Problem]]:
        at = [place for place, row in enumerate(part.rows.tolist()) if row in self.duplicates]
        if not at:
            return part, []
        found = [self.duplicates[int(part.rows[place])] for place in at]
        names = ids.take(indices(np.array(at))).to_pylist()
        problems = [
            Problem(duplicate.row, "duplicate_id", value=duplicate.message, integration_id=name)
            for duplicate, name in zip(found, names, strict=True)
            if not duplicate.same
        ]
        same = [Line(duplicate.row, "same_row", same_as=duplicate.other) for duplicate in found if duplicate.same]
        keep = np.ones(len(part.rows), dtype=bool)
        keep[at] = False
        lines = sorted([*part.lines, *map(line_of, problems), *same], key=lambda line: line.row)
        return replace(part.part(keep), lines=lines), problems


def _without_unchanged(part: EncodedRows, unchanged: npt.NDArray[np.bool_]) -> EncodedRows:
    """Note the rows that the account holds already, and those that such a row stands for."""
    keep = ~unchanged[part.rows]
    held = [Line(row, UNCHANGED, message=_HELD) for row in part.rows[~keep].tolist()]
    lines = [
        Line(line.row, UNCHANGED, message=_HELD) if line.same_as is not None and unchanged[line.same_as] else line
        for line in part.lines
    ]
    return replace(part.part(keep), lines=sorted([*lines, *held], key=lambda line: line.row))


def prepare(data: Any, options: Options, *, catalogue: Mapping[str, str] | None = None) -> Prepared:
    """Open and look over an input; nothing is sent.

    Raises
    ------
    InputError
        The input, or what is said about it, cannot be used; the message says which row or column, and what to do.
    """
    check_policy(options.duplicates)
    if options.dry and not options.run_rule_engine:
        raise InputError("dry: only the rule engine can be tried without effect; say run_rule_engine=True too")
    if options.only_changed and options.run_rule_engine:
        raise InputError("only_changed: the rule engine is to run for every row, changed or not; say one of the two")
    source = open_source(data, encoding=options.encoding, delimiter=options.delimiter, sheet=options.sheet)
    id_column = choose_id(source.schema.names, options.id)
    check_id_field(source.schema.field(id_column), ids_from_floats=options.ids_from_floats)
    _layout(source, options, catalogue, {})  # a wrong word about the columns is told before a long read
    untyped = _untyped(source, id_column, options, catalogue)
    found = survey(source, id_column, infer=untyped, decimal=options.decimal)
    if not found.rows:
        raise InputError(f"{source.name} has no rows")
    blocking = [suspect.message for suspect in found.suspects if suspect.blocks]
    if blocking and not options.allow_suspect_ids:
        said = "; ".join(blocking)
        raise InputError(
            f"id: {said}. Take the ids from their source again, or say allow_suspect_ids=True to send them"
        )
    layout = _layout(source, options, catalogue, found.types)
    duplicates = find_duplicates(source, layout, repeated=found.repeated, policy=options.duplicates)
    path = os.path.abspath(data) if isinstance(data, str | os.PathLike) else None
    return Prepared(source, layout, found, duplicates, options, path, catalogue is not None)


def options_of(facts: Mapping[str, Any]) -> Options:
    """Return the options that a run began with, from what `Prepared.facts` left in its journal."""
    given = facts["recipe"]["options"]
    parsed = {
        name: {key: json.loads(text, parse_float=exact) for key, text in (given[name] or {}).items()}
        for name in ("constants", "defaults")
    }
    return Options(**given | parsed)


def catalogue_of(client: Client | None) -> dict[str, str] | None:
    """Return attribute → type as the account declares them for customers, or None without a management key."""
    return read_catalogue(client, ENTITY)


def _layout(
    source: Source, options: Options, catalogue: Mapping[str, str] | None, inferred: Mapping[str, str]
) -> Layout:
    return resolve_layout(
        source.schema,
        is_text=source.is_text,
        id=options.id,
        attributes=options.attributes,
        types=options.types,
        defaults=options.defaults,
        constants=options.constants,
        missing=options.missing,
        tz=options.tz,
        decimal=options.decimal,
        truncate_times=options.truncate_times,
        catalogue=catalogue,
        inferred=inferred,
        allow_suspect_ids=options.allow_suspect_ids,
        ids_from_floats=options.ids_from_floats,
    )


def _untyped(source: Source, id_column: str, options: Options, catalogue: Mapping[str, str] | None) -> list[str]:
    """Return the text columns whose type nobody declares."""
    if not source.is_text or catalogue is not None:
        return []
    mapping = choose_attributes(source.schema.names, id_column, options.attributes)
    return [name for name in mapping if name not in (options.types or {}) and name != id_column]
