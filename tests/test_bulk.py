"""The engine against a server that is a plain function: what it accepted is the judge, not the engine's word."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.bulk.batches import Batch, EncodedRows
from t1data.bulk.engine import Engine
from t1data.bulk.job import Job
from t1data.bulk.progress import Progress, Watch
from t1data.errors import (
    AuthError,
    BadRequestError,
    ConflictError,
    ConnectError,
    JournalError,
    NoAnswerError,
    TooLargeError,
)
from t1data.journal.records import Line
from t1data.journal.runs import Run, read_run
from t1data.journal.store import Journal

PREFIX, SUFFIX = b'{"customerProfiles":[', b"]}"


@dataclass(frozen=True)
class Answer:
    status: int = 204
    attempts: int = 1
    waited: float = 0.0
    warning: str = ""
    body: bytes = b""


@dataclass
class Server:
    """Accepts whole bodies, or refuses them whole when they hold a bad row."""

    bad: frozenset[int] = frozenset()
    pointers: str = "none"
    words: str = "is not good"
    accepted: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, body: bytes, stop: object, on_wait: object) -> Answer:
        ids = [profile["integrationId"] for profile in json.loads(body)["customerProfiles"]]
        with self.lock:
            self.requests += 1
            bad = [place for place, id_ in enumerate(ids) if int(id_) in self.bad]
            if bad:
                raise BadRequestError("refused", status=400, attempts=1, problems=self._problems(bad, len(ids)))
            self.accepted.update(ids)
        return Answer()

    def _problems(self, bad: list[int], count: int) -> list[dict[str, object]]:
        places = {
            "none": [],
            "first": bad[:1],
            "every": bad,
            "lying": [(bad[0] + 1) % count],
            "outside": [count + 5],
            "nonsense": ["x"],
        }[self.pointers]
        return [
            {"title": "Invalid", "details": self.words, "source": {"pointer": f"/customerProfiles/{place}/x"}}
            for place in places
        ]


def encoded(rows: list[int], *, chunk: int = 700, invalid: frozenset[int] = frozenset()) -> list[EncodedRows]:
    """Rows with their own number as id, in chunks as the encoder makes them."""
    found = []
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk]
        good = [row for row in part if row not in invalid]
        pieces = [f'{{"integrationId":"{row}","attributes":{{}}}},'.encode() for row in good]
        lines = [Line(row, "not_a_number") for row in part if row in invalid]
        found.append(
            EncodedRows(np.array(good, dtype=np.int64), pa.array(pieces, pa.large_binary()), lines, part[-1] + 1)
        )
    return found


def run_through(
    folder: Path,
    chunks: list[EncodedRows],
    send: Callable[..., object],
    *,
    total: int,
    name: str = "run.sqlite",
    watch: Watch | None = None,
    limit: int = 1000,
    connections: int = 4,
) -> Run:
    def post(batch: Batch, stop: threading.Event, on_wait: object) -> object:
        return send(batch.body(PREFIX, SUFFIX), stop, on_wait)

    job = Job(post, batch_limit=limit, connections=connections)  # type: ignore[arg-type]
    journal = Journal(folder / name)
    watch = watch or Watch(total)
    journal.begin("a-run", "upsert_profiles", base_url="http://127.0.0.1", facts={}, rows=total)
    try:
        journal.reopen()
        Engine(journal, job, watch).run(chunks)
    finally:
        journal.finish(stopped=watch.stopped)
        journal.close()
    return read_run(folder / name)


def test_every_row_is_accepted_once_and_the_counts_add_up(tmp_path: Path) -> None:
    server = Server()
    run = run_through(tmp_path, encoded(list(range(2501))), server.send, total=2501)
    assert run.counts == {"accepted": 2501, "invalid": 0, "refused": 0, "unsent": 0, "in_doubt": 0}
    assert server.accepted == Counter({str(row): 1 for row in range(2501)})
    assert server.requests == 3


@settings(max_examples=60, deadline=None)
@given(
    total=st.integers(1, 60),
    limit=st.integers(1, 20),
    chunk=st.integers(1, 30),
    invalid=st.frozensets(st.integers(0, 59), max_size=20),
)
def test_batches_joined_are_the_input_for_every_length(
    tmp_path_factory: pytest.TempPathFactory, total: int, limit: int, chunk: int, invalid: frozenset[int]
) -> None:
    server = Server()
    chunks = encoded(list(range(total)), chunk=chunk, invalid=invalid)
    run = run_through(tmp_path_factory.mktemp("run"), chunks, server.send, total=total, limit=limit)
    good = [str(row) for row in range(total) if row not in invalid]
    assert server.accepted == Counter(good)
    outcomes = run.outcomes
    assert list(outcomes.index) == list(range(1, total + 1))
    assert [row - 1 for row in outcomes.index[outcomes["outcome"] == "invalid"]] == sorted(
        row for row in invalid if row < total
    )


@settings(max_examples=80, deadline=None)
@given(
    total=st.integers(1, 120),
    bad=st.frozensets(st.integers(0, 119), max_size=12),
    pointers=st.sampled_from(["none", "first", "every", "lying", "outside", "nonsense"]),
    data=st.data(),
)
def test_a_refused_batch_is_narrowed_to_exactly_its_bad_rows(
    tmp_path_factory: pytest.TempPathFactory,
    total: int,
    bad: frozenset[int],
    pointers: str,
    data: st.DataObject,
) -> None:
    bad = frozenset(row for row in bad if row < total)
    server = Server(bad, pointers=pointers)
    limit = data.draw(st.integers(1, 60))
    run = run_through(
        tmp_path_factory.mktemp("run"), encoded(list(range(total))), server.send, total=total, limit=limit
    )
    outcomes = run.outcomes
    assert sum(run.counts.values()) == total
    refused = {int(row) - 1 for row in outcomes.index[outcomes["outcome"] == "refused"]}
    assert refused <= bad, "a good row was called refused"
    assert set(server.accepted.values()) <= {1}
    if len(bad) < 8:
        assert refused == bad
        assert {int(row) for row in server.accepted} == set(range(total)) - bad


@settings(max_examples=80, deadline=None)
@given(
    bad=st.frozensets(st.integers(0, 59), max_size=7),
    invalid=st.frozensets(st.integers(0, 59), max_size=20),
    pointers=st.sampled_from(["none", "first", "every", "lying", "outside"]),
)
def test_narrowing_gives_each_row_its_own_outcome_when_rows_between_them_are_not_sent(
    tmp_path_factory: pytest.TempPathFactory, bad: frozenset[int], invalid: frozenset[int], pointers: str
) -> None:
    server = Server(bad - invalid, pointers=pointers)
    chunks = encoded(list(range(60)), invalid=invalid)
    outcomes = run_through(tmp_path_factory.mktemp("run"), chunks, server.send, total=60).outcomes["outcome"]
    due = ["invalid" if row in invalid else "refused" if row in bad else "accepted" for row in range(60)]
    assert outcomes.tolist() == due


@pytest.mark.parametrize("bad", [0, 1, 499, 500, 998, 999])
@pytest.mark.parametrize(
    ("pointers", "at_most"), [("every", 3), ("first", 3), ("none", 21), ("lying", 21), ("outside", 21)]
)
def test_one_bad_row_of_a_thousand_costs_few_requests(tmp_path: Path, bad: int, pointers: str, at_most: int) -> None:
    server = Server(frozenset([bad]), pointers=pointers)
    run = run_through(tmp_path, encoded(list(range(1000))), server.send, total=1000)
    assert run.counts["refused"] == 1
    assert run.counts["accepted"] == 999
    assert server.requests <= at_most
    assert list(run.failures.index) == [bad + 1]


def test_when_every_row_fails_with_the_same_words_the_run_stops_after_two_batches(tmp_path: Path) -> None:
    server = Server(frozenset(range(10_000)), pointers="every", words='The attribute "Nmae" is not defined')
    run = run_through(tmp_path, encoded(list(range(10_000))), server.send, total=10_000, connections=1)
    assert server.requests < 60
    assert run.counts["refused"] + run.counts["unsent"] == 10_000
    assert "mapping" in str(run.stopped)
    assert "Nmae" in str(run.stopped)


@pytest.mark.parametrize("pointers", ["none", "first", "every"])
def test_one_row_in_a_hundred_refused_with_the_same_words_does_not_stop_the_run(tmp_path: Path, pointers: str) -> None:
    server = Server(frozenset(range(50, 4000, 100)), pointers=pointers)
    run = run_through(tmp_path, encoded(list(range(4000))), server.send, total=4000)
    assert run.stopped is None
    assert run.counts == {"accepted": 3960, "invalid": 0, "refused": 40, "unsent": 0, "in_doubt": 0}


def test_half_of_the_rows_bad_for_many_reasons_is_still_exact(tmp_path: Path) -> None:
    bad = frozenset(range(0, 300, 2))
    server = Server(bad)
    run = run_through(tmp_path, encoded(list(range(300))), server.send, total=300)
    assert run.counts["refused"] == 150
    assert run.counts["accepted"] == 150
    halving, searching = 2 * 300, 8 * (9 + 2)  # eight searches of log2(300) + 2 requests come before the halving
    assert server.requests <= halving + searching


def test_a_wrong_key_stops_the_run_and_every_row_stays_unsent(tmp_path: Path) -> None:
    requests = []

    def send(body: bytes, stop: object, on_wait: object) -> Answer:
        requests.append(body)
        raise AuthError("the key was not accepted", status=401, attempts=1)

    run = run_through(tmp_path, encoded(list(range(9000))), send, total=9000)
    assert run.counts["unsent"] == 9000
    assert len(requests) <= 4
    assert run.stopped == "the key was not accepted"
    assert set(run.outcomes["message"]) == {"the key was not accepted"}


def test_a_customer_that_others_are_changing_is_left_for_a_resume_and_not_called_refused(tmp_path: Path) -> None:
    server = Server()

    def conflict(body: bytes, stop: object, on_wait: object) -> Answer:
        raise ConflictError("too many requests for this profile", status=409, attempts=8)

    first = run_through(tmp_path, encoded([0]), conflict, total=1)
    assert first.counts["unsent"] == 1
    assert run_through(tmp_path, encoded([0]), server.send, total=1).counts["accepted"] == 1


def test_after_the_key_is_mended_the_same_journal_goes_on_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    server = Server()

    def revoked_after_three(body: bytes, stop: object, on_wait: object) -> Answer:
        if server.requests >= 3:
            raise AuthError("the key was not accepted", status=401, attempts=1)
        return server.send(body, stop, on_wait)

    first = run_through(tmp_path, encoded(list(range(9000))), revoked_after_three, total=9000, connections=1)
    assert first.counts["accepted"] == 3000
    second = run_through(tmp_path, encoded(list(range(9000))), server.send, total=9000)
    assert second.id == first.id
    assert second.counts["accepted"] == 9000
    assert set(server.accepted.values()) == {1}


def test_rows_without_a_clear_answer_are_in_doubt_and_go_out_again_on_resume(tmp_path: Path) -> None:
    server = Server()

    def lost(body: bytes, stop: object, on_wait: object) -> Answer:
        server.send(body, stop, on_wait)
        raise NoAnswerError("no answer came", attempts=8)

    first = run_through(tmp_path, encoded(list(range(8000))), lost, total=8000, connections=1)
    assert first.counts["in_doubt"] == 3000
    assert first.counts["unsent"] == 5000
    assert set(first.failures["reason"]) == {"no_answer", "stopped"}
    second = run_through(tmp_path, encoded(list(range(8000))), server.send, total=8000)
    assert second.counts["accepted"] == 8000
    assert Counter(server.accepted.values()) == {2: 3000, 1: 5000}


def test_an_unreachable_host_leaves_every_row_unsent(tmp_path: Path) -> None:
    def refuse(body: bytes, stop: object, on_wait: object) -> Answer:
        raise ConnectError("nobody listens there", attempts=1)

    run = run_through(tmp_path, encoded(list(range(10))), refuse, total=10)
    assert run.counts["unsent"] == 10
    assert run.stopped == "nobody listens there"


def test_a_body_that_is_too_large_is_halved_without_blaming_rows(tmp_path: Path) -> None:
    server = Server()

    def small_bodies_only(body: bytes, stop: object, on_wait: object) -> Answer:
        if len(body) > 4000:
            raise TooLargeError("too large", status=413, attempts=1)
        return server.send(body, stop, on_wait)

    run = run_through(tmp_path, encoded(list(range(1000))), small_bodies_only, total=1000)
    assert run.counts["accepted"] == 1000
    assert set(server.accepted.values()) == {1}


def test_ctrl_c_lets_no_new_request_start_and_returns_a_run_that_can_go_on(tmp_path: Path) -> None:
    server, answered = Server(), threading.Event()

    def chunks() -> list[EncodedRows]:
        return encoded(list(range(20_000)))

    def send(*sent: Any) -> object:
        answer = server.send(*sent)
        answered.set()
        return answer

    def interrupted():  # type: ignore[no-untyped-def]
        for place, chunk in enumerate(chunks()):
            if place == 10:
                assert answered.wait(30)
                raise KeyboardInterrupt
            yield chunk

    run = run_through(tmp_path, interrupted(), send, total=20_000)  # type: ignore[arg-type]
    sent = server.requests
    assert run.stopped == "interrupted"
    assert 0 < run.counts["accepted"] < 20_000
    assert run.counts["accepted"] == len(server.accepted)
    again = run_through(tmp_path, chunks(), server.send, total=20_000)
    assert again.counts["accepted"] == 20_000
    assert set(server.accepted.values()) == {1}
    assert server.requests > sent


def test_a_fault_of_our_own_is_raised_and_what_was_in_flight_is_in_doubt(tmp_path: Path) -> None:
    def broken(body: bytes, stop: object, on_wait: object) -> Answer:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_through(tmp_path, encoded(list(range(10))), broken, total=10)
    run = read_run(tmp_path / "run.sqlite")
    assert run.counts["in_doubt"] == 10


def test_progress_tells_every_row_and_the_waits(tmp_path: Path) -> None:
    told: list[Progress] = []

    def send(body: bytes, stop: object, on_wait: object) -> Answer:
        on_wait("429", 12.0)  # type: ignore[operator]
        return Answer()

    watch = Watch(3000, on_progress=told.append)
    run_through(tmp_path, encoded(list(range(3000))), send, total=3000, watch=watch, connections=1)
    assert told[-1].done == 3000
    assert told[-1].seconds_left == 0.0
    assert "429: again in 12 s" in {progress.waiting for progress in told}


def test_two_runs_at_once_on_one_journal_are_refused_with_the_holder_named(tmp_path: Path) -> None:
    first = Journal(tmp_path / "run.sqlite")
    first.begin("a-run", "upsert_profiles", base_url="http://127.0.0.1", facts={}, rows=0)
    with pytest.raises(JournalError, match=r"in use by process \d+"):
        Journal(tmp_path / "run.sqlite")
    first.close()
    Journal(tmp_path / "run.sqlite").close()


def test_a_resume_that_ends_early_forgets_no_doubt(tmp_path: Path) -> None:
    server = Server()

    def lost(body: bytes, stop: object, on_wait: object) -> Answer:
        server.send(body, stop, on_wait)
        raise NoAnswerError("no answer came", attempts=8)

    def revoked(body: bytes, stop: object, on_wait: object) -> Answer:
        raise AuthError("the key was not accepted", status=401, attempts=1)

    first = run_through(tmp_path, encoded(list(range(5000))), lost, total=5000, connections=1)
    second = run_through(tmp_path, encoded(list(range(5000))), revoked, total=5000, connections=1)
    assert first.counts["in_doubt"] == second.counts["in_doubt"] == 3000
    assert second.counts["unsent"] == 2000
    third = run_through(tmp_path, encoded(list(range(5000))), server.send, total=5000)
    assert third.counts["accepted"] == 5000
