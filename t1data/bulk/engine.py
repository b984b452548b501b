"""The engine: batches go out through one door, and every row comes back with exactly one outcome.

It knows no endpoint: a `Job` says how a body is built and sent. One thread cuts the input into batches and notes
them in the journal, a few threads deliver them. What was settled in an earlier run of the same journal is not
sent again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from t1data.bulk.batches import Batch, EncodedRows
from t1data.bulk.cutting import cut, gather, regather, split_at, without_rows
from t1data.bulk.delivery import Delivery
from t1data.bulk.job import Job
from t1data.bulk.lanes import Lanes
from t1data.bulk.progress import Watch
from t1data.errors import InputError, JournalError
from t1data.journal.records import UNCHANGED, Line
from t1data.journal.store import Journal

GRACE = 10.0  # seconds that requests in flight get after a stop (reliability rule P14)
TICK = 0.1  # how often a waiting thread looks whether it should stop


class Engine:
    """Sends all rows of one run.

    Parameters
    ----------
    journal : Journal
        Open, with its head written.
    job : Job
        How to send.
    watch : Watch
        Counts, stop and progress of the run.
    resend_in_doubt : bool
        Send again what is in doubt, also when the operation is not repeatable.
    """

    def __init__(self, journal: Journal, job: Job, watch: Watch, *, resend_in_doubt: bool = False) -> None:
        self._journal = journal
        self._job = job
        self._watch = watch
        self._open = (
            ("planned", "answered", "in_doubt") if job.repeatable or resend_in_doubt else ("planned", "answered")
        )
        self._begun = journal.open_batches(self._open)
        self._answered = {record.number for record in self._begun if record.state == "answered"}
        self._delivery = Delivery(journal, job, watch, first_number=journal.last_number() + 1)
        self._lanes = Lanes(2 * job.connections)
        self._crash: BaseException | None = None

    def run(self, encoded: Iterable[EncodedRows]) -> str | None:
        """Send all rows of `encoded` that the journal does not hold as settled; return why it stopped early, if so.

        Ctrl-C stops it: no new request starts, those in flight get `GRACE` seconds, then it returns.
        """
        self._count_known()
        workers = [self._start_worker(n) for n in range(self._job.connections)]
        try:
            self._feed(encoded)
            self._finish(workers)
        except (KeyboardInterrupt, InputError, JournalError) as error:  # the input may change, the disk fill up
            self._watch.stop(str(error) or "interrupted")
            self._let_go(workers)
        except BaseException as error:
            self._watch.stop(f"stopped by {type(error).__name__}")
            self._let_go(workers)
            raise
        if self._crash is not None:
            raise self._crash
        return self._watch.stopped

    def _count_known(self) -> None:
        for outcome, rows in self._journal.settled().items():
            self._watch.count(outcome, rows)

    def _feed(self, encoded: Iterable[EncodedRows]) -> None:
        for batch in self._batches(encoded):
            if isinstance(batch, list):
                self._journal.note_lines(batch)
                self._count_lines(batch)
            elif batch.number in self._answered:
                self._delivery.read_goods(batch, self._journal.kept_answer(batch.number))
            elif not self._put(self._planned(batch)):
                return

    def _batches(self, encoded: Iterable[EncodedRows]) -> Iterator[Batch | list[Line]]:
        """Yield what is still to be sent: the open batches of an earlier run, then new ones from where it ended."""
        return self._by_key(encoded) if self._job.by_key else self._in_order(encoded)

    def _by_key(self, encoded: Iterable[EncodedRows]) -> Iterator[Batch | list[Line]]:
        roots = self._journal.root_spans()
        if len(roots):
            encoded = list(encoded)  # read twice, and held in memory for its keys anyway
            yield from regather(encoded, self._begun)
        yield from gather(without_rows(encoded, roots), limit=self._job.batch_limit, max_bytes=self._job.max_bytes)

    def _in_order(self, encoded: Iterable[EncodedRows]) -> Iterator[Batch | list[Line]]:
        mark = int(self._journal.root_spans()[:, 1].max(initial=0))
        before, after = split_at(encoded, mark)
        if mark:
            yield from regather(before, self._begun)
            for _ in before:  # rows that are settled: read past them to reach the new ones
                pass
        yield from cut(after, limit=self._job.batch_limit, max_bytes=self._job.max_bytes, start=mark)

    def _planned(self, batch: Batch) -> Batch:
        """Return the batch with a number, after the journal knows of it."""
        if batch.number:
            return batch
        batch = self._delivery.numbered(batch)
        self._journal.plan(batch.number, batch.spans, len(batch), batch.lines)
        self._count_lines(batch.lines)
        return batch

    def _count_lines(self, lines: list[Line]) -> None:
        collapsed = sum(line.same_as is not None or line.reason == UNCHANGED for line in lines)
        self._watch.count("invalid", len(lines) - collapsed)
        self._watch.count("collapsed", collapsed)

    def _put(self, batch: Batch) -> bool:
        """Hand a batch to the workers; return False when the run stops instead."""
        while not self._watch.stopping.is_set():
            if self._lanes.put(batch, TICK):
                return True
            self._journal.flush()
        return False

    def _start_worker(self, number: int) -> threading.Thread:
        worker = threading.Thread(target=self._work, name=f"t1data-{number}", daemon=True)
        worker.start()
        return worker

    def _work(self) -> None:
        try:
            while (batch := self._take()) is not None:
                self._deliver(batch)
            self._journal.flush()
        except JournalError as error:
            self._watch.stop(str(error))
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread by run()
            self._crash = self._crash or error
            self._watch.stop(f"stopped by {type(error).__name__}")

    def _take(self) -> Batch | None:
        while not self._watch.stopping.is_set() and not self._lanes.ended:
            self._delivery.wait_while_paused()
            if (batch := self._lanes.take(TICK)) is not None:
                return batch
            self._journal.flush()
        return None

    def _deliver(self, batch: Batch) -> None:
        self._delivery.deliver(batch)
        if batch.lane is not None:
            # What would be sent again by a resume has to be sent before what comes later in its lane.
            self._lanes.free(batch.lane, hold=self._journal.is_open(batch.number, self._open))

    def _finish(self, workers: list[threading.Thread]) -> None:
        """Wait until every batch is delivered, then take up what was put aside."""
        self._lanes.close()
        _join(workers, until=self._stops)
        if self._watch.stopping.is_set():
            self._let_go(workers)
        else:
            self._delivery.finish_deferred()

    def _stops(self) -> bool:
        """Tell whether the run is to stop; what is settled does not wait for the requests that are still out."""
        self._journal.flush()
        return self._watch.stopping.is_set()

    def _let_go(self, workers: list[threading.Thread]) -> None:
        """Give requests in flight their grace; a second interrupt ends it, and what is in flight stays in doubt."""
        ends = time.monotonic() + GRACE
        with suppress(KeyboardInterrupt):
            _join(workers, until=lambda: time.monotonic() > ends)


def _join(workers: list[threading.Thread], *, until: Callable[[], bool]) -> None:
    """Wait for threads, in steps short enough to look whether the wait shall end."""
    for worker in workers:
        while worker.is_alive() and not until():
            worker.join(TICK)
