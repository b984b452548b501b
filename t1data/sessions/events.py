"""From one flat input to events that are ready to send, those of one customer in order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from t1data.bulk.batches import EncodedRows
from t1data.bulk.catalogue import read_catalogue
from t1data.bulk.intake import lines_of
from t1data.bulk.named import path_of
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.sessions.order import Owners
from t1data.sessions.prepare import literals
from t1data.sessions.shapes import EVENT, RESERVED
from t1data.sessions.tables import Table, Wanted, Ways, check_types, fingerprint, look_over, open_input, read_again
from t1data.tables.choices import ID, choose_attributes, choose_id
from t1data.tables.ids import Ids, read_ids
from t1data.tables.labels import position
from t1data.tables.literals import exact
from t1data.tables.objects import LARGEST_ROW, Rendered, id_member, without_faults
from t1data.tables.problems import Problem
from t1data.tables.records import Slice, Source
from t1data.tables.report import Fault, list_problems
from t1data.tables.shapes import ATTRIBUTES
from t1data.tables.strings import EMPTY, indices, sizes, text, texts
from t1data.tables.tokens import Flaw

ENTITY = "Event"
VERSIONS = (1, 2)


@dataclass(frozen=True)
class Options:
    """How the caller wants the input read; the keywords of the public functions, in one record."""

    version: int = 2
    type: str | None = None
    type_column: str = "type"
    id: str = ID
    session: str = "session_id"
    attributes: Sequence[str] | Mapping[str, str] | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    ways: Ways = field(default_factory=Ways)
    dry: bool = False


@dataclass(frozen=True)
class _Ids:
    """The columns that name a customer and a session; None where there is none."""

    profile: str | None
    session: str | None


@dataclass(frozen=True)
class _Lines:
    """Some events, read."""

    sessions: pa.StringArray
    customers: pa.StringArray
    rendered: Rendered
    faults: list[Fault]


@dataclass(frozen=True)
class Events:
    """An input of events that has been looked over once; `parts` reads it again, as often as needed."""

    table: Table
    ids: _Ids
    options: Options
    path: str | None
    owners: Owners
    strange: Mapping[int, int]

    def parts(self) -> Iterator[tuple[EncodedRows, list[Problem]]]:
        """Yield the whole input in order: events that are ready to send, and what keeps others from being sent."""
        for part in self.table.slices():
            yield self._encoded(part)

    def _encoded(self, part: Slice) -> tuple[EncodedRows, list[Problem]]:
        lines = _read(self.table, self.ids, self.options, part)
        members = id_member("profileId", lines.customers), id_member("sessionId", lines.sessions)
        objects = lines.rendered.objects(*members, always=(ATTRIBUTES,))
        large = np.flatnonzero(sizes(objects) > LARGEST_ROW)
        faults = [*lines.faults, *([(None, Flaw("row_too_large", large))] if large.size else [])]
        strangers = [
            Problem(row, "other_customer", value=f"row {position(self.strange[row])} names that one")
            for row in part.rows.tolist()
            if row in self.strange
        ]
        found = [*part.problems, *list_problems(part, faults, ids=lines.customers), *strangers]
        problems = sorted(found, key=lambda problem: problem.row)
        keep = without_faults(len(part.rows), faults)
        keep = keep[~np.isin(part.rows[keep], list(self.strange))]
        at = indices(keep)
        pieces = pc.binary_join_element_wise(objects.take(at), _COMMA, _NOTHING).cast(pa.binary())
        rows, lanes = part.rows[keep], self._lanes(lines, at)
        return EncodedRows(rows, pieces, lines_of(problems), part.next_row, lanes=lanes), problems

    def _lanes(self, lines: _Lines, at: pa.Array) -> pa.StringArray:
        if self.ids.session is None:
            return lines.customers.take(at)
        return texts([self.owners.lane(name) for name in lines.sessions.take(at).to_pylist()])

    def input(self) -> Input:
        """Return the input for people who look at outcomes; the ids are those of the customers."""
        return read_again(self.table.source, self.ids.profile)

    def facts(self) -> dict[str, Any]:
        """Return what must be the same when a run is resumed, and how to read the input again."""
        options = self.options
        return {
            "input": fingerprint(self.table.source),
            "layout": {
                "ids": {"session": self.ids.session, "profile": self.ids.profile},
                "events": self.table.form.facts(),
                "version": options.version,
                "dry": options.dry,
            },
            "recipe": {"path": self.path, "options": asdict(options) | {"constants": literals(options.constants)}},
        }


_COMMA, _NOTHING = text(","), EMPTY


def prepare(data: Any, options: Options, client: Client | None) -> Events:
    """Open and look over an input of events; nothing is sent.

    Raises
    ------
    InputError
        The input, or what is said about it, cannot be used; the message says which column, and what to do.
    """
    if options.version not in VERSIONS or type(options.version) is not int:
        raise InputError(f"version: got {options.version!r}, valid are 1 and 2")
    source = open_input(data, options.ways)
    ids = _id_columns(source, options)
    names = tuple(name for name in (ids.session, ids.profile) if name is not None)
    columns, constants = _columns(source, options, names)
    wanted = Wanted(source, names, columns, constants)
    table = look_over(EVENT, wanted, options.ways, read_catalogue(client, ENTITY))
    check_types(options.ways.types, table)
    owners, strange = Owners(), {}
    for part in table.slices() if len(names) == 2 else ():
        lines = _read(table, ids, options, part)
        claims = zip(lines.sessions.to_pylist(), lines.customers.to_pylist(), part.rows.tolist(), strict=True)
        for session, customer, row in claims:
            if session is not None and (first := owners.claim(session, customer, row)) is not None:
                strange[row] = first
    return Events(table, ids, options, path_of(data), owners, strange)


def _id_columns(source: Source, options: Options) -> _Ids:
    names = source.schema.names
    if options.version == 2:
        if options.session in names and options.attributes is None:
            raise InputError(
                f"session: events of version 2 belong to no session, and column {options.session!r} would be sent as an"
                " attribute. Say version=1, or name the columns to send: attributes=[…]"
            )
        return _Ids(choose_id(names, options.id), None)
    if options.session not in names:
        raise InputError(
            f"session: there is no column {options.session!r}, and every event of version 1 belongs to a session; name"
            ' the column: session="…"'
        )
    try:
        return _Ids(choose_id(names, options.id), options.session)
    except InputError:
        if options.id != ID:
            raise
        return _Ids(None, options.session)  # events of nobody


def _columns(source: Source, options: Options, ids: tuple[str, ...]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return column → target, and target → value for all events."""
    names = source.schema.names
    if options.type is None and options.type_column not in names:
        raise InputError(
            f'type: there is no column {options.type_column!r}; name the column, type_column="…", or the type of all'
            ' events, type="…"'
        )
    if options.type is not None and not (isinstance(options.type, str) and options.type):
        raise InputError(f"type: got {options.type!r}, valid is a name")
    if options.type is not None and options.type.startswith(RESERVED):
        raise InputError(f"type: got {options.type!r}; names that begin with talon_ are those of built-in events")
    if options.type is not None and options.type_column in names and options.attributes is None:
        raise InputError(
            f"type: all events would be of type {options.type!r}, and column {options.type_column!r} says it of each;"
            " leave one of them out, or name the columns to send by attributes="
        )
    apart = (*ids, options.type_column) if options.type is None else ids
    left = names if options.attributes is not None else [name for name in names if name not in apart]
    mapping = choose_attributes(left, "", options.attributes)
    columns = {name: f"{ATTRIBUTES}.{attribute}" for name, attribute in mapping.items()}
    constants = {f"{ATTRIBUTES}.{name}": value for name, value in options.constants.items()}
    if options.type is None:
        return {options.type_column: "type", **columns}, constants
    return columns, {"type": options.type, **constants}


def _read(table: Table, ids: _Ids, options: Options, part: Slice) -> _Lines:
    """Read some events. Only those of version 1 can be nobody's."""
    nobody = Ids(pa.nulls(len(part.rows), pa.string()))
    sessions = nobody if ids.session is None else read_ids(part.batch.column(ids.session))
    customers = nobody if ids.profile is None else read_ids(part.batch.column(ids.profile))
    rendered = table.form.read(part.batch)
    allowed = () if options.version == 2 else ("missing_id",)
    faults: list[Fault] = [(ids.session, flaw) for flaw in sessions.flaws]
    faults += [(ids.profile, flaw) for flaw in customers.flaws if flaw.code not in allowed]
    return _Lines(sessions.text, customers.text, rendered, faults + rendered.faults)


def options_of(facts: Mapping[str, Any]) -> Options:
    """Return the options that a run began with, from what `Events.facts` left in its journal."""
    given = facts["recipe"]["options"]
    constants = json.loads(given["constants"], parse_float=exact)
    return Options(**given | {"constants": constants, "ways": Ways(**given["ways"])})
