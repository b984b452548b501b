"""When what a run notes is on the disk, as another connection sees it, or a process that comes after a kill."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from t1data.bulk.batches import Batch, EncodedRows
from t1data.bulk.engine import Engine
from t1data.bulk.job import Goods, Job
from t1data.bulk.progress import Control, Watch
from t1data.errors import JournalError
from t1data.journal.reads import reading
from t1data.journal.records import Part
from t1data.journal.runs import read_run
from t1data.journal.store import Journal


def begun(path: Path, *, rows: int = 100, durable: bool = True) -> Journal:
    journal = Journal(path, durable=durable)
    journal.begin("a-run", "upsert_profiles", base_url="http://127.0.0.1", facts={}, rows=rows)
    return journal


def on_disk(path: Path) -> dict[int, str]:
    """Each batch's state, as it is committed."""
    with reading(path) as other:
        return dict(other.execute("SELECT number, state FROM batch").fetchall())


def planned(journal: Journal, *numbers: int) -> None:
    for number in numbers:
        journal.plan(number, [(number * 10 - 10, number * 10)], 10)


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not true():
        assert time.monotonic() < ends, "it never came to be"
        threading.Event().wait(0.005)


# --- one journal ------------------------------------------------------------------------------------------


def test_what_is_settled_goes_to_the_disk_with_the_next_intent(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with begun(path) as journal:
        planned(journal, 1, 2)
        journal.intend(1)
        journal.settle(1, "accept", status=204, attempts=1)
        journal.intend(2)
        assert on_disk(path) == {1: "done", 2: "intent"}


def test_what_is_settled_goes_to_the_disk_when_nothing_follows_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with begun(path) as journal:
        planned(journal, 1)
        journal.intend(1)
        journal.settle(1, "accept", status=204, attempts=1)
        journal.flush()
        assert on_disk(path) == {1: "done"}


def test_an_answer_with_goods_is_on_the_disk_before_anybody_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with begun(path) as journal:
        planned(journal, 1)
        journal.intend(1)
        journal.keep_answer(1, b"CODE-1", status=201, attempts=1, waited=0.0)
        with reading(path) as other:
            assert other.execute("SELECT body FROM answer").fetchall() == [(b"CODE-1",)]
        assert on_disk(path) == {1: "answered"}


def test_intents_of_many_threads_are_each_on_the_disk_when_they_return(tmp_path: Path) -> None:
    path, missing = tmp_path / "run.sqlite", []
    with begun(path) as journal:
        planned(journal, *range(1, 161))

        def work(first: int) -> None:
            for number in range(first, 161, 8):
                journal.intend(number)
                if on_disk(path)[number] != "intent":
                    missing.append(number)
                journal.settle(number, "accept", status=204, attempts=1)

        threads = [threading.Thread(target=work, args=(first,)) for first in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert missing == []
    assert on_disk(path) == dict.fromkeys(range(1, 161), "done")


def test_a_plan_that_found_no_room_is_followed_by_no_later_one(tmp_path: Path) -> None:
    # A resume begins where the last planned batch ends: with a gap before it, rows would never be sent.
    path = tmp_path / "run.sqlite"
    journal = begun(path, rows=10_000_000)
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    planned(journal, 1)
    journal.intend(1)
    journal._db.execute(f"PRAGMA max_page_count = {pages + 1}")
    journal.plan(2, [(row, row + 1) for row in range(10, 5000)], 4990)
    planned(journal, 501)
    with pytest.raises(JournalError, match="cannot be written"):
        journal.intend(2)
    with pytest.raises(JournalError, match="nothing more is sent"):
        journal.plan(502, [(5010, 5020)], 10)
    journal.settle(1, "accept", status=204, attempts=1)  # its answer had come in
    journal.finish(stopped="the disk is full")
    journal.close()
    assert on_disk(path) == {1: "done"}
    assert read_run(path).stopped == "the disk is full"


def test_what_is_not_known_cannot_be_settled_and_a_wrong_step_is_told_at_once(tmp_path: Path) -> None:
    with begun(tmp_path / "run.sqlite") as journal:
        planned(journal, 1)
        with pytest.raises(JournalError, match="cannot take 'accept'"):
            journal.settle(1, "accept", status=204)
        with pytest.raises(JournalError, match="does not know batch 2"):
            journal.settle(2, "accept", status=204)


def test_a_run_that_only_reads_is_written_a_moment_later(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with begun(path, durable=False) as journal:
        planned(journal, 1, 2)
        until(
            lambda: (journal.intend(1) if journal.state_of(1) == "planned" else journal.flush()) or bool(on_disk(path))
        )
        assert on_disk(path) == {1: "intent", 2: "planned"}
        journal.keep_answer(1, b"{}", status=200, attempts=1, waited=0.0)
        journal.settle(1, "accept")
    assert on_disk(path) == {1: "done", 2: "planned"}


def test_a_journal_that_is_closed_under_its_workers_keeps_what_it_said_it_had(tmp_path: Path) -> None:
    for attempt in range(15):
        path, kept = tmp_path / f"run-{attempt}.sqlite", set[int]()
        journal, running = begun(path), threading.Barrier(4)

        def work(journal: Journal, kept: set[int], running: threading.Barrier, first: int) -> None:
            running.wait()
            with suppress(JournalError):  # closed
                for number in range(first, first + 10_000):
                    planned(journal, number)
                    journal.intend(number)
                    journal.keep_answer(number, b"CODE", status=201, attempts=1, waited=0.0)
                    kept.add(number)

        workers = [threading.Thread(target=work, args=(journal, kept, running, first)) for first in (1, 20_001, 40_001)]
        for worker in workers:
            worker.start()
        running.wait()
        until(lambda kept=kept: len(kept) > 5)
        journal.close()
        for worker in workers:
            worker.join()
        with reading(path) as other:
            assert kept <= {number for (number,) in other.execute("SELECT batch FROM answer")}
            assert other.execute("SELECT count(*) FROM batch WHERE spans = ''").fetchone() == (0,)


@pytest.mark.parametrize("parts", [(), (Part(3, ((0, 5),), 5), Part(4, ((5, 10),), 5))], ids=["alone", "with parts"])
def test_ctrl_c_while_a_step_is_written_neither_loses_nor_repeats_it(tmp_path: Path, parts: tuple[Part, ...]) -> None:
    path = tmp_path / "run.sqlite"
    journal = begun(path)
    planned(journal, 1, 2)
    journal.intend(1)
    journal.intend(2)
    slow = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    slow.execute("BEGIN IMMEDIATE")  # as a disk that takes its time
    waits, main = threading.Event(), threading.get_ident()

    def interrupt() -> None:
        waits.wait(0.2)
        signal.pthread_kill(main, signal.SIGINT)
        waits.wait(0.2)
        slow.execute("ROLLBACK")
        slow.close()

    journal.settle(
        1, "refuse" if parts else "accept", status=400 if parts else 204, attempts=1, waited=1.5, parts=parts
    )
    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(KeyboardInterrupt):
        journal.flush()
    other.join()
    journal.settle(2, "accept", status=204, attempts=1)
    journal.finish(stopped="interrupted")
    journal.close()
    with reading(path) as found:
        rows = found.execute("SELECT number, state, attempts, waited FROM batch WHERE number < 3").fetchall()
        assert rows == [(1, "refused" if parts else "done", 1, 1.5), (2, "done", 1, 0.0)]
        assert found.execute("SELECT count(*) FROM batch").fetchone() == (2 + len(parts),)
    assert read_run(path).stopped == "interrupted"


def test_words_that_are_no_unicode_are_kept_as_they_can_be_and_stop_nobody(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with begun(path) as journal:
        planned(journal, 1, 2)
        journal.intend(1)
        journal.intend(2)
        journal.settle(1, "refuse", status=400, attempts=1, reason="refused", message="bad \ud800 value")
        journal.settle(2, "accept", status=204, attempts=1)
    assert on_disk(path) == {1: "refused", 2: "done"}
    assert read_run(path).outcomes["message"].iloc[0] == "bad \\ud800 value"


def test_last_words_that_found_the_file_locked_are_written_later(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    journal = begun(path)
    planned(journal, 1)
    journal.intend(1)
    journal._db.execute("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked"):
            journal.keep_answer(1, b"CODE", status=201, attempts=1, waited=0.0)
        other.execute("ROLLBACK")
    journal.finish(stopped="the file was locked")
    journal.close()
    with reading(path) as found:
        assert found.execute("SELECT body FROM answer").fetchall() == [(b"CODE",)]


# --- a run that waits -------------------------------------------------------------------------------------


class Answer:
    status, body, attempts, waited, warning = 204, b"{}", 1, 0.0, ""


def rows(count: int) -> list[EncodedRows]:
    pieces = pa.array([b'{"integrationId":"%d"},' % row for row in range(count)], pa.large_binary())
    return [EncodedRows(np.arange(count, dtype=np.int64), pieces, [], count)]


def running(path: Path, job: Job, control: Control, source: list[EncodedRows]) -> threading.Thread:
    journal = begun(path, rows=sum(part.stop for part in source), durable=not job.changes_nothing)

    def run() -> None:
        with journal:
            Engine(journal, job, Watch(control=control)).run(source)
            journal.finish(stopped=None)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_pause_leaves_nothing_that_was_settled_off_the_disk(tmp_path: Path) -> None:
    path, control = tmp_path / "run.sqlite", Control()

    def send(batch: Batch, *_: object) -> Answer:
        if batch.number == 2:
            control.pause()
        return Answer()

    thread = running(path, Job(send, batch_limit=10, connections=1), control, rows(50))
    until(lambda: path.exists() and list(on_disk(path).values()).count("done") == 2)
    control.go_on()
    thread.join()
    assert read_run(path).counts["accepted"] == 50


def test_a_slow_request_keeps_nothing_that_others_settled_off_the_disk(tmp_path: Path) -> None:
    path, slow = tmp_path / "run.sqlite", threading.Event()

    def send(batch: Batch, *_: object) -> Answer:
        if batch.number == 1:
            slow.wait(20)
        return Answer()

    thread = running(path, Job(send, batch_limit=10, connections=2), Control(), rows(50))
    until(lambda: path.exists() and list(on_disk(path).values()).count("done") == 4)
    slow.set()
    thread.join()
    assert read_run(path).counts["accepted"] == 50


def test_a_run_that_only_reads_shows_others_what_it_has_though_it_waits(tmp_path: Path) -> None:
    path, slow = tmp_path / "run.sqlite", threading.Event()

    def send(batch: Batch, *_: object) -> Answer:
        if batch.number == 1:
            slow.wait(20)
        return Answer()

    def read(batch: Batch, body: bytes) -> Goods:
        return Goods(np.ones(len(batch), dtype=bool))

    job = Job(send, batch_limit=10, connections=2, read=read, changes_nothing=True)
    thread = running(path, job, Control(), rows(50))
    until(lambda: path.exists() and list(on_disk(path).values()).count("done") == 4)
    slow.set()
    thread.join()
    assert read_run(path).counts["accepted"] == 50
