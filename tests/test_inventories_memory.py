"""What a customer costs in memory when a reading run is gone on with and written to a folder: it does not grow."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import t1data as t1
from benchmarks import reading

FEW, MANY = 17_000, 21_000  # above all portions that are read at a time, the largest of which are 16,384 rows
MADE = 500  # batches that the engine's own journal makes; the others are copies of them
MOST = 60  # bytes a customer; 40 are those of what is known of a batch while outcomes are written
PROFILE = b'{"profile":{"id":1}}'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox() as running:
        yield running


def journal(folder: Path, customers: int, base_url: str, body: bytes) -> Path:
    """Make the journal of a run that has read so many customers, each of them but for one in fifty."""
    folder.mkdir()
    reading.write_ids(folder / "ids.parquet", customers)
    reading.make(folder, base_url=base_url, body=body, most=MADE)
    path = folder / "run.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(
            "WITH RECURSIVE copy(shift) AS (SELECT ?1 UNION ALL SELECT shift + ?1 FROM copy WHERE shift + ?1 < ?2)"
            " INSERT INTO batch SELECT number + shift, parent, printf('%d:%d', number - 1 + shift, number + shift),"
            " rows, state, attempts, status, reason, field, message, started_at, answered_at, waited FROM batch, copy",
            (MADE, customers),
        )
        db.execute(
            "INSERT INTO answer (batch, body) SELECT number, (SELECT body FROM answer) FROM batch"
            " WHERE state = 'done' AND number > ?",
            (MADE,),
        )
    return path


def peak(sandbox: t1.Sandbox, folder: Path, customers: int, *, body: bytes = b"{}") -> int:
    """Return the most that Python and numpy held while a run that needs no request more was gone on with."""
    path = journal(folder, customers, sandbox.base_url, body)
    with t1.Client(sandbox.base_url, sandbox.api_key) as client:
        tracemalloc.start()
        try:
            stock = t1.fetch_inventories(
                client, folder / "ids.parquet", include=reading.SECTIONS, journal=path, to=folder / "t", progress=False
            )
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert stock.run.counts["accepted"] + stock.run.counts["refused"] == customers
    return most


def test_a_customer_more_costs_few_bytes_and_small_portions_share_a_row_group(
    sandbox: t1.Sandbox, tmp_path: Path
) -> None:
    peak(sandbox, tmp_path / "first", 5000, body=PROFILE)  # what is loaded on first use is no customer's
    few, many = (peak(sandbox, tmp_path / str(customers), customers) for customers in (FEW, MANY))
    assert (many - few) / (MANY - FEW) < MOST
    profiles, loyalty = (
        pq.read_metadata(tmp_path / "first" / "t" / f"{name}.parquet") for name in ("profiles", "loyalty")
    )
    assert profiles.num_rows == 4900
    assert (profiles.num_row_groups, loyalty.num_row_groups) == (1, 0)  # what a file says of each is held to its end
