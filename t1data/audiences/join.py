"""The join at the heart of a comparison, and what it does about ids that stand in several rows.

A full join says who is on which side, but an id with m rows before and n after meets itself m x n times. That is also
how duplicates show without a search for them: the pairs are as many as the rows that meet only if every m and n is 1.
So a clean input is joined once, and only one with duplicates is cleared of them and joined again.
"""

# ruff: noqa: S608 - the queries hold names that are made here or quoted, and no value of anybody's

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from t1data.audiences.columns import Column
from t1data.audiences.engine import Engine
from t1data.audiences.sides import Side

REMOVED: Final = 1
ADDED: Final = 2
CHANGED: Final = 3

PAIRS: Final = "pairs"
"""Made by `join`: ``kind, id, b0, a0, b1, a1, …``, of ids on one side alone and of those with other values."""

REPEATED: Final = "repeated"
"""Made by `join`: ``id, side, times, conflicting``, the ids in several rows of a side."""

_EQUAL: Final = "equal_pairs"


@dataclass(frozen=True)
class Counts:
    """How many ids `join` found: on one side alone, on both, and of these with other values."""

    removed: int
    added: int
    kept: int
    changed: int
    repeated: int = 0


def join(engine: Engine, before: Side, after: Side, columns: Sequence[Column]) -> Counts:
    """Make the tables `PAIRS` and `REPEATED`, in which every id stands once, and count."""
    engine.run(f"CREATE TABLE {REPEATED} (id VARCHAR, side VARCHAR, times BIGINT, conflicting BOOLEAN)")
    # Of inputs without duplicates no more can differ. An id with 100,000 rows on each side would make 10**10 pairs.
    most = before.rows + after.rows + 1
    found = _make_pairs(engine, before.view, after.view, columns, most=most)
    if _is_clean(engine, before, after, found):
        return found
    left, right = (_settle(engine, side, columns) for side in (before, after))
    found = _make_pairs(engine, left, right, columns, sure="b.sure AND a.sure", most=most)
    return replace(found, repeated=engine.numbers(f"SELECT count(*) FROM {REPEATED}")[0])


def _make_pairs(
    engine: Engine, before: str, after: str, columns: Sequence[Column], *, most: int, sure: str = "true"
) -> Counts:
    # The pairs that are equal, nearly all, are only counted, and by a sequence: to sum them up in a group that costs
    # nothing to keep took 20 % of the time of the join, to let them pass by and count takes 3 %.
    places = range(len(columns))
    differs = " OR ".join(f"b.c{at} IS DISTINCT FROM a.c{at}" for at in places) or "false"
    cells = "".join(f", b.c{at} AS b{at}, a.c{at} AS a{at}" for at in places)
    engine.run(f"CREATE OR REPLACE TEMP SEQUENCE {_EQUAL}")
    engine.run(
        f"CREATE OR REPLACE TABLE {PAIRS} AS"
        f" SELECT CASE WHEN a.id IS NULL THEN {REMOVED} WHEN b.id IS NULL THEN {ADDED} ELSE {CHANGED} END::UTINYINT"
        f" AS kind, coalesce(b.id, a.id) AS id{cells} FROM {before} b FULL JOIN {after} a ON b.id = a.id"
        f" WHERE CASE WHEN a.id IS NULL OR b.id IS NULL OR ({sure} AND ({differs})) THEN true"
        f" ELSE nextval('{_EQUAL}') > {most} END LIMIT {most}"
    )
    return _count(engine)


def _count(engine: Engine) -> Counts:
    removed, added, changed, equal = engine.numbers(
        f"SELECT *, nextval('{_EQUAL}') - 1 FROM (SELECT count(*) FILTER (kind = {REMOVED}),"
        f" count(*) FILTER (kind = {ADDED}), count(*) FILTER (kind = {CHANGED}) FROM {PAIRS})"
    )
    return Counts(removed, added, equal + changed, changed)


def _is_clean(engine: Engine, before: Side, after: Side, found: Counts) -> bool:
    """Whether no id stands twice on a side; see the top of this file."""
    if not before.rows - found.removed == found.kept == after.rows - found.added:
        return False
    alone = engine.numbers(f"SELECT count(DISTINCT id) FROM {PAIRS} WHERE kind <> {CHANGED}")[0]
    return alone == found.removed + found.added


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
