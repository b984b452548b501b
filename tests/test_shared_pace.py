"""Processes share one pace: one budget, fair parts, and nobody waits for the dead."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time as real_time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from clocks import Time
from fault_server import Caller, FaultServer, answer
from hypothesis import given, settings
from hypothesis import strategies as st
from shell import Shell, variables

from t1data import Client, Sandbox
from t1data.errors import ConfigError
from t1data.transport.pace import Pacer, wait_for
from t1data.transport.pace_file import PaceFile, shared_file

KEY = "0123456789abcdef"
SHOP = "https://shop.talon.one"
STEPS = ["starts", "refused", "good", "held", "idle"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pace" / "shop.sqlite"


@pytest.fixture
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def shared(file: Path, time: Time, *, rate: float | None = 10) -> Pacer:
    return Pacer(rate, clock=time, change=PaceFile(file, clock=time).change)


def start(pacer: Pacer, time: Time) -> float:
    assert not pacer.pause(None, time.wait)
    return round(time.now - 1000, 6)


# --- what is shared ------------------------------------------------------------------------------------------


def test_two_pacers_take_turns(file: Path):
    time = Time()
    one, other = shared(file, time), shared(file, time)
    assert [start(pacer, time) for pacer in (one, other, one, other)] == [0, 0.1, 0.2, 0.3]


def test_what_one_is_told_holds_for_all(file: Path):
    time = Time()
    one, other = shared(file, time), shared(file, time)
    one.hold(7)
    assert start(other, time) == 7
    one.slowed(time.now)
    assert [start(other, time) for _ in range(2)] == [7.2, 7.4]
    other.slowed(time.now - 0.5)  # an answer to a request from before
    assert other.rate == 5


def test_a_hold_reaches_those_who_wait_already(file: Path):
    time = Time()
    one, other = shared(file, time), shared(file, time)
    start(one, time)

    def wait(stop: threading.Event | None, seconds: float) -> bool:
        if time.now < 1007:
            one.hold(7)
        return time.wait(stop, seconds)

    other.pause(None, wait)
    assert time.now >= 1007


def test_good_answers_of_all_bring_the_rate_back_for_all(file: Path):
    time = Time()
    pacers = [shared(file, time), shared(file, time)]
    pacers[0].slowed(time.now)
    for number in range(400):
        start(pacers[number % 2], time)
        pacers[number % 2].good(time.now)
    assert time.now < 1060
    assert [pacer.rate for pacer in pacers] == [10, 10]


def test_each_keeps_to_its_own_rate_in_the_common_one(file: Path):
    time = Time()
    slow, fast = shared(file, time, rate=1), shared(file, time, rate=10)
    assert [start(slow, time) for _ in range(3)] == [0, 1, 2]
    assert [start(fast, time) for _ in range(3)] == [2.1, 2.2, 2.3]


@settings(deadline=None, max_examples=25)
@given(steps=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(STEPS)), max_size=40))
def test_several_together_never_exceed_the_rate(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]]):
    time = Time()
    file = tmp_path_factory.mktemp("pace") / "shop.sqlite"
    pacers, found = [shared(file, time) for _ in range(3)], []
    for number, step in steps:
        if step == "starts":
            found.append(start(pacers[number], time))
        elif step == "refused":
            pacers[number].slowed(time.now)
        elif step == "good":
            pacers[number].good(time.now)
        elif step == "held":
            pacers[number].hold(0.5)
        else:
            time.now += 0.7
    for first in range(len(found)):
        for last in range(first, len(found)):
            assert last - first <= (found[last] - found[first]) * 10 + 5 + 1e-3


# --- the file -----------------------------------------------------------------------------------------------


def test_the_file_is_private_and_names_neither_key_nor_host(state_home: Path):
    with Client(SHOP, KEY, pace="shared"):
        (file,) = state_home.rglob("*.sqlite")
    assert file == shared_file(SHOP)
    assert "shop" not in str(file.relative_to(state_home))
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    for left in file.parent.iterdir():
        assert left.stat().st_mode & 0o077 == 0
        assert KEY.encode() not in left.read_bytes()
        assert b"shop" not in left.read_bytes()


def test_a_pace_belongs_to_a_base_url(state_home: Path):
    assert shared_file(SHOP) == shared_file(f"{SHOP}/")
    assert shared_file(SHOP) != shared_file("https://other.talon.one")


def test_a_pace_of_ones_own_leaves_no_file(state_home: Path):
    with Client.from_env({"T1DATA_BASE_URL": SHOP, "T1DATA_API_KEY": KEY}):
        assert list(state_home.iterdir()) == []


def test_clients_made_from_the_environment_and_from_a_file_can_share(state_home: Path, monkeypatch: pytest.MonkeyPatch):
    config = state_home / "config.toml"
    config.write_text(f'[environments.shop]\nbase_url = "{SHOP}"\nkey = "env:SHOP_KEY"\n', encoding="utf-8")
    monkeypatch.setenv("SHOP_KEY", KEY)
    for make in (
        lambda: Client.from_env({"T1DATA_BASE_URL": SHOP, "T1DATA_API_KEY": KEY}, pace="shared"),
        lambda: Client.from_config("shop", path=config, pace="shared"),
    ):
        with make():
            shared_file(SHOP).unlink()  # it was there


def test_an_unknown_pace_is_told():
    with pytest.raises(ConfigError, match='"own" or "shared"'):
        Client(SHOP, KEY, pace="common")  # type: ignore[arg-type]


def test_a_file_that_cannot_be_made_is_told_at_the_start(state_home: Path):
    (state_home / "t1data").write_text("not a folder")
    with pytest.raises(ConfigError, match="cannot be shared"):
        Client(SHOP, KEY, pace="shared")


def test_a_file_that_is_something_else_is_told_at_the_start_and_kept(file: Path):
    file.parent.mkdir()
    file.write_text("something else" * 100)
    with pytest.raises(ConfigError, match="cannot be shared"):
        PaceFile(file)
    assert file.read_text() == "something else" * 100


def test_what_was_written_before_the_machine_started_again_counts_for_nothing(file: Path):
    before, after = Time(), Time()
    pacer = shared(file, before)
    pacer.hold(10_000)
    pacer.slowed(before.now)
    after.now = 5.0
    assert start(shared(file, after), after) == -995


@pytest.mark.parametrize("column", ["slot", "held", "era", "limit", "recent"])
@pytest.mark.parametrize("nonsense", [9e15, None, "later", float("inf"), -1.0])
def test_nonsense_in_the_file_holds_nobody(file: Path, column: str, nonsense: object):
    time = Time()
    start(shared(file, time), time)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute(f'UPDATE course SET "{column}" = ?', (nonsense,))
    assert start(shared(file, time), time) <= 0.1


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield


def test_a_file_locked_in_the_middle_stops_nobody_and_what_was_learnt_meanwhile_is_kept(
    file: Path, caplog: pytest.LogCaptureFixture
):
    time = Time()
    one, other = shared(file, time), shared(file, time)
    assert start(one, time) == 0
    with locked(file), caplog.at_level(logging.WARNING, "t1data.transport.pace"):
        began = real_time.monotonic()
        assert [start(one, time) for _ in range(20)] == [round(0.1 * n, 6) for n in range(1, 21)]
        one.slowed(time.now)
        one.hold(9)
        assert real_time.monotonic() - began < 1.5
    assert ["not shared" in text for text in caplog.messages] == [True]
    time.now += 6
    assert start(one, time) == 11  # tells the others
    assert start(other, time) == 11.2


def test_a_folder_that_is_deleted_in_the_middle_is_made_anew(file: Path):
    time = Time()
    one, other = shared(file, time), shared(file, time)
    start(one, time)
    for left in [*file.parent.iterdir(), file.parent]:
        left.rmdir() if left.is_dir() else left.unlink()
    assert [start(one, time), start(other, time)] == [0.1, 0.1]  # each alone
    time.now += 6
    one.hold(3)
    assert start(other, time) == 9.1
    assert file.exists()


# --- real processes -----------------------------------------------------------------------------------------

CHILD = """
import sys, threading, time
from pathlib import Path
from t1data.transport.pace import Pacer, wait_for
from t1data.transport.pace_file import PaceFile
pacer = Pacer(float(sys.argv[2]), change=PaceFile(Path(sys.argv[1])).change)
print("ready", flush=True)
ends = float(sys.stdin.readline()) + float(sys.argv[3])
starts = []
while time.monotonic() < ends:
    pacer.pause(None, wait_for)
    starts.append(time.monotonic())
