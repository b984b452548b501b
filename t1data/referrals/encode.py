"""Rows of advocates to JSON: the terms that rows share become keys, and a row with a friend a body of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.referrals.cells import moment_of, moments_of, read_cells
from t1data.referrals.columns import ATTRIBUTES, TYPES, Columns
from t1data.tables.ids import read_ids
from t1data.tables.objects import LARGEST_ROW
from t1data.tables.problems import Problem
from t1data.tables.records import Slice
from t1data.tables.report import Fault, list_problems
from t1data.tables.strings import EMPTY, NONE, escape, nulls, sizes, text, wrap
from t1data.tables.tokens import Flaw, flaws_of
from t1data.tables.types import JSON, is_json, is_list
from t1data.tables.values import Reading

WIRE = {
    "usage_limit": "usageLimit",
    "start_date": "startDate",
    "expiry_date": "expiryDate",
    "pattern": "referralPattern",
    "valid_characters": "validCharacters",
}
"""Names of the terms in a request."""

ADVOCATE, FRIEND = "advocateProfileIntegrationId", "friendProfileIntegrationId"

_COMMA, _QUOTE, _END = text(","), text('"'), text('",')
_ONE_USE = text('"usageLimit":1')
_FOR_FRIEND, _BY_ADVOCATE, _CLOSE = text(f',"{FRIEND}":"'), text(f'","{ADVOCATE}":"'), text('"},')

Part = tuple[pa.StringArray, list[Fault]]


@dataclass(frozen=True)
class Encoded:
    """The rows of a slice that can be sent, and why others cannot.

    Attributes
    ----------
    rows : ndarray of int64
        The 0-based number of each row.
    ids : pyarrow.StringArray
        Their advocates.
    keys : pyarrow.StringArray
        The terms that a request says once, as a JSON object without its closing brace; null for a row with a friend.
    pieces : pyarrow.BinaryArray
        A JSON value and a comma: the advocate, or for a row with a friend the whole body.
    problems : list of Problem
        Of the rows that are not among them.
    """

    rows: npt.NDArray[np.int64]
    ids: pa.StringArray
    keys: pa.StringArray
    pieces: pa.BinaryArray
    problems: list[Problem]


@dataclass(frozen=True)
class Encoder:
    """Turns slices into what is sent.

    Parameters
    ----------
    columns : Columns
        What is read.
    fields : mapping of str to str
        The terms of all rows: name on the wire → JSON text.
    now : datetime
        What expires before it is a flaw.
    is_text : bool
        The cells are untyped, as in CSV.
    """

    columns: Columns
    fields: Mapping[str, str]
    now: datetime
    is_text: bool

    def encode(self, part: Slice) -> Encoded:
        """Return the rows of a slice, ready to send, and the problems of the others."""
        ids = read_ids(part.batch.column(self.columns.advocate))
        cells, faults = self._cells(part.batch)
        faults = [(self.columns.advocate, flaw) for flaw in ids.flaws] + faults + self._dates(cells)
        friends, more = self._friends(part.batch, ids.text, cells)
        terms = self._terms(cells, len(ids.text))
        faults += [*more, *_too_large(terms)]
        problems = sorted([*part.problems, *list_problems(part, faults, ids=ids.text)], key=lambda problem: problem.row)
        clean = _clean(len(terms), faults)
        pieces = _pieces(ids.text, friends, terms).cast(pa.binary())
        keys = pc.if_else(friends.is_null(), terms, NONE)
        kept = pa.array(clean)
        return Encoded(part.rows[clean], ids.text.filter(kept), keys.filter(kept), pieces.filter(kept), problems)

    def _cells(self, batch: pa.RecordBatch) -> tuple[dict[str, pa.StringArray], list[Fault]]:
        """Return the columns of terms and attributes as JSON text, by their names."""
        found: dict[str, pa.StringArray] = {}
        faults: list[Fault] = []
        for name, kind in self._kinds(batch.schema).items():
            reading = Reading(kind, is_json(batch.schema.field(name)), self.is_text, self.columns.tz)
            found[name], flaws = read_cells(batch.column(name), reading, name=name)
            faults += [(name, flaw) for flaw in flaws]
        return found, faults

    def _kinds(self, schema: pa.Schema) -> dict[str, str]:
        kinds = {name: TYPES[name] for name in self.columns.terms} | dict(self.columns.types or {})
        if "valid_characters" in kinds and is_list(schema.field("valid_characters").type):
            kinds["valid_characters"] = "(list string)"
        return kinds | ({ATTRIBUTES: JSON} if self.columns.json else {})

    def _dates(self, cells: Mapping[str, pa.StringArray]) -> list[Fault]:
        """Return what keeps codes from ever being used: an expiry that is past, or not after the start."""
        start = self._moments(cells, "start_date")
        expiry = self._moments(cells, "expiry_date")
        if expiry is None or not cells.keys() & {"start_date", "expiry_date"}:
            return []
        column = "expiry_date" if "expiry_date" in cells else "start_date"
        flaws = flaws_of(expired=pc.less_equal(expiry, moment_of(self.now))) if column == "expiry_date" else ()
        if start is not None:
            flaws += flaws_of(expires_before_start=pc.less_equal(expiry, start))
        return [(column, flaw) for flaw in flaws]

    def _moments(self, cells: Mapping[str, pa.StringArray], name: str) -> pa.TimestampArray | pa.TimestampScalar | None:
        if name in cells:
            return moments_of(cells[name])
        given = self.fields.get(WIRE[name])
        return None if given is None else moment_of(datetime.fromisoformat(json.loads(given)))

    def _friends(self, batch: pa.RecordBatch, ids: pa.StringArray, cells: Mapping[str, pa.StringArray]) -> Part:
        """Return the friend that a row names, null where it names none."""
        column = self.columns.friend
        if column is None:
            return nulls(len(ids)), []
        friends = read_ids(batch.column(column))
        named = friends.text.is_valid()
        flaws = [flaw for flaw in friends.flaws if flaw.code != "missing_id"]
        flaws += flaws_of(
            own_friend=pc.equal(friends.text, ids), pattern_for_friend=pc.and_(named, self._formed(cells, len(ids)))
        )
        return friends.text, [(column, flaw) for flaw in flaws]

    def _formed(self, cells: Mapping[str, pa.StringArray], rows: int) -> pa.BooleanArray:
        """Tell which rows say of which form their code is to be."""
        formed = np.full(rows, bool(self.fields.keys() & {"referralPattern", "validCharacters"}))
        for name in ("pattern", "valid_characters"):
            if name in cells:
                formed |= np.asarray(cells[name].is_valid())
        return pa.array(formed)

    def _terms(self, cells: Mapping[str, pa.StringArray], rows: int) -> pa.StringArray:
        """Return the terms of each row, a JSON object without its closing brace."""
        parts = [text(f'{{"campaignId":{self.fields["campaignId"]}')]
        for name, field in WIRE.items():
            if name in cells:
                own = wrap(cells[name], f'"{field}":', "")
                parts.append(pc.coalesce(own, _ONE_USE) if name == "usage_limit" else own)
            elif field in self.fields:
                parts.append(text(f'"{field}":{self.fields[field]}'))
            elif name == "usage_limit":
                parts.append(_ONE_USE)
        parts += self._attributes(cells)
        joined = pc.binary_join_element_wise(*parts, _COMMA, null_handling="skip")
        return pa.repeat(joined, rows) if isinstance(joined, pa.Scalar) else joined

    def _attributes(self, cells: Mapping[str, pa.StringArray]) -> list[pa.StringArray | pa.StringScalar]:
        given = self.fields.get("attributes")
        if self.columns.json:
            return [wrap(cells[ATTRIBUTES], '"attributes":', "")]
        if not self.columns.attributes:
            return [text(f'"attributes":{given}')] if given else []
        own = [wrap(cells[column], f'"{name}":', "") for column, name in self.columns.attributes.items()]
        constant = [text(given[1:-1])] if given else []
        inner = pc.binary_join_element_wise(EMPTY, *constant, *own, _COMMA, null_handling="skip")
        filled = wrap(pc.binary_replace_slice(inner, 0, 1, '"attributes":{'), "", "}")
        return [pc.if_else(pc.equal(inner, EMPTY), NONE, filled)]


def _pieces(ids: pa.StringArray, friends: pa.StringArray, terms: pa.StringArray) -> pa.StringArray:
    advocates = escape(ids)
    shared = pc.binary_join_element_wise(_QUOTE, advocates, _END, EMPTY)
    if friends.null_count == len(friends):
        return shared
    own = [terms, _FOR_FRIEND, escape(friends), _BY_ADVOCATE, advocates, _CLOSE]
    return pc.coalesce(pc.binary_join_element_wise(*own, EMPTY), shared)


def _too_large(terms: pa.StringArray) -> list[Fault]:
    at = np.flatnonzero(sizes(terms) > LARGEST_ROW)
    return [(None, Flaw("row_too_large", at))] if at.size else []


def _clean(rows: int, faults: list[Fault]) -> npt.NDArray[np.bool_]:
    clean = np.ones(rows, dtype=bool)
    for _, flaw in faults:
        clean[flaw.at] = False
    return clean
