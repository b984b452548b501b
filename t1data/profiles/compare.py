"""What an input says of customers, held against what the account has: before an upsert, or after it."""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.body import json_of
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.journal.runs import Run
from t1data.profiles.prepare import Prepared
from t1data.profiles.reading import Attributes, Wanted, found_profiles, read_profiles, want
from t1data.tables.labels import Labels
from t1data.tables.layout import Layout
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

Names = tuple[str, str]
BEFORE_AND_AFTER, SENT_AND_FOUND = ("before", "after"), ("sent", "found")
"""How the two sides are called, before an upsert and after it."""


@dataclass(frozen=True)
class Difference:
    """One attribute of one customer that is not as the input says.

    Attributes
    ----------
    place : int
        Which of the customers that were compared.
    attribute : str
        Its name.
    account, said : object
        What the account has, and what the input says; None for nothing.
    """

    place: int
    attribute: str
    account: Any
    said: Any


@dataclass(frozen=True)
class Comparison:
    """What differs between an input and the account, attribute by attribute.

    Attributes
    ----------
    run : Run
        The reading; ``run.outcomes`` says who could be read.
    differences : DataFrame
        One line for each attribute that differs, on the input's index (for a file: the row number, from 1).
    compared : int
        Customers that were compared.
    differing : int
        Those with any difference.
    unknown : int
        Those whom the account does not have; each of their attributes is a difference.
    invalid : int
        Rows of the input that cannot be sent, and so were not compared.
    """

    run: Run
    differences: pd.DataFrame
    compared: int
    differing: int
    unknown: int
    invalid: int = 0

    @property
    def unread(self) -> int:
        """Customers who could not be read."""
        return self.run.rows - self.compared

    @property
    def same(self) -> bool:
        """Whether everybody who can be sent could be read, and nothing differs."""
        return not self.differing and not self.unread

    def __repr__(self) -> str:
        parts = [f"{self.differing:,} of {many(self.compared, 'customer')} differ"]
        parts += [f"{self.unknown:,} not in the account"] if self.unknown else []
        parts += [f"{self.unread:,} not read"] if self.unread else []
        parts += [f"{many(self.invalid, 'invalid row')} not compared"] if self.invalid else []
        return f"<Comparison: {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        counts = self.differences["attribute"].value_counts()
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(str(name))}</th><td>{count:,}</td></tr>"
            for name, count in counts.items()
        )
        return f"<div><p><b>{html.escape(repr(self)[1:-1])}</b></p><table>{rows}</table></div>"


@dataclass(frozen=True)
class Held:
    """Customers of an input, held against the account.

    Attributes
    ----------
    wanted : Wanted
        Who was looked for, and what the input says of them.
    run : Run
        The reading.
    unknown : list of int
        The places of those whom the account does not have.
    found : list of Difference
        What differs, in the order of the input.
    """

    wanted: Wanted
    run: Run
    unknown: list[int]
    found: list[Difference]

    def only(self, places: list[int]) -> Held:
        """Return the same for some of the customers, whose places are then counted anew."""
        wanted = Wanted(self.wanted.rows[places], self.wanted.pieces.take(pa.array(places)))
        again = {place: number for number, place in enumerate(places)}
        found = [replace(item, place=again[item.place]) for item in self.found if item.place in again]
        return Held(wanted, self.run, [again[place] for place in self.unknown if place in again], found)

    def by_place(self) -> list[list[Difference]]:
        """Return what differs, customer by customer."""
        found: list[list[Difference]] = [[] for _ in self.wanted.rows]
        for item in self.found:
            found[item.place].append(item)
        return found

    def same_rows(self) -> npt.NDArray[np.int64]:
        """Return the input's rows (from 0) that the account holds already as they are."""
        same = (self.run.outcomes["outcome"] == "accepted").to_numpy(dtype=bool, copy=True)
        same[[item.place for item in self.found]] = False
        return self.wanted.rows[same]


def compare(
    client: Client, prepared: Prepared, *, names: Names, sample: int | None, seed: int, going: Going, connections: int
) -> Comparison:
    """Read the customers of an input and hold what it says against what is there."""
    held = hold_against(client, prepared, sample=sample, seed=seed, going=going, connections=connections)
    known = held.run.counts["accepted"] + len(held.unknown)
    differing = len({item.place for item in held.found})
    frame = _frame(held, prepared.source.index, names)
    return Comparison(held.run, frame, known, differing, len(held.unknown), held.wanted.invalid)


def hold_against(
    client: Client, prepared: Prepared, *, sample: int | None = None, seed: int = 0, going: Going, connections: int
) -> Held:
    """Read the customers of an input, and find what differs."""
    wanted = want(prepared, sample=sample, seed=seed)
    run = read_profiles(client, wanted.ids(), going=going, connections=connections)
    return against(wanted, run, prepared.layout)


def against(wanted: Wanted, run: Run, layout: Layout) -> Held:
    """Hold customers against what a run has read of them."""
    unknown = np.flatnonzero(run.outcomes["reason"].eq("not_found").fillna(False)).tolist()
    nothing: Attributes = {}
    accounts = chain(found_profiles(run.journal), ((place, nothing) for place in unknown))
    found = sorted(differences(wanted, accounts, times=times_of(layout)), key=lambda item: item.place)
    return Held(wanted, run, unknown, found)


def times_of(layout: Layout) -> set[str]:
    """Return the attributes whose values are held against each other as instants; a constant may be one."""
    columns = {column.attribute for column in layout.columns if column.type in ("time", "(list time)")}
    return columns | set(layout.constants)


def differences(
    wanted: Wanted, accounts: Iterable[tuple[int, Attributes]], *, times: Collection[str]
) -> Iterator[Difference]:
    """Yield what differs, for each customer that `accounts` has the attributes of."""
    for place, account in accounts:
        for name, said in wanted.attributes(place).items():
            if not is_same(said, account.get(name), is_time=name in times):
                yield Difference(place, name, account.get(name), said)


def is_same(said: Any, account: Any, *, is_time: bool = False) -> bool:
    """Return whether two values mean the same: numbers by their size, times by their instant, nothing like null.

    Examples
    --------
    >>> from decimal import Decimal
    >>> is_same(Decimal("1.50"), Decimal("1.5")), is_same(1, True), is_same("1", 1)
    (True, False, False)
    """
    if isinstance(said, bool) != isinstance(account, bool):
        return False
    if is_time and isinstance(said, str) and isinstance(account, str):
        return said == account or (_instant(said) == _instant(account) is not None)
    if isinstance(said, list) and isinstance(account, list):
        pairs = zip(said, account, strict=False)
        return len(said) == len(account) and all(is_same(a, b, is_time=is_time) for a, b in pairs)
    same: bool = said == account
    return same


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _frame(held: Held, index: Any, names: Names) -> pd.DataFrame:
    import pandas as pd

    ids = held.wanted.ids()
    first, second = ("account", "said") if names == BEFORE_AND_AFTER else ("said", "account")
    columns: dict[str, list[Any]] = {
        "integration_id": [ids[item.place] for item in held.found],
        "attribute": [item.attribute for item in held.found],
        names[0]: [_text(getattr(item, first)) for item in held.found],
        names[1]: [_text(getattr(item, second)) for item in held.found],
    }
    rows = held.wanted.rows[np.array([item.place for item in held.found], dtype=np.int64)]
    frame = {name: pd.array(cells, "string") for name, cells in columns.items()}
    return pd.DataFrame(frame, index=Labels(index).index_of(rows))


def _text(value: Any) -> str | None:
    """Return a value as people read it: text as it is, all else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json_of(value)