print(*starts)
"""


def child(code: str, *words: object) -> subprocess.Popen[str]:
    """Start a Python process, and wait for its first line."""
    program = [sys.executable, "-W", "error", "-c", code, *map(str, words)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_three_processes_keep_one_rate_and_share_it_fairly(file: Path):
    children = [child(CHILD, file, 50, 1.0) for _ in range(3)]
    began = real_time.monotonic()
    for process in children:
        process.stdin.write(f"{began}\n")
        process.stdin.flush()
    shares = [[float(word) for word in process.communicate()[0].split()] for process in children]
    within = [sum(began <= at < began + 1 for at in share) for share in shares]
    assert sum(within) <= 50 + 5 + 1
    assert sum(within) >= 30  # 50, unless the machine is very busy
    assert min(within) >= sum(within) / 3 * 0.6


def test_a_killed_process_leaves_nothing_to_wait_for(file: Path):
    holding = (
        "import sqlite3, sys, time; db = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "db.execute('PRAGMA journal_mode = PERSIST'); db.execute('BEGIN IMMEDIATE');"
        "db.execute('UPDATE course SET slot = slot + 5'); print('holds', flush=True); time.sleep(60)"
    )
    pacer = Pacer(50, change=PaceFile(file).change)
    pacer.pause(None, wait_for)
    with child(holding, file) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    began = real_time.monotonic()
    for _ in range(3):
        pacer.pause(None, wait_for)
    assert real_time.monotonic() - began < 1


def test_a_process_killed_while_it_waits_costs_its_slots_and_no_more(file: Path):
    waiting = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from t1data.transport.pace import Pacer\n"
        "from t1data.transport.pace_file import PaceFile\n"
        "def wait(stop, seconds): print('waits', flush=True); time.sleep(60)\n"
        "pacer = Pacer(2, change=PaceFile(Path(sys.argv[1])).change)\n"
        "for _ in range(2): pacer.pause(None, wait)"
    )
    with child(waiting, file) as process:
        process.kill()
        process.communicate()
    slot = Pacer(2, change=PaceFile(file).change).slot()
    assert slot - real_time.monotonic() <= 1.0


def test_a_child_of_a_fork_shares_with_its_parent(file: Path):
    code = """
