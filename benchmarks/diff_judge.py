"""Every row that a diff of untidy states gives, held against SQL written apart, and its counts against their making.

The oracle knows nothing of t1data's way: it groups each state by id, asks who is in no group of the other, and reads
whether the rows of an id agree from the least and the greatest value.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.diff_rows import make_files
from benchmarks.diff_untidy import truth, twins, untidy
from benchmarks.pairs import Figures, tell

CELLS: Final = ("visits", "spend", "tier")
SHOWN: Final = 3

_NUMBER: Final = "CASE WHEN CAST(spend AS VARCHAR) <> 'nan' THEN spend END"  # NaN is a missing value


def judge(folder: Path, rows: int, *, limit: str) -> int:
    """Diff untidy states of this many customers, print what was found and what is wrong; 1 when anything is."""
    import t1data as t1

    files = make_files(folder, rows, make=untidy)
    started = time.perf_counter()
    diff = t1.diff_audiences(*files, memory_limit=limit)
    seconds = round(time.perf_counter() - started, 1)
    with tempfile.TemporaryDirectory(prefix="t1data-judge-", dir=folder) as results, _oracle(files, results) as oracle:
        paths = {
            name: Path(results, f"{name}.parquet") for name in ("added", "removed", "changed", "duplicates", "twins")
        }
        written = {name: diff.write(name, path) for name, path in paths.items()}
        wrong = [*_wrong_counts(diff.counts, rows), *_wrong_rows(oracle, paths), *_wrong_order(paths)]
        wrong += _wrong_twins(paths["twins"], rows)
    for violation in wrong:
        print(violation)
    figures: Figures = {"rows": rows, "seconds": seconds, "counts": dict(diff.counts), "held": written}
    tell("diff", {"judged": True, **figures, "violations": len(wrong)})
    return 1 if wrong else 0


def _wrong_counts(counts: Any, rows: int) -> Iterator[str]:
    for name, wanted in truth(rows).items():
        if counts[name] != wanted:
            yield f"counts: {name} is {counts[name]}, and {wanted} were made"


def _oracle(files: tuple[Path, Path], folder: str) -> duckdb.DuckDBPyConnection:
    settings = {"preserve_insertion_order": "false", "temp_directory": os.path.join(folder, "spilled")}
    oracle = duckdb.connect(os.path.join(folder, "oracle.duckdb"), config=settings)
    for side, path in zip(("b", "a"), files, strict=True):
        known = f"SELECT integration_id AS id, visits, {_NUMBER} AS spend, tier FROM '{path}' WHERE length(id) > 0"
        ends = ", ".join(
            f"min({cell}) AS {cell}, max({cell}) IS DISTINCT FROM min({cell}) OR count({cell}) NOT IN (0, count(*))"
            f" AS {cell}_split"
            for cell in CELLS
        )
        oracle.execute(f"CREATE TABLE {side} AS SELECT id, count(*) AS times, {ends} FROM ({known}) GROUP BY id")
    return oracle


def _wrong_rows(oracle: duckdb.DuckDBPyConnection, paths: dict[str, Path]) -> Iterator[str]:
    for name, wanted in _wanted().items():
        found = f"SELECT *{f' REPLACE ({_SAID})' if name == 'changed' else ''} FROM '{paths[name]}'"
        for what, query in (
            ("is missing", f"({wanted}) EXCEPT ALL ({found})"),
            ("should not be there", f"({found}) EXCEPT ALL ({wanted})"),
        ):
            rows = oracle.execute(query).fetchmany(SHOWN)
            yield from (f"{name}: {row} {what}" for row in rows)


# Numbers are compared as numbers: the oracle writes 60.0 where JSON has 60.
_SAID: Final = ", ".join(
    f"CASE WHEN \"column\" = 'tier' THEN {side} ELSE CAST(CAST({side} AS DOUBLE) AS VARCHAR) END AS {side}"
    for side in ("before", "after")
)


def _wanted() -> dict[str, str]:
    """Return the rows that must be in each table, as SQL."""
    conflicts = {side: " OR ".join(f"{side}.{cell}_split" for cell in CELLS) for side in "ba"}
    alone = "SELECT id, {0} FROM {1} WHERE id NOT IN (SELECT id FROM {2})"
    agreed = ", ".join(f"CASE WHEN NOT {cell}_split THEN {cell} END" for cell in CELLS)
    twice = "SELECT id, '{0}', times, {2} FROM {1} WHERE times > 1"
    return {
        "added": alone.format(agreed, "a", "b"),
        "removed": alone.format(agreed, "b", "a"),
        "changed": " UNION ALL ".join(_changed(cell, f"({conflicts['b']} OR {conflicts['a']})") for cell in CELLS),
        "duplicates": f"{twice.format('before', 'b', conflicts['b'])} UNION ALL"
        f" {twice.format('after', 'a', conflicts['a'])}",
    }


def _changed(cell: str, unsure: str) -> str:
    kind = "VARCHAR" if cell == "tier" else "DOUBLE"
    shown = ", ".join(f"CAST(CAST({side}.{cell} AS {kind}) AS VARCHAR)" for side in "ba")
    differs = f"({_one_is_missing(cell)} OR b.{cell} <> a.{cell})"
    return f"SELECT b.id, '{cell}', {shown} FROM b, a WHERE b.id = a.id AND NOT {unsure} AND {differs}"


def _one_is_missing(cell: str) -> str:
    return f"(b.{cell} IS NULL) <> (a.{cell} IS NULL)"


def _wrong_twins(path: Path, rows: int) -> Iterator[str]:
    counted = pc.value_counts(pq.read_table(path).column("differ_in")).to_pylist()
    found = {each["values"]: each["counts"] for each in counted}
    if found != (wanted := twins(rows)):
        yield f"twins: {found} differ, and {wanted} were made"


def _wrong_order(paths: dict[str, Path]) -> Iterator[str]:
    for name in ("added", "removed", "changed", "duplicates"):
        ids = pq.read_table(paths[name], columns=["integration_id"]).column(0).combine_chunks()
        if len(ids) and pc.any(pc.greater(ids[:-1], ids[1:])).as_py():
            yield f"{name}: the rows are not in the order of their ids"
