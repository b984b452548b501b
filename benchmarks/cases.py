"""Inputs made from a seed, with the one right outcome of each row and the exact values that must arrive."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

Due = Literal["accepted", "refused", "invalid"]

ODD_IDS = ("007", "0", "-0", "NA", "null", "None", "nan", "1e5", "TRUE", "0x1F", "1_000", "..", ".", "=1+1", "#N/A")
ODD_TEXTS = (
    'says "no"', "two\nlines", "a,b;c\td|e", "Żółć", "李雷", "😀 e\u0301", "back\\slash", "'=cmd'", "</script>",
    "007", "NULL", "%2F", "\u202eabc", "a\u00a0b", "\x7f", "{}", "[1]",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row of an input. `twin` is the row, from 0, that stands for an equal one."""

    id: str
    name: str
    points: str
    vip: str
    due: Due
    twin: int | None = None

    @property
    def attributes(self) -> dict[str, Any]:
        """What must arrive at the server: an empty cell is left out."""
        values = {"Name": self.name, "Points": ("number", self.points), "Vip": self.vip == "true"}
        cells = (self.name, self.points, self.vip)
        return {name: value for (name, value), cell in zip(values.items(), cells, strict=True) if cell}


@dataclass(frozen=True)
class Case:
    """An input, and the number of rows that may go out in one request."""

    rows: tuple[Row, ...]
    batch_limit: int

    @property
    def bad(self) -> frozenset[str]:
        """The ids that the server is to refuse."""
        return frozenset(row.id for row in self.rows if row.due == "refused")

    def write(self, path: Path) -> None:
        """Write the input as CSV or Parquet, by the path's ending."""
        (_write_parquet if path.suffix == ".parquet" else _write_csv)(self.rows, path)


def make_case(chance: random.Random, *, batch_limit: int, batches: int, bad: float = 0.01) -> Case:
    """Make about `batches` times `batch_limit` rows: some invalid, some equal, a share `bad` to be refused."""
    rows: list[Row] = []
    odd = list(ODD_IDS)
    for number in range(batch_limit * batches + chance.randrange(batch_limit)):
        if rows and chance.random() < 0.01:
            rows.append(_twin(rows, chance))
        else:
            rows.append(_row(number, chance, odd, bad))
    return Case(tuple(rows), batch_limit)


def make_advocates(chance: random.Random, *, batch_limit: int, batches: int) -> Case:
    """Make rows of which only the id counts, each once, some of them invalid."""
    ids = [f"{chance.choice(('', 'é-', 'a b '))}{number:07d}" for number in range(batch_limit * batches)]
    rows = (
        Row(f"{id_} ", "", "", "", "invalid") if chance.random() < 0.02 else Row(id_, "", "", "", "accepted")
        for id_ in ids
    )
    return Case(tuple(rows), batch_limit)


def _twin(rows: list[Row], chance: random.Random) -> Row:
    place = chance.randrange(len(rows))
    other = rows[place]
    if other.twin is not None or other.due == "invalid":
        return Row(f" blank-{len(rows)}", "x", "1", "", "invalid")
    return Row(other.id, other.name, other.points, other.vip, other.due, place)


def _row(number: int, chance: random.Random, odd: list[str], bad: float) -> Row:
    id_ = odd.pop() if odd and chance.random() < 0.1 else f"{chance.choice(('', 'é-', 'a b ', 'x/%2F?'))}{number:07d}"
    name = f"{chance.choice(ODD_TEXTS)} {number}" if chance.random() < 0.9 else ""
    points = str(chance.randrange(-99, 10**9)) if chance.random() < 0.9 else ""
    vip = chance.choice(("true", "false", ""))
    if chance.random() < 0.01:
        return Row(f"{id_} ", name, points, vip, "invalid")
    return Row(id_, name, points, vip, "refused" if chance.random() < bad else "accepted")


def _write_csv(rows: tuple[Row, ...], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("integration_id", "Name", "Points", "Vip"))
        writer.writerows((row.id, row.name, row.points, row.vip) for row in rows)


def _write_parquet(rows: tuple[Row, ...], path: Path) -> None:
    table = pa.table(
        {
            "integration_id": [row.id for row in rows],
            "Name": pa.array([row.name or None for row in rows], pa.string()),
            "Points": pa.array([int(row.points) if row.points else None for row in rows], pa.int64()),
            "Vip": pa.array([row.vip == "true" if row.vip else None for row in rows], pa.bool_()),
        }
    )
    pq.write_table(table, path, row_group_size=97)
