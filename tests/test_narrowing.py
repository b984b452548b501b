"""Narrowing keeps its budget of requests, whatever is bad and whatever the server says about where (H11 to H13)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.bulk.batches import Batch
from t1data.bulk.narrowing import Narrowing, most_requests
from t1data.errors import BadRequestError, RefusedError

Say = Callable[[list[int], int], list[int]]
"""Where a server says that the bad rows of a batch stand: given where they do, and how many rows there are."""

SAYS: dict[str, Say] = {
    "nothing": lambda bad, count: [],
    "the first": lambda bad, count: bad[:1],
    "twenty": lambda bad, count: bad[:20],
    "all": lambda bad, count: bad,
    "a good one": lambda bad, count: good(bad, count)[:1],
    "twenty good ones": lambda bad, count: good(bad, count)[:20],
    "good and bad ones": lambda bad, count: bad[:10] + good(bad, count)[:10],
    "none that is there": lambda bad, count: [count + 5],
}


def good(bad: list[int], count: int) -> list[int]:
    return sorted(set(range(count)) - set(bad))


@dataclass
class Server:
    """Refuses a batch that holds a bad row, and keeps what it took, what it refused alone, and how often it was asked.

    It says where by turns in one of several ways.
    """

    bad: frozenset[int]
    says: list[Say]
    words: Callable[[int], str] = "row {} is not good".format
    requests: int = 0
    accepted: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    stopping: bool = False
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def numbered(self, batch: Batch) -> Batch:
        return replace(batch, number=next(self.numbers))

    def send(self, batch: Batch) -> int | RefusedError:
        say = self.says[self.requests % len(self.says)]
        self.requests += 1
        bad = [place for place, row in enumerate(batch.rows.tolist()) if row in self.bad]
        if not bad:
            self.accepted += batch.rows.tolist()
            return len(batch)
        problems = [{"source": {"pointer": f"/customerProfiles/{place}/x"}} for place in say(bad, len(batch))]
        return BadRequestError("refused", status=400, problems=problems)

    def refuse(self, batch: Batch, error: RefusedError) -> str:
        self.refused += batch.rows.tolist()
        return self.words(int(batch.rows[0]))

    def divide(self, batch: Batch, error: RefusedError, parts: list[Batch]) -> None:
        assert sorted(row for part in parts for row in part.rows.tolist()) == batch.rows.tolist()

    def recut(self, old: list[Batch], parent: Batch, parts: list[Batch]) -> None:
        before, after = ([row for part in given for row in part.rows.tolist()] for given in (old, parts))
        assert sorted(before) == sorted(after)


def narrowed(server: Server, rows: int) -> None:
    batch = Batch(np.arange(rows), pa.array([b"{},"] * rows, pa.large_binary()), ((0, rows),), number=1)
    todo, narrowing = [batch], Narrowing(server)
    while todo:
        todo += narrowing.deliver(todo.pop())[::-1]


@settings(max_examples=150, deadline=None)
@given(
    rows=st.integers(1, 1000),
    share=st.sampled_from([0.0, 0.001, 0.003, 0.01, 0.05, 0.3, 0.9, 1.0]),
    seed=st.integers(0, 2**32 - 1),
    says=st.lists(st.sampled_from(list(SAYS)), min_size=1, max_size=3),
)
def test_every_bad_row_is_refused_alone_and_no_other_within_the_budget(
    rows: int, share: float, seed: int, says: list[str]
) -> None:
    chosen = np.random.default_rng(seed).random(rows) < share
    check(rows, frozenset(np.flatnonzero(chosen).tolist()), says)


@pytest.mark.parametrize("says", list(SAYS))
@pytest.mark.parametrize("bad", [0, 1, 2, 7, 8, 9, 21, 500, 999, 1000])
def test_rows_that_stand_together_or_evenly_apart_keep_within_the_budget(bad: int, says: str) -> None:
    check(1000, frozenset(range(bad)), [says])
    check(1000, frozenset(range(1000 - bad, 1000)), [says])
    check(1000, frozenset(np.linspace(0, 999, bad).astype(int).tolist()), [says])


def check(rows: int, bad: frozenset[int], says: list[str]) -> None:
    server = Server(bad, [SAYS[name] for name in says])
    narrowed(server, rows)
    assert sorted(server.refused) == sorted(bad)
    assert sorted(server.accepted) == sorted(set(range(rows)) - bad)
    assert server.requests <= most_requests(rows, len(bad)), (rows, len(bad), says)


def test_the_budget_of_one_bad_row_is_that_of_a_search() -> None:
    server = Server(frozenset([617]), [SAYS["nothing"]])
    narrowed(server, 1000)
    assert server.requests <= 21
    for says in ("the first", "all"):
        server = Server(frozenset([617]), [SAYS[says]])
        narrowed(server, 1000)
        assert server.requests == 3
