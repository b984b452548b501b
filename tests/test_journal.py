from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.errors import JournalError
from t1data.journal.names import new_run_id
from t1data.journal.place import held_by, on_network
from t1data.journal.reads import reading
from t1data.journal.records import OUTCOMES, next_state, outcome_of
from t1data.journal.runs import read_run
from t1data.journal.store import Journal

STATES = ("planned", "intent", "answered", "done", "refused", "in_doubt", "resent")
EVENTS = ("intend", "withhold", "answer", "accept", "refuse", "doubt")
ALLOWED = {
    ("planned", "intend"): "intent",
    ("intent", "withhold"): "planned",
    ("intent", "answer"): "answered",
    ("intent", "doubt"): "in_doubt",
    ("answered", "accept"): "done",
    ("answered", "refuse"): "refused",
    ("answered", "doubt"): "in_doubt",
    ("answered", "withhold"): "planned",
    ("in_doubt", "intend"): "resent",
    ("in_doubt", "accept"): "done",
    ("in_doubt", "withhold"): "planned",
    ("resent", "answer"): "answered",
    ("resent", "accept"): "done",
    ("resent", "refuse"): "refused",
    ("resent", "doubt"): "in_doubt",
    ("resent", "withhold"): "in_doubt",
}


@pytest.mark.parametrize(("state", "event"), list(product(STATES, EVENTS)))
def test_a_batch_changes_its_state_only_as_the_table_says(state: str, event: str) -> None:
    if (state, event) in ALLOWED:
        assert next_state(state, event) == ALLOWED[state, event]
    else:
        with pytest.raises(JournalError, match="cannot take"):
            next_state(state, event)


def test_nothing_follows_a_batch_that_is_done_or_refused() -> None:
    assert not [key for key in ALLOWED if key[0] in ("done", "refused")]


def test_every_state_means_one_of_the_five_outcomes() -> None:
    assert {outcome_of(state) for state in STATES} <= set(OUTCOMES)
    assert outcome_of("intent") == "in_doubt"


def started(path: Path, rows: int = 5) -> Journal:
    journal = Journal(path)
    journal.begin("a-run", "upsert_profiles", base_url="http://127.0.0.1", facts={}, rows=rows)
    return journal


def test_an_intent_is_on_the_disk_before_it_returns(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    journal = started(path)
    journal.plan(1, [(0, 5)], 5)
    journal.intend(1)
    with reading(path) as other:  # another connection sees only what is committed
        assert other.execute("SELECT state FROM batch").fetchall() == [("intent",)]
    journal.close()


def test_a_process_that_dies_after_the_intent_leaves_its_rows_in_doubt(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    code = f"""
import os
from pathlib import Path
from t1data.journal.store import Journal
journal = Journal(Path({str(path)!r}))
journal.begin("a-run", "upsert_profiles", base_url="http://127.0.0.1", facts={{}}, rows=7)
journal.plan(1, [(0, 3)], 3)
journal.intend(1)
journal.plan(2, [(3, 7)], 4)
os.kill(os.getpid(), 9)
"""
    died = subprocess.run([sys.executable, "-c", code], check=False)
    assert died.returncode == -9
    assert read_run(path).counts == {"accepted": 0, "invalid": 0, "refused": 0, "unsent": 4, "in_doubt": 3}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_every_file_of_a_journal_is_private_whatever_the_umask(
    tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))
    before = os.umask(umask)
    try:
        journal = started(tmp_path / "runs" / "run.sqlite")
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "runs").iterdir()}
    assert set(modes) == {"run.sqlite", "run.sqlite-wal", "run.sqlite-shm", "run.sqlite.reserve"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "runs").stat().st_mode) == 0o700 & ~umask
    journal.close()


