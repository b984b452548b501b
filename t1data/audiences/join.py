"""The join at the heart of a comparison, and what it does about ids that stand in several rows.

A full join says who is on which side, but an id with m rows before and n after meets itself m x n times. That is also
how duplicates show without a search for them: the pairs are as many as the rows that meet only if every m and n is 1.
So a clean input is joined once, and only one with duplicates is cleared of them and joined again.
"""

# ruff: noqa: S608 - the queries hold names that are made here or quoted, and no value of anybody's

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from t1data.audiences.columns import Column
from t1data.audiences.engine import Engine
from t1data.audiences.sides import Side

REMOVED: Final = 1
ADDED: Final = 2
CHANGED: Final = 3

PAIRS: Final = "pairs"
"""Made by `join`: ``kind, id, times, b0, a0, b1, a1, …``. One line of no kind counts the pairs that are equal."""

REPEATED: Final = "repeated"
"""Made by `join`: ``id, side, times, conflicting``, the ids in several rows of a side."""


@dataclass(frozen=True)
class Counts:
    """How many ids `join` found: on one side alone, on both, and of these with other values."""

    removed: int
    added: int
    kept: int
    changed: int
    repeated: int


def join(engine: Engine, before: Side, after: Side, columns: Sequence[Column]) -> Counts:
    """Make the tables `PAIRS` and `REPEATED`, in which every id stands once, and count."""
    engine.run(f"CREATE TABLE {REPEATED} (id VARCHAR, side VARCHAR, times BIGINT, conflicting BOOLEAN)")
    _make_pairs(engine, _as_is(before), _as_is(after), columns)
    if not _is_clean(engine, before, after):
        _make_pairs(engine, _settle(engine, before, columns), _settle(engine, after, columns), columns)
    return _count(engine)


def _as_is(side: Side) -> str:
    return f"(SELECT *, true AS sure FROM {side.view})"


def _make_pairs(engine: Engine, before: str, after: str, columns: Sequence[Column]) -> None:
    # The pairs that are equal, nearly all, become one group: one pass stores what differs and counts the rest.
    places = range(len(columns))
    differs = " OR ".join(f"b.c{at} IS DISTINCT FROM a.c{at}" for at in places) or "false"
    cells = "".join(f", b.c{at} AS b{at}, a.c{at} AS a{at}" for at in places)
    # Where no id stands twice the first is the only one. A CASE for each value would copy `differs` into all of them.
    shown = "".join(f", first({side}{at}) AS {side}{at}" for at in places for side in "ba")
    engine.run(
        f"CREATE OR REPLACE TABLE {PAIRS} AS SELECT kind, one AS id, count(*) AS times{shown} FROM ("
        "SELECT *, CASE WHEN kind IS NOT NULL THEN id END AS one FROM ("
        f"SELECT CASE WHEN a.id IS NULL THEN {REMOVED} WHEN b.id IS NULL THEN {ADDED}"
        f" WHEN b.sure AND a.sure AND ({differs}) THEN {CHANGED} END::UTINYINT AS kind,"
        f" coalesce(b.id, a.id) AS id{cells}"
        f" FROM {before} b FULL JOIN {after} a ON b.id = a.id)) GROUP BY kind, one"
    )


def _is_clean(engine: Engine, before: Side, after: Side) -> bool:
    """Whether no id stands twice on a side; see the top of this file."""
    removed, added, met, alone = engine.numbers(
        f"SELECT sum(times) FILTER (kind = {REMOVED}), sum(times) FILTER (kind = {ADDED}),"
        f" sum(times) FILTER (kind IS NULL OR kind = {CHANGED}), count(*) FILTER (kind <> {CHANGED}) FROM {PAIRS}"
    )
    return removed + added == alone and before.rows - removed == met == after.rows - added


def _settle(engine: Engine, side: Side, columns: Sequence[Column]) -> str:
    """Make a view of a side in which each id stands once, and note those that stood more often."""
    view, twice, settled = side.view, f"{side.view}_twice", f"{side.view}_settled"
    names = "".join(f", c{at}" for at in range(len(columns)))
    values = [f"count(DISTINCT c{at}) + (count(*) > count(c{at}))::INTEGER" for at in range(len(columns))]
    agreed = "".join(f", CASE WHEN {values[at]} = 1 THEN first(c{at}) END AS c{at}" for at in range(len(columns)))
    conflicting = " OR ".join(f"{value} > 1" for value in values) or "false"
    engine.run(f"CREATE TABLE {twice} AS SELECT id FROM {view} GROUP BY id HAVING count(*) > 1")
    engine.run(
        f"CREATE TABLE {settled} AS SELECT id, count(*) AS times, {conflicting} AS conflicting{agreed}"
        f" FROM {view} SEMI JOIN {twice} USING (id) GROUP BY id"
    )
    engine.run(f"INSERT INTO {REPEATED} SELECT id, '{view}', times, conflicting FROM {settled}")
    engine.run(
        f"CREATE VIEW {view}_once AS SELECT id{names}, true AS sure FROM {view} ANTI JOIN {twice} USING (id)"
        f" UNION ALL SELECT id{names}, NOT conflicting AS sure FROM {settled}"
    )
    return f"{view}_once"


def _count(engine: Engine) -> Counts:
    removed, added, kept, changed = engine.numbers(
        f"SELECT sum(times) FILTER (kind = {REMOVED}), sum(times) FILTER (kind = {ADDED}),"
        f" sum(times) FILTER (kind IS NULL OR kind = {CHANGED}), sum(times) FILTER (kind = {CHANGED}) FROM {PAIRS}"
    )
    return Counts(removed, added, kept, changed, *engine.numbers(f"SELECT count(*) FROM {REPEATED}"))
