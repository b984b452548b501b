"""What each side of `diff` does, in a process of its own.

    python -m benchmarks.diff_sides SIDE BEFORE AFTER SOURCE LIMIT

All are asked the same: who is in one state alone, who in the other, and which customers on both have other values. Each
ends with pandas frames of these in memory, counted by itself. What they return differs, and is told in each docstring.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.pairs import Figures, spend

ID = "integration_id"
CELLS = ("visits", "spend", "tier")


def t1data(before: Path, after: Path, source: str, limit: str) -> None:
    """Three frames in the order of the ids; changes in the long form; duplicates, twins and problems looked for."""
    import pandas as pd  # noqa: F401 - so that it is not loaded in what is measured

    from t1data.audiences.diff import diff_audiences

    old, new = _given(before, source), _given(after, source)

    def work() -> Figures:
        found = diff_audiences(old, new, memory_limit=limit)
        frames = found.added, found.removed, found.changed
        return _counts(len(frames[0]), len(frames[1]), frames[2][ID].nunique())

    spend(work)


def bare(before: Path, after: Path, source: str, limit: str) -> None:
    """One frame in no order, with the cells of both sides of each customer who left, joined or changed.

    Duplicates are neither noticed nor settled, NaN is a value, and the number of those who stayed is not known.
    """
    import duckdb
    import pandas as pd  # noqa: F401 - as above
    import pyarrow as pa  # noqa: F401

    old, new = _given(before, source), _given(after, source)
    differs = " OR ".join(f"b.{cell} IS DISTINCT FROM a.{cell}" for cell in CELLS)
    cells = ", ".join(f"b.{cell} AS {cell}_before, a.{cell} AS {cell}_after" for cell in CELLS)
    query = (
        f"SELECT coalesce(b.{ID}, a.{ID}) AS {ID}, CASE WHEN a.{ID} IS NULL THEN 1 WHEN b.{ID} IS NULL THEN 2 ELSE 3"
        f" END::UTINYINT AS kind, {cells} FROM b FULL JOIN a ON b.{ID} = a.{ID}"
        f" WHERE b.{ID} IS NULL OR a.{ID} IS NULL OR {differs}"
    )

    def work() -> Figures:
        with tempfile.TemporaryDirectory() as folder, duckdb.connect(config=_settings(limit, folder)) as engine:
            for name, data in (("b", old), ("a", new)):
                rows = engine.from_query(f"FROM '{data}'") if isinstance(data, Path) else _registered(engine, data)
                rows.create_view(name)
            frame = engine.sql(query).to_arrow_table().to_pandas()
        kinds = frame["kind"].value_counts()
        return _counts(int(kinds[2]), int(kinds[1]), int(kinds[3]))

    spend(work)


def _registered(engine: Any, data: Any) -> Any:
    return engine.from_df(data) if type(data).__name__ == "DataFrame" else engine.from_arrow(data)


def _settings(limit: str, folder: str) -> dict[str, str]:
    return {
        "memory_limit": limit,
        "threads": str(min(os.cpu_count() or 1, 8)),  # as many as t1data takes
        "preserve_insertion_order": "false",
        "temp_directory": folder,
    }


def pandas(before: Path, after: Path, source: str, limit: str) -> None:
    """Three frames with the cells of both sides; everything in memory. Missing values are told apart by hand."""
    import pandas as pd
    import pyarrow.parquet  # noqa: F401 - as above

    def work() -> Figures:
        both = pd.read_parquet(before).merge(
            pd.read_parquet(after), how="outer", on=ID, indicator=True, suffixes=("_before", "_after")
        )
        removed, added = both[both["_merge"] == "left_only"], both[both["_merge"] == "right_only"]
        kept = both[both["_merge"] == "both"]
        changed = kept[pd.concat([_differs(kept, cell) for cell in CELLS], axis=1).any(axis=1)]
        return _counts(len(added), len(removed), len(changed))

    spend(work)


def _differs(kept: Any, cell: str) -> Any:
    old, new = kept[f"{cell}_before"], kept[f"{cell}_after"]
    return (old != new) & ~(old.isna() & new.isna())


def polars(before: Path, after: Path, source: str, limit: str) -> None:
    """Three frames in no order, with the cells of both sides; by two anti joins and an inner one, streaming."""
    import pandas as pd  # noqa: F401 - as above
    import polars as pl

    def work() -> Figures:
        old, new = pl.scan_parquet(before), pl.scan_parquet(after)
        differs = pl.any_horizontal([pl.col(cell).ne_missing(pl.col(f"{cell}_after")) for cell in CELLS])
        queries = [
            new.join(old, on=ID, how="anti"),
            old.join(new, on=ID, how="anti"),
            old.join(new, on=ID, suffix="_after").filter(differs),
        ]
        frames = [frame.to_pandas() for frame in pl.collect_all(queries, engine="streaming")]
        return _counts(*map(len, frames))

    spend(work)


def _counts(added: int, removed: int, changed: int) -> Figures:
    return {"counts": [added, removed, changed]}


def _given(path: Path, source: str) -> Any:
    if source in ("parquet", "csv"):
        return path
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return table.to_pandas() if source == "frame" else table


SIDES: dict[str, Callable[[Path, Path, str, str], None]] = {
    "t1data": t1data,
    "bare": bare,
    "pandas": pandas,
    "polars": polars,
}

if __name__ == "__main__":
    SIDES[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
