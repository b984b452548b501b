"""From anything with a column of advocates to rows that are ready to send."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from t1data.bulk.batches import EncodedRows
from t1data.bulk.intake import input_of, lines_of
from t1data.bulk.named import with_column
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.journal.records import Line
from t1data.referrals.columns import FRIEND, Columns, choose_columns
from t1data.referrals.encode import Encoded, Encoder
from t1data.referrals.terms import Terms, check_room
from t1data.tables.duplicates import Duplicate, resolve
from t1data.tables.problems import Problem
from t1data.tables.records import Source
from t1data.tables.source import open_source
from t1data.tables.survey import Survey, are_among, survey

ENTITY = "Referral"

Duplicates = Literal["each", "first", "last", "reject"]
Catalogue = Callable[[], "dict[str, str] | None"]


@dataclass(frozen=True)
class Options:
    """How the caller wants the input read; keywords of the public functions, in one record."""

    advocate: str = "integration_id"
    friend: str = FRIEND
    duplicates: Duplicates = "each"
    types: Mapping[str, str] | None = None
    tz: str | None = None
    allow_suspect_ids: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Advocates:
    """An input of advocates that has been looked over once; `parts` reads it again, as often as needed.

    Attributes
    ----------
    source : Source
        Where they come from.
    columns : Columns
        What is read of it.
    fields : mapping of str to str
        The terms of all rows: name on the wire → JSON text.
    survey : Survey
        What is known of the advocates.
    options : Options
        As the caller wants it.
    now : datetime
        When the run began: what had expired then cannot be meant.
    unsent : mapping of int to Duplicate
        Rows that are not sent because their advocate stands in another one.
    catalogue_checked : bool
        Whether attributes were held against those of the account.
    """

    source: Source
    columns: Columns
    fields: Mapping[str, str]
    survey: Survey
    options: Options
    now: datetime
    unsent: Mapping[int, Duplicate] = field(default_factory=dict)
    catalogue_checked: bool = False

    def parts(self) -> Iterator[tuple[EncodedRows, list[Problem]]]:
        """Yield the whole input in order: rows that are ready to send, and what keeps others from being sent."""
        for encoded, stop in self._encoded():
            kept, problems, same = self._without_repeats(encoded)
            lines = sorted([*lines_of(problems), *same], key=lambda line: line.row)
            yield EncodedRows(kept.rows, kept.pieces, lines, stop, kept.keys), problems

    def _encoded(self) -> Iterator[tuple[Encoded, int]]:
        encoder = Encoder(self.columns, self.fields, self.now, self.source.is_text)
        for part in self.source.slices(self.columns.read):
            yield encoder.encode(part), part.next_row

    def _without_repeats(self, part: Encoded) -> tuple[Encoded, list[Problem], list[Line]]:
        at = [place for place, row in enumerate(part.rows.tolist()) if row in self.unsent] if self.unsent else []
        if not at:
            return part, part.problems, []
        found = [self.unsent[int(part.rows[place])] for place in at]
        names = part.ids.take(pa.array(at)).to_pylist()
        problems = [
            Problem(one.row, "duplicate_id", value=one.message, integration_id=name)
            for one, name in zip(found, names, strict=True)
            if not one.same
        ]
        same = [Line(one.row, "same_row", same_as=one.other) for one in found if one.same]
        keep = np.ones(len(part.rows), dtype=bool)
        keep[at] = False
        kept = _filtered(part, keep)
        return kept, sorted([*part.problems, *problems], key=lambda problem: problem.row), same

    def repeated(self) -> tuple[int, int]:
        """Return how many advocates stand in more than one row that can be sent, and in how many rows they stand."""
        if not len(self.survey.repeated):
            return 0, 0
        rows: Counter[str] = Counter()
        for part, _ in self._encoded():
            rows.update(part.ids.filter(pa.array(are_among(part.ids, self.survey.repeated))).to_pylist())
        twice = [count for count in rows.values() if count > 1]
        return len(twice), sum(twice)

    def resolved(self) -> Advocates:
        """Return the input with the rows named that the policy for repeated advocates leaves out."""
        if self.options.duplicates == "each" or not len(self.survey.repeated):
            return self
        twins: defaultdict[str, list[tuple[int, bytes]]] = defaultdict(list)
        for part, _ in self._encoded():
            for place in np.flatnonzero(are_among(part.ids, self.survey.repeated)).tolist():
                said = json.dumps([part.keys[place].as_py(), part.pieces[place].as_py().decode()]).encode()
                twins[part.ids[place].as_py()].append((int(part.rows[place]), blake2b(said, digest_size=16).digest()))
        policy = self.options.duplicates
        found = (one for rows in twins.values() if len(rows) > 1 for one in resolve(rows, policy))
        return replace(self, unsent={one.row: one for one in found})

    def check_room(self) -> None:
        """Raise `InputError` when the codes to be made under one pattern are too many for it."""
        if "referralPattern" not in self.fields and "pattern" not in self.columns.terms:
            return
        codes: Counter[str] = Counter()
        for rows, _ in self.parts():
            assert rows.keys is not None
            for counted in rows.keys.drop_null().value_counts().to_pylist():
                codes[_form(counted["values"])] += counted["counts"]
        for form, count in codes.items():
            check_room(json.loads(form), count)

    def facts(self) -> dict[str, Any]:
        """Return what a resume must find unchanged."""
        layout = {"terms": dict(self.fields), "duplicates": self.options.duplicates, **self.columns.facts()}
        return {"input": self.source.fingerprint(), "layout": layout}

    def input(self) -> Input:
        """Return the input for people who look at outcomes."""
        return input_of(self.source, self.columns.advocate)


def prepare(
    data: Any,
    terms: Terms,
    options: Options,
    *,
    now: datetime,
    fields: Mapping[str, str] | None = None,
    catalogue: Catalogue | None = None,
) -> Advocates:
    """Open and look over an input of advocates; nothing is sent.

    Parameters
    ----------
    data : path, DataFrame, Series, list of str, or anything with an Arrow stream
        One row a code.
    terms : Terms
        Of all rows.
    options : Options
        How it is read.
    now : datetime
        What expires before it is a problem.
    fields : mapping, optional
        The terms as a run began with them, in place of those of `terms`.
    catalogue : callable, optional
        Asked for attribute → type as the account declares them for referrals, if there are attributes at all.

    Raises
    ------
    InputError
        There are no rows, no such column, a term is said twice, or the ids look damaged.
    """
    if options.duplicates not in get_args(Duplicates):
        valid = ", ".join(map(repr, get_args(Duplicates)))
        raise InputError(f"duplicates: got {options.duplicates!r}, valid are {valid}")
    rows = with_column(data, options.advocate)
    source = open_source(rows, encoding=options.encoding, delimiter=options.delimiter, sheet=options.sheet)
    columns = _columns(source, terms, options)  # a wrong word about the columns is told before a long read
    asks = catalogue is not None and (columns.attributes or terms.attributes)
    declared = catalogue() if catalogue is not None and asks else None
    found = survey(source, columns.advocate, infer=_untyped(columns, options) if source.is_text else ())
    if not found.rows:
        raise InputError(f"{source.name} has no rows")
    blocking = [suspect.message for suspect in found.suspects if suspect.blocks]
    if blocking and not options.allow_suspect_ids:
        raise InputError(f"{options.advocate}: {'; '.join(blocking)}. Say allow_suspect_ids=True to send them")
    columns = _columns(source, terms, options, declared, found.types)
    whole = Advocates(
        source, columns, fields or terms.fields(), found, options, now, catalogue_checked=declared is not None
    )
    return whole.resolved()


def _columns(
    source: Source,
    terms: Terms,
    options: Options,
    catalogue: Mapping[str, str] | None = None,
    inferred: Mapping[str, str] | None = None,
) -> Columns:
    return choose_columns(
        source,
        terms,
        advocate=options.advocate,
        friend=options.friend,
        types=options.types,
        tz=options.tz,
        catalogue=catalogue,
        inferred=inferred,
    )


def _untyped(columns: Columns, options: Options) -> list[str]:
    """Return the columns of attributes whose type nobody declares."""
    return [name for name in columns.attributes or {} if name not in (options.types or {})]


def read_catalogue(client: Client) -> dict[str, str] | None:
    """Return attribute → type as the account declares them for referrals, or None without a management key."""
    if client.management is None:
        return None
    client.reach()
    listed = client.management.list_attributes()
    return {found["name"]: found["type"] for found in listed if found.get("entity") == ENTITY}


def _filtered(part: Encoded, keep: Any) -> Encoded:
    kept = pa.array(keep)
    arrays = {name: getattr(part, name).filter(kept) for name in ("ids", "keys", "pieces")}
    return replace(part, rows=part.rows[keep], **arrays)


def _form(key: str) -> str:
    """Return of terms only what says of which form the codes are."""
    terms = json.loads(key + "}")
    return json.dumps({name: terms.get(name) for name in ("referralPattern", "validCharacters")})
