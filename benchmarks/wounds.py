"""Negative controls: engines that are broken on purpose, each in the way of a real mistake. A harness must see it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest.mock import patch

from benchmarks.wounds_codes import CODE_WOUNDS
from t1data.bulk.batches import Batch
from t1data.bulk.engine import Engine
from t1data.bulk.narrowing import Narrowing
from t1data.errors import RefusedError
from t1data.journal.store import Journal


@contextmanager
def commit_after() -> Iterator[None]:
    """Write the intent only when the answer is there, as most loaders order these steps."""
    settle, intend = Journal.settle, Journal.intend

    def late(self: Journal, number: int, event: Any, **facts: Any) -> None:
        intend(self, number)
        settle(self, number, event, **facts)

    with patch.object(Journal, "intend", lambda self, number: None), patch.object(Journal, "settle", late):
        yield


@contextmanager
def sent_is_accepted() -> Iterator[None]:
    """Call a batch accepted because it was sent, whatever came back."""
    settle = Journal.settle

    def eager(self: Journal, number: int, event: Any, **facts: Any) -> None:
        settle(self, number, "accept" if event in ("doubt", "withhold") else event, **{**facts, "status": 204})

    with patch.object(Journal, "settle", eager), _on_resume("done"):
        yield


@contextmanager
def sends_again() -> Iterator[None]:
    """Begin from the start when a run is resumed."""
    with _on_resume("planned", where="state = 'done'"):
        yield


@contextmanager
def loses_a_batch() -> Iterator[None]:
    """Drop the second of the batches that a run has to send."""
    whole = Engine._batches

    def most(self: Engine, encoded: Any) -> Iterator[Any]:
        for place, batch in enumerate(whole(self, encoded)):
            if place != 1:
                yield batch

    with patch.object(Engine, "_batches", most):
        yield


@contextmanager
def alters_values() -> Iterator[None]:
    """Write some numbers a little differently."""
    body = Batch.body

    def altered(self: Batch, prefix: bytes = b"", suffix: bytes = b"") -> bytes:
        return body(self, prefix, suffix).replace(b'"Points":1', b'"Points":2')

    with patch.object(Batch, "body", altered):
        yield


@contextmanager
def blames_neighbours() -> Iterator[None]:
    """Call a whole refused batch refused, good rows and bad."""

    def blame(self: Narrowing, batch: Batch, error: RefusedError) -> list[Batch]:
        self._sender.refuse(batch, error)
        return []

    with patch.object(Narrowing, "_narrowed", blame):
        yield


@contextmanager
def resends_what_is_in_doubt() -> Iterator[None]:
    """Send again whatever got no answer, though it may make everything twice."""
    begin = Engine.__init__

    def eager(self: Engine, journal: Any, job: Any, watch: Any, *, resend_in_doubt: bool = False) -> None:
        begin(self, journal, job, watch, resend_in_doubt=True)

    with patch.object(Engine, "__init__", eager):
        yield


WOUNDS: dict[str, Callable[[], Any]] = {
    "commit-after": commit_after,
    "sent-is-accepted": sent_is_accepted,
    "sends-again": sends_again,
    "loses-a-batch": loses_a_batch,
    "alters-values": alters_values,
    "blames-neighbours": blames_neighbours,
    "resends-what-is-in-doubt": resends_what_is_in_doubt,
    **CODE_WOUNDS,
}


@contextmanager
def _on_resume(state: str, *, where: str = "state IN ('intent', 'answered', 'in_doubt')") -> Iterator[None]:
    reopen = Journal.reopen

    def wounded(self: Journal) -> None:
        with closing(sqlite3.connect(self.path, timeout=30)) as db, db:
            db.execute(f"UPDATE batch SET state = '{state}' WHERE {where}")
        reopen(self)

    with patch.object(Journal, "reopen", wounded):
        yield