import os, sys
from pathlib import Path
from t1data.transport.pace import Pacer
from t1data.transport.pace_file import PaceFile
pacer = Pacer(1, change=PaceFile(Path(sys.argv[1])).change)
pacer.slot()
child = os.fork()
slots = [pacer.slot() for _ in range(50)]
if child:
    os.waitpid(child, 0)
os.write(1, (" ".join(map(str, slots)) + "\\n").encode())
"""
    ended = subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True, text=True)
    slots = sorted(float(word) for word in ended.stdout.split())
    assert len(slots) == 100
    assert all(after - before == pytest.approx(1) for before, after in pairwise(slots))


def test_stop_ends_a_wait_for_a_common_slot(file: Path):
    pacer = Pacer(10, change=PaceFile(file).change)
    pacer.hold(60)
    stop, stopped = threading.Event(), []

    def press() -> None:
        stopped.append(real_time.monotonic())
        stop.set()

    timer = threading.Timer(0.1, press)
    timer.start()
    assert pacer.pause(stop, wait_for)
    assert real_time.monotonic() - stopped[0] < 0.3
    timer.join()


def test_a_wait_that_a_server_asks_of_one_client_is_kept_by_another(state_home: Path):
    arrived: list[float] = []

    def note(caller: Caller) -> bool:
        arrived.append(real_time.monotonic())
        return answer(204)(caller)

    told: list[float] = []
    with (
        FaultServer(answer(429, None, {"Retry-After": "0.6"}), note) as server,
        Client(server.url, KEY, rate=50, pace="shared") as one,
        Client(server.url, KEY, rate=50, pace="shared") as other,
    ):

        def ask_elsewhere(reason: str, seconds: float) -> None:
            told.append(real_time.monotonic())
            other.send("update_customer_profiles_v2", body=b"{}")

        one.send("update_customer_profiles_v2", body=b"{}", on_wait=ask_elsewhere)
    assert arrived[0] - told[0] >= 0.59


def test_a_command_can_share_the_pace(
    state_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    people = state_home / "people.csv"
    people.write_text("integration_id,Name\na,Ada\n", encoding="utf-8")
    with Sandbox() as sandbox:
        for name, value in variables(sandbox, state_home).items():
            monkeypatch.setenv(name, value)
        assert Shell(capsys)("profiles", "upsert", people).code == 0
        assert not shared_file(sandbox.base_url).exists()
        assert Shell(capsys)("profiles", "upsert", people, "--pace", "shared").code == 0
        assert shared_file(sandbox.base_url).exists()
