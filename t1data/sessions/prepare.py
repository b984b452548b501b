"""From two flat inputs, sessions and items, to session updates that are ready to send, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from t1data.body import encode_body
from t1data.bulk.batches import EncodedRows
from t1data.bulk.catalogue import read_catalogue
from t1data.bulk.intake import line_of
from t1data.bulk.named import path_of
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.journal.records import Line
from t1data.sessions.carts import SAME_ITEMS, Carts, SameItems, read_carts
from t1data.sessions.order import Histories, Said, Verdict
from t1data.sessions.shapes import ITEM, SESSION
from t1data.sessions.tables import (
    Catalogue,
    Table,
    Wanted,
    Ways,
    check_types,
    fingerprint,
    look_over,
    open_input,
    read_again,
)
from t1data.tables.choices import ID, choose_id, listing, require_known
from t1data.tables.ids import Ids, not_addressable, read_ids
from t1data.tables.labels import Labels
from t1data.tables.objects import LARGEST_ROW, Rendered, id_member, without_faults
from t1data.tables.problems import Problem
from t1data.tables.records import Slice, Source
from t1data.tables.report import Fault, list_problems
from t1data.tables.shapes import Columns
from t1data.tables.strings import EMPTY, NONE, has_true, indices, mask, sizes, text, texts
from t1data.tables.tokens import Flaw

STATE = "open"  # of a line that names none, as the API has it


@dataclass(frozen=True)
class Options:
    """How the caller wants the inputs read; the keywords of the public functions, in one record."""

    id: str = "session_id"
    profile: str | None = ID
    columns: Columns = None
    item_columns: Columns = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    item_constants: Mapping[str, Any] = field(default_factory=dict)
    same_items: SameItems = "reject"
    ways: Ways = field(default_factory=Ways)
    dry: bool = False
    now: str | None = None
    item_sheet: str | None = None


@dataclass(frozen=True)
class Lines:
    """Some lines of the sessions, read but not yet judged."""

    part: Slice
    sessions: pa.StringArray
    customers: pa.StringArray
    rendered: Rendered
    faults: list[Fault]

    @property
    def states(self) -> list[str]:
        """The state that each line asks for."""
        given = self.rendered.field("state")
        constant = self.rendered.fields.members.constants.get("state")
        if given is None:
            return [json.loads(constant) if constant else STATE] * len(self.part.rows)
        return [state or STATE for state in given.to_pylist()]

    def objects(self, *more: pa.StringArray) -> pa.StringArray:
        """Return the session of each line as JSON."""
        return self.rendered.objects(id_member("profileId", self.customers), *more)


@dataclass(frozen=True)
class Prepared:
    """Sessions and carts that have been looked over once; `parts` reads the sessions again, as often as needed."""

    sessions: Table
    items: Table | None
    carts: Carts
    options: Options
    paths: tuple[str | None, str | None]
    histories: Histories
    verdicts: Mapping[int, Verdict]
    item_problems: Sequence[Problem]

    def parts(self) -> Iterator[tuple[EncodedRows, list[Problem]]]:
        """Yield all sessions in order: updates that are ready to send, and what keeps others from being sent."""
        for part in self.sessions.blocks():
            yield self._encoded(part)

    def _encoded(self, part: Slice) -> tuple[EncodedRows, list[Problem]]:
        lines = read_lines(self.sessions, self.options, part)
        objects = lines.objects(self._cart_members(lines))
        large = np.flatnonzero(sizes(objects) > LARGEST_ROW)
        faults = [*lines.faults, *([(None, Flaw("row_too_large", large))] if large.size else [])]
        judged = {row: verdict for row in part.rows.tolist() if (verdict := self.verdicts.get(row)) is not None}
        found = [*part.problems, *list_problems(part, faults, ids=lines.customers), *_told(judged)]
        problems = sorted(found, key=lambda problem: problem.row)
        keep = without_faults(len(part.rows), faults)
        keep = keep[~np.isin(part.rows[keep], list(judged))]
        at = indices(keep)
        keys = lines.sessions.take(at)
        lanes = texts([self.histories.owners.lane(name) for name in keys.to_pylist()])
        pieces = pc.binary_join_element_wise(objects.take(at), _COMMA, _NOTHING).cast(pa.binary())
        return EncodedRows(part.rows[keep], pieces, _lines(problems, judged), part.next_row, keys, lanes), problems

    def _cart_members(self, lines: Lines) -> pa.StringArray:
        """Return the cart of each line. A cancelled session takes no cart any more."""
        carts = self.carts.members(lines.sessions)
        cancels = mask(np.array([state == "cancelled" for state in lines.states], dtype=bool))
        return pc.if_else(cancels, NONE, carts) if has_true(cancels) else carts

    def input(self) -> Input:
        """Return the sessions for people who look at outcomes; the ids are those of the customers."""
        second = None if self.items is None else self.items.source.index
        return replace(read_again(self.sessions.source, self.options.profile), second=second)

    def facts(self) -> dict[str, Any]:
        """Return what must be the same when a run is resumed, and how to read the inputs again."""
        options = self.options
        return {
            "input": fingerprint(self.sessions.source, self.items.source if self.items is not None else None),
            "layout": {
                "ids": {"session": options.id, "profile": options.profile},
                "sessions": self.sessions.form.facts(),
                "items": self.items.form.facts() if self.items is not None else None,
                "same_items": options.same_items,
                "dry": options.dry,
                "now": options.now,
            },
            "recipe": {
                "path": self.paths[0],
                "items_path": self.paths[1],
                "options": asdict(options) | {name: literals(getattr(options, name)) for name in _CONSTANTS},
            },
        }


_COMMA, _NOTHING = text(","), EMPTY
_CONSTANTS = ("constants", "item_constants")


def literals(constants: Mapping[str, Any]) -> str:
    """Return constants as JSON text: exact, and what a caller gives may be no JSON value."""
    return bytes(encode_body(constants)).decode()


def read_lines(table: Table, options: Options, part: Slice) -> Lines:
    """Read some lines of the sessions."""
    ids = read_ids(part.batch.column(options.id))
    customers = Ids(pa.nulls(len(part.rows), pa.string()))
    if options.profile is not None:
        found = read_ids(part.batch.column(options.profile))
        customers = replace(found, flaws=tuple(flaw for flaw in found.flaws if flaw.code != "missing_id"))
    rendered = table.form.read(part.batch)
    own = [(options.id, flaw) for flaw in (*ids.flaws, *not_addressable(ids.text))]
    faults = [*own, *((options.profile, flaw) for flaw in customers.flaws), *rendered.faults]
    return Lines(part, ids.text, customers.text, rendered, faults)


def prepare(sessions: Any, items: Any, options: Options, client: Client | None) -> Prepared:
    """Open and look over both inputs; nothing is sent.

    Raises
    ------
    InputError
        An input, or what is said about it, cannot be used; the message says which row or column, and what to do.
    """
    require_known("same_items", [options.same_items], valid=SAME_ITEMS)
    source = open_input(sessions, options.ways)
    options = replace(options, profile=_profile(source, options))
    table = _sessions(source, options, read_catalogue(client, SESSION_ENTITY))
    held = open_items(items, options)
    cart_table = None if held is None else _items(held, options, read_catalogue(client, ITEM_ENTITY))
    check_types(options.ways.types, *(each for each in (table, cart_table) if each is not None))
    carts = Carts() if cart_table is None else read_carts(cart_table, same_items=options.same_items)
    histories = Histories(dry=options.dry)
    verdicts = _judge(table, carts, options, histories)
    strangers = carts.strangers(histories.__contains__, options.id)
    problems = sorted([*carts.problems, *strangers], key=lambda problem: problem.row)
    paths = path_of(sessions), path_of(items)
    return Prepared(table, cart_table, carts, options, paths, histories, verdicts, problems)


SESSION_ENTITY, ITEM_ENTITY = "CustomerSession", "CartItem"


def check_homes(prepared: Prepared) -> None:
    """Raise `InputError` for items that belong to no session of the input: no outcome would ever tell of them."""
    found = homeless(prepared)
    if found:
        index = None if prepared.items is None else prepared.items.source.index
        labels = Labels(index, index)
        rows = labels.listed([problem.row for problem in found[:5]], more=len(found) > 5)
        raise InputError(
            f"items: {len(found):,} without a session among the sessions (rows {rows}); the first:"
            f" {found[0].told(labels).message} Add the sessions, or leave these items out"
        )


def homeless(prepared: Prepared) -> list[Problem]:
    """Return a problem for each item that belongs to no session of the input."""
    first = {p.row: p for p in reversed(prepared.item_problems) if p.integration_id not in prepared.histories}
    return [first[row] for row in sorted(first)]


def _profile(source: Source, options: Options) -> str | None:
    if not options.profile:
        return None
    try:
        return choose_id(source.schema.names, options.profile)
    except InputError:
        raise InputError(
            f"profile: there is no column {options.profile!r}, the columns are {listing(source.schema.names)}; name the"
            ' one of the customers\' ids, or say profile="" for sessions of nobody'
        ) from None


def _sessions(source: Source, options: Options, catalogue: Catalogue) -> Table:
    ids = (options.id,) if options.profile is None else (options.id, options.profile)
    return look_over(SESSION, Wanted(source, ids, options.columns, options.constants), options.ways, catalogue)


def open_items(data: Any, options: Options) -> Source | None:
    """Open the items, if there are any."""
    try:
        return None if data is None else open_input(data, replace(options.ways, sheet=options.item_sheet))
    except InputError as error:
        raise InputError(f"items: {error}") from error


def _items(source: Source, options: Options, catalogue: Catalogue) -> Table:
    wanted = Wanted(source, (options.id,), options.item_columns, options.item_constants)
    return look_over(ITEM, wanted, options.ways, catalogue)


def _judge(table: Table, carts: Carts, options: Options, histories: Histories) -> dict[int, Verdict]:
    verdicts = {}
    for part in table.slices():
        lines = read_lines(table, options, part)
        bad = np.ones(len(part.rows), dtype=bool)
        bad[without_faults(len(part.rows), lines.faults)] = False
        whole = zip(
            part.rows.tolist(),
            lines.sessions.to_pylist(),
            lines.customers.to_pylist(),
            lines.states,
            lines.objects().to_pylist(),
            bad.tolist(),
            strict=True,
        )
        for row, session, customer, state, object_, is_bad in whole:
            if session is not None:
                digest = blake2b((object_ or "").encode(), digest_size=16).digest()
                said = Said(row, customer, state, digest, is_bad, carts.bad.get(session))
                if (verdict := histories.judge(session, said)) is not None:
                    verdicts[row] = verdict
    return verdicts


def _told(judged: Mapping[int, Verdict]) -> list[Problem]:
    return [
        Problem(row, verdict.code, value=verdict.value) for row, verdict in judged.items() if verdict.same_as is None
    ]


def _lines(problems: Sequence[Problem], judged: Mapping[int, Verdict]) -> list[Line]:
    first = {problem.row: line_of(problem) for problem in reversed(problems)}
    same = {
        row: Line(row, "same_row", same_as=verdict.same_as)
        for row, verdict in judged.items()
        if verdict.same_as is not None
    }
    return sorted([*first.values(), *same.values()], key=lambda line: line.row)
