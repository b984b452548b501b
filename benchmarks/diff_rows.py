"""Two states of an audience, made of numbers: who left, who joined and what changed follows from the seed alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

SEED: Final = 7
ROW_GROUP: Final = 122_880  # DuckDB gives a thread one row group at a time: with a single large one, one core works
MOVED: Final = 0.05  # of the customers left, and as many joined
CHANGED: Final = 20  # of a thousand customers
TIERS: Final = pa.array([f"{metal}-{level:02d}" for metal in ("bronze", "silver", "gold") for level in range(30)])

Numbers = npt.NDArray[np.uint64]
Make = Callable[[Numbers, str], pa.Table]
"""Makes the rows of some customers, by their numbers, as the state ``"before"`` or ``"after"`` has them."""

_HEX: Final = np.array([f"{byte:02x}" for byte in range(256)], "S2").view(np.uint16)


def numbers_of(rows: int) -> dict[str, Numbers]:
    """Return the numbers of the customers of each state."""
    moved = int(rows * MOVED)
    every = np.arange(rows + moved, dtype=np.uint64)
    return {"before": every[:rows], "after": every[moved:]}


def tidy(numbers: Numbers, state: str) -> pa.Table:
    """Make rows ``integration_id, visits, spend, tier``."""
    drawn, changed = mixed(numbers, SEED + 1), changed_place(numbers) if state == "after" else -1
    return pa.table(
        {
            "integration_id": ids(numbers),
            "visits": (drawn % 1000).astype(np.int64) + (changed == 0),
            "spend": (drawn // 1000 % 100_000) / 100 + 0.01 * (changed == 1),
            "tier": TIERS.take(pa.array((drawn // 10**8 + (changed == 2)) % len(TIERS))),
        }
    )


def changed_place(numbers: Numbers) -> npt.NDArray[np.int64]:
    """Return which of the three columns changed for each customer; -1 for none."""
    drawn = mixed(numbers, SEED + 2)
    return np.where(drawn % 1000 < CHANGED, drawn // 1000 % 3, -1).astype(np.int64)


def ids(numbers: Numbers) -> pa.Array:
    """Return the ids, of 18 characters each."""
    digits = _HEX[mixed(numbers, SEED).astype(">u8").view(np.uint8)].view(np.uint8).reshape(-1, 16)
    letters = np.tile(np.frombuffer(b"c-", np.uint8), (len(numbers), 1))
    text = np.ascontiguousarray(np.concatenate([letters, digits], axis=1))
    offsets = np.arange(0, text.size + 1, 18, dtype=np.int32)
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(text))


def mixed(numbers: Numbers, salt: int) -> Numbers:
    """Return numbers that look drawn at random, a different one for each (the last steps of SplitMix64)."""
    state = (numbers + np.uint64(salt << 40)) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(state ^ (state >> np.uint64(31)))


def make_files(folder: Path, rows: int, *, make: Make = tidy, as_csv: bool = False) -> tuple[Path, Path]:
    """Write both states, with this many customers each, unless they are there; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {state: f"{make.__name__}-{state}-{rows}.{'csv' if as_csv else 'parquet'}" for state in ("before", "after")}
    for state, name in names.items():
        if not (folder / name).exists():
            _write(folder / name, numbers_of(rows)[state], lambda some, state=state: make(some, state))
    return folder / names["before"], folder / names["after"]


def _write(path: Path, numbers: Numbers, make: Callable[[Numbers], pa.Table]) -> None:
    """Write customers in an order that the seed shuffles, under the name only when all are there."""
    shuffled = np.random.default_rng([SEED, int(numbers[0])]).permutation(numbers)
    parts = [shuffled[at : at + ROW_GROUP] for at in range(0, len(shuffled), ROW_GROUP)]
    part = path.with_suffix(".part")
    writer: Any = pacsv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
    with writer(part, make(parts[0]).schema) as out:
        for some in parts:
            out.write_table(make(some))
    part.rename(path)
