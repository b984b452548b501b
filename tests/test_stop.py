"""A run is stopped by another process than the one that sends it."""

from __future__ import annotations

import inspect
import json
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from shell import UPSERT, Shell, end_all, ended, people, start, variables, wait_until

import t1data as t1
from t1data.bulk.progress import Watch
from t1data.bulk.stop import WHY, heeding
from t1data.cli import cli
from t1data.journal.place import held_by
from t1data.sandbox import Delay, Status

CREATE = "create_referrals_for_multiple_advocates"
SLOW = 0.15
ADA = pd.DataFrame({"integration_id": ["a"], "Name": ["Ada"]})


@pytest.fixture
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox() as running:
        running.load({"attributes": [{"name": "Name", "entity": "CustomerProfile", "type": "string"}]})
        yield running


@pytest.fixture(autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture
def shell(
    sandbox: t1.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    for name, value in variables(sandbox, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
        yield made


def sending(
    sandbox: t1.Sandbox, tmp_path: Path, journal: str = "run.sqlite", *, rows: int = 40_000
) -> subprocess.Popen[str]:
    """Start a process that sends a request at a time, and return it once the first of them is there."""
    place = () if journal == "usual" else ("--journal", journal)
    words = ("profiles", "upsert", people(tmp_path / "p.csv", rows=rows), *place, "--no-progress")
    process = start(*words, "--connections", "1", "--rate", "none", env=variables(sandbox, tmp_path), cwd=tmp_path)
    wait_until(lambda: sandbox.requests.of(UPSERT))
    return process


def test_a_run_of_another_process_stops_and_sends_nothing_after_it_has_ended(
    shell: Shell, sandbox: t1.Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add(Delay(SLOW), on=UPSERT)
    process = sending(sandbox, tmp_path)
    done = shell("runs", "stop", "run.sqlite")
    assert done.code == 0
    assert done.out.startswith(f"Asked process {process.pid} on ")
    assert ": it stopped after " in done.out
    assert "Go on     t1data runs resume" in done.out
    sent = len(sandbox.requests.of(UPSERT))
    end = ended(process)
    assert (end.code, end.last["accepted"], end.last["in_doubt"]) == (4, sent * 1000, 0)
    assert WHY in end.err
    assert len(sandbox.requests.of(UPSERT)) == sent < 40
    assert not Path("run.sqlite.stop").exists()
    sandbox.faults.clear()
    assert shell("runs", "resume", "run.sqlite", "--rate", "none").code == 0
    assert len(sandbox.requests.of(UPSERT)) == 40


def test_a_long_wait_of_another_process_is_ended_too(shell: Shell, sandbox: t1.Sandbox, tmp_path: Path) -> None:
    sandbox.faults.add(Status(429, retry_after=60), on=UPSERT)
    process = sending(sandbox, tmp_path, rows=10)
    told = json.loads(shell("runs", "stop", "run.sqlite", "--json").out)
    assert told["ended"]
    assert told["seconds"] < 3
    assert told["unsent"] == 10
    assert ended(process).last["unsent"] == 10


def test_a_paused_run_of_this_process_is_stopped(client: t1.Client, tmp_path: Path) -> None:
    control = t1.Control()
    control.pause()
    found: list[t1.Run] = []

    def send() -> None:
        found.append(t1.upsert_profiles(client, ADA, journal=tmp_path / "run.sqlite", control=control, progress=False))

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    wait_until(lambda: held_by(tmp_path / "run.sqlite") not in (None, "another process"))  # its head is written
    report = t1.stop_run(tmp_path / "run.sqlite")
    sender.join(10)
    assert report.ended
    assert (found[0].counts["unsent"], found[0].stopped) == (1, WHY)


def test_nobody_is_sending_a_run_that_has_ended(shell: Shell, client: t1.Client) -> None:
    run = t1.upsert_profiles(client, ADA, progress=False)
    for given in (run, run.id, run.journal, str(run.journal)):
        report = t1.stop_run(given)
        assert (report.asked, report.ended) == (None, True)
    done = shell("runs", "stop", run.id)
    assert (done.code, done.out.splitlines()[0]) == (
        0,
        f"Nobody is sending run {run.id}, so there is nothing to stop.",
    )
    assert [path.name for path in run.journal.parent.iterdir()] == [run.journal.name]


def test_a_request_that_was_left_behind_stops_no_later_run(client: t1.Client, tmp_path: Path) -> None:
    request = tmp_path / "run.sqlite.stop"
    request.touch()
    run = t1.upsert_profiles(client, ADA, journal=tmp_path / "run.sqlite", progress=False)
    assert run.complete
    assert not request.exists()


def test_who_does_not_stop_in_time_is_told_of_and_the_request_stays_for_him(
    shell: Shell, sandbox: t1.Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add(Delay(2.0), on=UPSERT, first=1)
    process = sending(sandbox, tmp_path, rows=3000)
    done = shell("runs", "stop", "run.sqlite", "--timeout", "0")
    assert done.code == 4
    assert "it has not stopped yet" in done.out
    request = tmp_path / "run.sqlite.stop"
    assert stat.S_IMODE(request.stat().st_mode) == 0o600
    assert ended(process).last == ended_as(accepted=1000, unsent=2000) | {"run": ended_run(tmp_path)}
    assert not request.exists()


def ended_as(**counts: int) -> dict[str, int]:
    return {"rows": 3000} | dict.fromkeys(("accepted", "invalid", "refused", "unsent", "in_doubt"), 0) | counts


def ended_run(tmp_path: Path) -> str:
    return t1.open_run(tmp_path / "run.sqlite").id


def test_a_process_that_was_killed_leaves_a_run_that_nobody_is_sending(
    shell: Shell, sandbox: t1.Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add(Delay(1.0), on=UPSERT)
    process = sending(sandbox, tmp_path, rows=3000)
    process.kill()
    process.wait(10)
    assert t1.stop_run("run.sqlite").asked is None


def test_only_the_run_that_goes_on_is_listed_as_such(
    shell: Shell, sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    done = t1.upsert_profiles(client, ADA, progress=False)
    slow = sandbox.faults.add(Delay(0.2), on=UPSERT)
    process = sending(sandbox, tmp_path, "usual")
    wait_until(lambda: slow.seen)
    listed = {line["run"]: line for line in json.loads(shell("runs", "list", "--json").out)}
    assert listed.pop(done.id)["in_use"] is None
    ((going, line),) = listed.items()
    assert line["in_use"].startswith(f"process {process.pid} on ")
    assert shell("runs", "list").out.count("in use by") == 1
    assert [name is None for name in t1.list_runs()["in_use"].loc[[done.id, going]]] == [True, False]


@pytest.mark.parametrize("lay", ["folder", "link", "stranger"])
def test_only_a_plain_file_of_the_owner_is_a_request(tmp_path: Path, lay: str) -> None:
    journal, request = tmp_path / "run.sqlite", tmp_path / "run.sqlite.stop"
    journal.touch()
    watch, looks = Watch(1), []
    with heeding(journal, watch, every=0.001):
        if lay == "folder":
            request.mkdir()
        elif lay == "link":
            request.symlink_to(journal)
        elif os.geteuid() == 0:
            request.touch()
            os.chown(request, 12345, 12345)
        looks.append(watch.stopping.wait(0.1))
    assert looks == [False]


def test_the_look_on_the_server_is_stopped_too(client: t1.Client, sandbox: t1.Sandbox, tmp_path: Path) -> None:
    sandbox.load({"campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"]}]})
    sandbox.faults.add(Status(502, when="after"), on=CREATE, first=1)
    ids = [f"a{number}" for number in range(40)]
    journal = tmp_path / "codes.sqlite"
    t1.create_referrals(client, ids, campaign_id=45, journal=journal, progress=False)
    t1.upsert_profiles(client, pd.DataFrame({"integration_id": ids, "Name": ids}), progress=False)
    slow = sandbox.faults.add(Delay(SLOW), on="get_customer_inventory")
    found: list[t1.Run] = []
    look = threading.Thread(
        target=lambda: found.append(t1.reconcile(client, journal, data=ids, progress=False)), daemon=True
    )
    look.start()
    wait_until(lambda: slow.seen)
    assert t1.stop_run(journal).ended
    look.join(10)
    assert found[0].counts["in_doubt"] == 40


@pytest.mark.parametrize("timeout", [-1, float("nan"), "soon"])
def test_a_time_that_is_none_is_refused_in_words(client: t1.Client, timeout: object) -> None:
    with pytest.raises(t1.errors.InputError, match="valid are seconds"):
        t1.stop_run("any", timeout=timeout)


def test_a_run_that_is_not_there_is_told(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no journal")
    for name in ("nothing", "notes.txt"):
        done = shell("runs", "stop", name)
        assert done.code == 2
        assert done.err.startswith("Error: ")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["notes.txt"]


def test_options_and_signature_agree_in_both_directions() -> None:
    options = {param.name: param.default for param in cli.commands["runs"].commands["stop"].params}
    signature = inspect.signature(t1.stop_run).parameters
    assert options.keys() - {"as_json"} == signature.keys() - {"clock", "wait"}
    assert options["timeout"] == signature["timeout"].default
