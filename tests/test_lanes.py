"""Rows that share a request by a key, and rows of one lane that must not overtake each other."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.bulk.batches import Batch, EncodedRows
from t1data.bulk.engine import Engine
from t1data.bulk.job import Job
from t1data.bulk.progress import Watch
from t1data.errors import BadRequestError, ConflictError, NoAnswerError, NotFoundError, RequestError
from t1data.journal.records import Line
from t1data.journal.runs import Run, read_run
from t1data.journal.store import Journal


@dataclass
class Answer:
    status: int = 204
    body: bytes = b""
    attempts: int = 1
    waited: float = 0.0
    warning: str = ""


@dataclass
class Ledger:
    """A server that writes down what arrived, and fails as it is told."""

    fails: dict[int, RequestError] = field(default_factory=dict)
    arrived: list[tuple[str | None, list[int]]] = field(default_factory=list)
    overlapped: list[str] = field(default_factory=list)
    _busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, batch: Batch, stop: threading.Event, on_wait: object) -> Answer:
        rows = json.loads(batch.body(b"[", b"]"))
        with self._lock:
            self.arrived.append((batch.key, rows))
            if batch.lane in self._busy:
                self.overlapped.append(batch.lane)
            if batch.lane is not None:
                self._busy.add(batch.lane)
        threading.Event().wait(0)  # lets another sender run, if there is one
        with self._lock:
            self._busy.discard(batch.lane or "")
            failure = next((self.fails[row] for row in rows if row in self.fails), None)
        if failure is not None:
            raise failure
        return Answer()


def encoded(keys: list[str | None], *, lanes: list[str] | None = None, chunk: int = 7) -> list[EncodedRows]:
    """One row for each key; a key of None is a row that cannot be sent."""
    found = []
    for start in range(0, len(keys), chunk):
        stop = min(start + chunk, len(keys))
        good = [row for row in range(start, stop) if keys[row] is not None]
        found.append(
            EncodedRows(
                np.array(good, dtype=np.int64),
                pa.array([f"{row},".encode() for row in good], pa.binary()),
                [Line(row, "id_empty") for row in range(start, stop) if keys[row] is None],
                stop,
                pa.array([keys[row] for row in good], pa.string()),
                None if lanes is None else pa.array([lanes[row] for row in good], pa.string()),
            )
        )
    return found


def run_through(path: Path, rows: list[EncodedRows], ledger: Ledger, **facts: object) -> Run:
    """Run a job over rows that can be read only once, as those of a file are."""
    job = Job(ledger.send, **facts)  # type: ignore[arg-type]
    total = rows[-1].stop
    watch = Watch(total)
    with Journal(path) as journal:
        journal.begin("a-run", "upsert_profiles", base_url="http://127.0.0.1", facts={}, rows=total)
        journal.reopen()
        Engine(journal, job, watch).run(iter(rows))
        journal.finish(stopped=watch.stopped)
    return read_run(path)


@settings(max_examples=60, deadline=None)
@given(
    keys=st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=60),
    limit=st.integers(1, 9),
    chunk=st.integers(1, 20),
)
def test_rows_of_a_key_share_as_few_requests_as_the_limit_allows(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str | None], limit: int, chunk: int
) -> None:
    ledger = Ledger()
    path = tmp_path_factory.mktemp("run") / "run.sqlite"
    run = run_through(path, encoded(keys, chunk=chunk), ledger, batch_limit=limit, by_key=True)
    wanted = defaultdict(list)
    for row, key in enumerate(keys):
        wanted[key].append(row)
    bad = len(wanted.pop(None, []))
    got = defaultdict(list)
    for key, rows in ledger.arrived:
        assert len(rows) <= limit
        got[key] += rows
    assert {key: sorted(rows) for key, rows in got.items()} == dict(wanted)
    assert len(ledger.arrived) == sum(-(-len(rows) // limit) for rows in wanted.values())
    assert run.counts == {"accepted": len(keys) - bad, "invalid": bad, "refused": 0, "unsent": 0, "in_doubt": 0}


@settings(max_examples=40, deadline=None)
@given(keys=st.lists(st.sampled_from(["a", "b", None]), min_size=1, max_size=40), lost=st.sets(st.integers(0, 39)))
def test_a_resume_sends_scattered_rows_once_more_and_no_others(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str | None], lost: set[int]
) -> None:
    path = tmp_path_factory.mktemp("run") / "run.sqlite"
    first = Ledger({row: NoAnswerError("lost", attempts=1) for row in lost})
    run_through(path, encoded(keys), first, batch_limit=3, by_key=True)
    second = Ledger()
    run = run_through(path, encoded(keys), second, batch_limit=3, by_key=True)
    sent = sorted(row for row, key in enumerate(keys) if key is not None)
    answered = {row for _, rows in first.arrived if not lost & set(rows) for row in rows}
    assert sorted(row for _, rows in second.arrived for row in rows) == sorted(set(sent) - answered)
    assert run.counts["accepted"] == len(sent)
    assert run.counts["unsent"] == run.counts["in_doubt"] == 0


@settings(max_examples=40, deadline=None)
@given(lanes=st.lists(st.sampled_from("abcd"), min_size=1, max_size=50), connections=st.integers(1, 8))
def test_rows_of_a_lane_are_sent_in_order_and_never_two_at_once(
    tmp_path_factory: pytest.TempPathFactory, lanes: list[str], connections: int
) -> None:
    ledger = Ledger()
    path = tmp_path_factory.mktemp("run") / "run.sqlite"
    rows = encoded([f"s{row}" for row in range(len(lanes))], lanes=lanes)
    run_through(path, rows, ledger, batch_limit=1, connections=connections)
    assert not ledger.overlapped
    for lane in set(lanes):
        mine = [row for _, (row,) in ledger.arrived if lanes[row] == lane]
        assert mine == sorted(mine)
    assert len(ledger.arrived) == len(lanes)


@pytest.mark.parametrize("failure", [ConflictError("busy", status=409, attempts=3), NoAnswerError("lost", attempts=3)])
def test_what_comes_after_a_row_without_a_clear_answer_waits_for_the_resume(
    tmp_path: Path, failure: RequestError
) -> None:
    rows = encoded(["s0", "s1", "s2", "s3"], lanes=["ada", "ada", "bob", "ada"])
    run = run_through(tmp_path / "run.sqlite", rows, first := Ledger({0: failure}), batch_limit=1)
    assert sorted(row for _, (row,) in first.arrived) == [0, 2]
    assert run.counts["accepted"] == 1
    assert "earlier row" in run.outcomes.loc[2, "message"]
    run = run_through(tmp_path / "run.sqlite", rows, second := Ledger(), batch_limit=1, connections=3)
    assert [row for _, (row,) in second.arrived] == [0, 1, 3]
    assert run.complete


def test_a_row_in_doubt_that_cannot_be_repeated_does_not_hold_its_lane(tmp_path: Path) -> None:
    rows = encoded(["e0", "e1"], lanes=["ada", "ada"])
    ledger = Ledger({0: NoAnswerError("lost", attempts=1)})
    run = run_through(tmp_path / "run.sqlite", rows, ledger, batch_limit=1, repeatable=False)
    assert run.outcomes["outcome"].tolist() == ["in_doubt", "accepted"]


def test_a_refused_row_does_not_hold_its_lane(tmp_path: Path) -> None:
    rows = encoded(["s0", "s1"], lanes=["ada", "ada"])
    ledger = Ledger({0: BadRequestError("no", status=400, attempts=1)})
    run = run_through(tmp_path / "run.sqlite", rows, ledger, batch_limit=1)
    assert run.outcomes["outcome"].tolist() == ["refused", "accepted"]


def not_found(body: bytes) -> NotFoundError:
    return NotFoundError("not found", status=404, body=body, attempts=1)


def test_a_404_of_the_api_is_about_the_row_that_the_path_names(tmp_path: Path) -> None:
    ledger = Ledger({1: not_found(b'{"message": "no such profile"}')})
    run = run_through(tmp_path / "run.sqlite", encoded(["a", "b", "c"]), ledger, batch_limit=1, names_one=True)
    assert run.outcomes["outcome"].tolist() == ["accepted", "refused", "accepted"]
    assert run.outcomes.loc[2, "reason"] == "not_found"


def test_the_id_in_the_path_does_not_come_back_in_the_words_that_are_written_down(tmp_path: Path) -> None:
    problems = [{"title": "Unknown", "details": 'there is no profile "ada@example.com"'}]
    refusal = BadRequestError("no", status=400, attempts=1, problems=problems)
    run = run_through(tmp_path / "run.sqlite", encoded(["ada@example.com"]), Ledger({0: refusal}), batch_limit=1)
    assert run.outcomes.loc[1, "message"] == 'Unknown: there is no profile "…"'
    assert b"ada@example.com" not in (tmp_path / "run.sqlite").read_bytes()


def test_a_404_of_another_server_stops_the_run(tmp_path: Path) -> None:
    ledger = Ledger({0: not_found(b"<html>nginx</html>")})
    rows = encoded(["a", "b", "c"])
    run = run_through(tmp_path / "run.sqlite", rows, ledger, batch_limit=1, names_one=True, connections=1)
    assert run.counts["unsent"] == 3
    assert run.stopped == "not found"


def test_what_was_not_read_is_unsent_and_not_in_doubt(tmp_path: Path) -> None:
    ledger = Ledger({1: NoAnswerError("lost", attempts=4)})
    run = run_through(tmp_path / "run.sqlite", encoded(["a", "b"]), ledger, batch_limit=1, changes_nothing=True)
    assert run.counts["unsent"] == 1
    assert run.counts["in_doubt"] == 0


def test_a_run_of_single_rows_stops_when_the_first_are_all_refused_alike(tmp_path: Path) -> None:
    everything = dict.fromkeys(range(200), BadRequestError("no such type", status=400, attempts=1))
    rows = encoded([f"e{row}" for row in range(200)], chunk=50)
    run = run_through(tmp_path / "run.sqlite", rows, ledger := Ledger(everything), batch_limit=1)
    assert len(ledger.arrived) < 30
    assert run.stopped is not None
    assert "no such type" in run.stopped


def test_a_row_without_a_key_has_a_request_of_its_own(tmp_path: Path) -> None:
    (rows,) = encoded(["a", "x", "a", "x"])
    keys = pa.array(["a", None, "a", None], pa.string())
    ledger = Ledger()
    run = run_through(tmp_path / "run.sqlite", [replace(rows, keys=keys)], ledger, batch_limit=9, by_key=True)
    assert sorted(ledger.arrived, key=str) == [("a", [0, 2]), (None, [1]), (None, [3])]
    assert run.counts["accepted"] == 4


@pytest.mark.parametrize("repeatable", [True, False])
def test_two_batches_refused_alike_stop_a_run_that_cannot_find_out_which_row_it_was(
    tmp_path: Path, repeatable: bool
) -> None:
    refusal = BadRequestError("there is no such campaign", status=400, attempts=1)
    rows = encoded(["a"] * 2000)
    ledger = Ledger(dict.fromkeys(range(2000), refusal))
    run = run_through(
        tmp_path / "run.sqlite", rows, ledger, batch_limit=100, by_key=True, connections=1, repeatable=repeatable
    )
    assert run.stopped is not None
    assert "there is no such campaign" in run.stopped
    if not repeatable:
        assert len(ledger.arrived) == 2
        assert (run.counts["refused"], run.counts["unsent"]) == (200, 1800)