def test_only_the_usual_folder_is_made_and_another_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"there is no folder .*rums for a journal; make it, or name another"):
        Journal(tmp_path / "rums" / "run.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_being_sent_is_called_in_use_and_not_complete(tmp_path: Path) -> None:
    journal = started(tmp_path / "run.sqlite")
    run = read_run(journal.path)
    assert f"process {os.getpid()} on " in str(run.in_use)
    assert (run.complete, "in use by process" in repr(run), "In use by process" in run._repr_html_()) == (
        False,
        True,
        True,
    )
    journal.close()
    run = read_run(journal.path)
    assert (run.in_use, "in use" in repr(run)) == (None, False)


def test_rows_on_their_way_are_told_as_such_while_they_are_and_after_a_kill(tmp_path: Path) -> None:
    journal = started(tmp_path / "run.sqlite")
    journal.plan(1, [(0, 3)], 3)
    journal.intend(1)
    told = {("in_doubt", "no_answer", "sent, and no answer has been read")}
    for _ in range(2):
        on_their_way = read_run(journal.path).outcomes.head(3)[["outcome", "reason", "message"]]
        assert set(on_their_way.itertuples(index=False, name=None)) == told
        journal.close()


def test_who_looks_whether_a_run_is_in_use_keeps_nobody_from_starting_it(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    started(path).close()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            held_by(path)

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    for _ in range(20):
        Journal(path).close()
    done.set()
    for looker in lookers:
        looker.join()


def test_a_closed_journal_is_one_file(tmp_path: Path) -> None:
    started(tmp_path / "run.sqlite").close()
    assert [file.name for file in tmp_path.iterdir()] == ["run.sqlite"]


def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    journal = started(tmp_path / "run.sqlite")
    journal.close()
    with pytest.raises(JournalError, match="is closed"):
        journal.intend(1)


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("integration_id\n00001\n" * 300)
    with pytest.raises(JournalError, match="not a journal"):
        Journal(path)
    assert path.read_text() == "integration_id\n00001\n" * 300


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="not a journal"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_journal_of_another_version_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    started(path).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE run SET schema_version = 99")
    db.close()
    with pytest.raises(JournalError, match=r"another version of t1data \(journal 99"):
        Journal(path)


def test_a_missing_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal at"):
        read_run(tmp_path / "none.sqlite")


def test_a_journal_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "elsewhere.sqlite")
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(tmp_path / "link.sqlite")
    assert not (tmp_path / "elsewhere.sqlite").exists()


def test_a_full_disk_stops_before_anything_is_sent(tmp_path: Path) -> None:
    journal = started(tmp_path / "run.sqlite")
    journal._db.execute("PRAGMA max_page_count = 1")

    def fill() -> None:
        for number in range(1, 500):
            journal.plan(number, [(number * 100, number * 100 + 100)], 100)
            journal.intend(number)

    with pytest.raises(JournalError, match=r"cannot be written \(database or disk is full, [\d,]+ bytes free\)"):
        fill()
    journal._db.execute("PRAGMA max_page_count = 100000")
    journal.close()


def test_ten_million_accepted_rows_fit_in_five_megabytes(tmp_path: Path) -> None:
    journal = started(tmp_path / "run.sqlite", rows=10_000_000)
    journal._db.execute("PRAGMA synchronous = OFF")  # only to be quick: the size is what is judged here
    for number in range(1, 10_001):
        journal.plan(number, [((number - 1) * 1000, number * 1000)], 1000)
        journal.intend(number)
        journal.settle(number, "accept", status=204, attempts=1, waited=0.02)
    journal.close()
    assert read_run(tmp_path / "run.sqlite").counts["accepted"] == 10_000_000
    assert (tmp_path / "run.sqlite").stat().st_size < 5_000_000


def test_run_ids_sort_by_time_and_are_safe_as_file_names() -> None:
    first, second = new_run_id("upsert_profiles", 0.0), new_run_id("upsert_profiles", 1.0)
    assert first < second
    assert first.startswith("19700101-000000-upsert-profiles-")


FILL_A_SMALL_DISK = """
import subprocess, sys
from pathlib import Path
disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk], check=True)
from t1data.errors import JournalError
from t1data.journal.runs import read_run
from t1data.journal.store import Journal
journal = Journal(disk / "run.sqlite")
journal.begin("a-run", "upsert_profiles", base_url="http://127.0.0.1", facts={}, rows=20)
for number in (1, 2):
    journal.plan(number, [(number * 10 - 10, number * 10)], 10)
    journal.intend(number)
with open(disk / "filler", "wb", buffering=0) as filler:
    try:
        while True:
            filler.write(bytes(4096))
    except OSError:
        pass
said, number = "", 2
while not said:
    number += 1
    try:
        journal.plan(number, [(20, 21)] * 200, 0)
        journal.intend(number)
    except JournalError as error:
        said = str(error)
for number in (1, 2):
    journal.settle(number, "accept", status=204, attempts=1)
journal.finish(stopped=said)
journal.close()
run = read_run(disk / "run.sqlite")
print(run.counts["accepted"], run.stopped)
"""


def test_the_answers_of_requests_in_flight_find_room_on_a_disk_that_fills_up(tmp_path: Path) -> None:
    # A real small disk, in a mount namespace of its own so that nothing else on the machine sees it.
    alone = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    command = [*alone, sys.executable, "-c", FILL_A_SMALL_DISK, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("20 the journal ")
    assert "bytes free); nothing more is sent" in done.stdout


@pytest.mark.parametrize(
    ("place", "network"),
    [
        ("/people/ada/runs/run.sqlite", True),
        ("/tmp/run.sqlite", False),
        ("/net/my share/run.sqlite", True),
        ("/ext/phone/run.sqlite", True),
    ],
)
def test_a_network_home_is_known_by_its_kind(place: str, network: bool) -> None:
    mounts = (
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "36 22 0:32 / /people rw,relatime shared:2 - nfs4 server:/people rw\n"
        "37 22 0:33 / /net/my\\040share rw - cifs //server/share rw\n"
        "38 22 0:34 / /ext/phone rw - fuse.sshfs phone: rw\n"
    )
    assert on_network(Path(place), mounts=mounts) is network


def test_a_journal_that_is_closed_can_be_read_without_leaving_files_beside_it(tmp_path: Path) -> None:
    started(tmp_path / "run.sqlite").close()
    read_run(tmp_path / "run.sqlite")
    assert [file.name for file in tmp_path.iterdir()] == ["run.sqlite"]


DIES_IN_A_STEP = """
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size = 2")  # so that pages of the open step reach the file
db.execute("BEGIN IMMEDIATE")
db.executemany("INSERT INTO line (row, reason) VALUES (?, 'half a step')", ((row,) for row in range(5000)))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_journal_without_a_log_is_read_though_its_writer_was_killed_in_a_step(tmp_path: Path) -> None:
    journal = started(tmp_path / "run.sqlite")
    journal.plan(1, [(0, 5)], 5)
    journal.intend(1)
    journal.close()  # leaves one file, in the mode of network homes
    subprocess.run([sys.executable, "-c", DIES_IN_A_STEP, str(journal.path)], check=False, timeout=60)
    assert (tmp_path / "run.sqlite-journal").exists()
    assert read_run(journal.path).counts["in_doubt"] == 5


def test_a_journal_that_is_deleted_under_the_run_lets_nothing_more_out(tmp_path: Path) -> None:
    journal = started(tmp_path / "run.sqlite")
    journal.plan(1, [(0, 5)], 5)
    (tmp_path / "run.sqlite").unlink()
    with pytest.raises(JournalError, match="moved or deleted"):
        journal.intend(1)
    journal.close()


@settings(max_examples=120, deadline=None)
@given(place=st.integers(100, 40_000), flipped=st.integers(1, 255))
def test_a_journal_with_one_byte_changed_opens_or_is_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, whole_journal: bytes, place: int, flipped: int
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "run.sqlite"
    damaged = bytearray(whole_journal)
    damaged[place % len(damaged)] ^= flipped
    path.write_bytes(damaged)
    with suppress(JournalError):  # anything else that is raised fails the test
        journal = Journal(path)
        try:
            journal.head()
            journal.settled()
            journal.open_batches(STATES)
            journal.root_spans()
        finally:
            journal.close()
    with suppress(JournalError):
        run = read_run(path)
        assert sum(run.counts.values()) == run.rows
        assert len(run.outcomes) == run.rows
        assert len(run.batches) == 50


@pytest.fixture(scope="module")
def whole_journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "run.sqlite"
    journal = started(path, rows=5000)
    for number in range(1, 51):
        journal.plan(number, [((number - 1) * 100, number * 100)], 100)
        journal.intend(number)
        journal.settle(number, "accept", status=204, attempts=1)
    journal.close()
    return path.read_bytes()


def test_a_journal_that_is_cut_short_is_refused(tmp_path: Path, whole_journal: bytes) -> None:
    path = tmp_path / "run.sqlite"
    path.write_bytes(whole_journal[: len(whole_journal) // 2])
    with pytest.raises(JournalError, match="damaged"):
        Journal(path)
