"""``t1data runs`` beyond list, show and resume: what failed, what was kept, what is in doubt, what can go."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from shell import PROGRAM, UPSERT, Shell, end_all, ended, start, variables, wait_until

import t1data as t1
from t1data.sandbox import Reset

CREATE = "create_referrals_for_multiple_advocates"


@pytest.fixture
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox(seed=3) as running:
        running.load({"campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"]}]})
        yield running


@pytest.fixture(autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
        yield made


@pytest.fixture
def shell(
    sandbox: t1.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    for name, value in variables(sandbox, tmp_path, management=True).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("integration_id,Name\n1,Ada\n 2,Grace\n3,Alan,x\n")
    return path


def test_failures_say_row_and_reason_and_no_customer(shell: Shell, client: t1.Client, tmp_path: Path) -> None:
    run = t1.upsert_profiles(client, people(tmp_path))
    done = shell("runs", "failures", run.id)
    assert done.code == 0
    assert [line.split("  ")[:3] for line in done.out.splitlines()] == [
        ["row 2", "invalid", "id_whitespace"],
        ["row 3", "invalid", "ragged_row"],
    ]
    assert "Grace" not in done.out
    told = json.loads(shell("runs", "failures", run.id, "--json").out)
    assert [(row["row"], row["reason"]) for row in told] == [(2, "id_whitespace"), (3, "ragged_row")]
    assert "integration_id" not in told[0]


def test_failures_are_written_in_the_files_own_columns(shell: Shell, client: t1.Client, tmp_path: Path) -> None:
    run = t1.upsert_profiles(client, people(tmp_path))
    done = shell("runs", "failures", run.id, "--to", "failed.csv")
    left_out = "1 could not be read into columns: mend it in the input itself"
    assert (done.code, done.err.strip()) == (0, f"1 row written to failed.csv; {left_out}")
    assert pd.read_csv(tmp_path / "failed.csv", dtype=str).to_numpy().tolist() == [[" 2", "Grace"]]


def test_doubt_is_reconciled_from_a_shell_and_raw_answers_can_be_had(
    shell: Shell, sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    (tmp_path / "advocates.csv").write_text("integration_id\na\nb\n")
    sandbox.faults.add(Reset("after"), on=CREATE, first=1)
    run = t1.create_referrals(client, tmp_path / "advocates.csv", campaign_id=45)
    done = shell("runs", "resume", run.id, "--no-progress")
    assert done.code == 5
    assert done.last["in_doubt"] == 2
    done = shell("runs", "reconcile", run.id, "--application-id", "1")
    assert done.code == 0
    assert done.last["accepted"] == 2
    done = shell("runs", "raw", run.id, "--to", "answers")
    assert (done.code, done.err.strip()) == (0, "1 answer written to answers")
    (kept,) = (tmp_path / "answers").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(kept.read_bytes())["data"]) == 2


def test_a_run_in_doubt_names_the_command_that_finds_out_and_that_shows_how_far_it_is(
    shell: Shell, sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    (tmp_path / "advocates.csv").write_text("integration_id\na\nb\n")
    sandbox.load({"profiles": [{"integration_id": "a"}, {"integration_id": "b"}]})
    sandbox.faults.add(Reset("after"), on=CREATE, first=1)
    run = t1.create_referrals(client, tmp_path / "advocates.csv", campaign_id=45)
    assert f"Find out  t1data runs reconcile {run.id}" in shell("runs", "show", run.id).out
    done = shell("runs", "reconcile", run.id, "--progress")
    assert (done.code, done.last["accepted"]) == (0, 2)
    assert "2.00/2.00" in done.err


def test_a_look_on_the_server_can_be_stopped_and_tells_of_each_advocate(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    sandbox.load({"profiles": [{"integration_id": name} for name in "ab"]})
    sandbox.faults.add(Reset("after"), on=CREATE, first=1)
    run = t1.create_referrals(client, ["a", "b"], campaign_id=45, journal=tmp_path / "run.sqlite")
    control, seen = t1.Control(), []

    def stop(progress: t1.Progress) -> None:
        seen.append(progress.done)
        control.stop()

    stopped = t1.reconcile(client, run.journal, data=["a", "b"], progress=stop, control=control)
    assert (stopped.counts["in_doubt"], seen) == (2, [1])
    seen.clear()
    done = t1.reconcile(client, run.journal, data=["a", "b"], progress=lambda progress: seen.append(progress.done))
    assert (done.counts["accepted"], seen[-1]) == (2, 2)


def test_a_live_run_is_shown_as_in_use_by_its_process(shell: Shell, sandbox: t1.Sandbox, tmp_path: Path) -> None:
    lines = "".join(f"{number},A\n" for number in range(5000))
    (tmp_path / "many.csv").write_text(f"integration_id,Name\n{lines}")
    words = ("profiles", "upsert", "many.csv", "--rate", "1", "--connections", "1")
    process = start(*words, env=variables(sandbox, tmp_path), cwd=tmp_path)
    wait_until(lambda: len(sandbox.requests.of(UPSERT)) >= 2)
    (journal,) = (tmp_path / "runs").glob("*.sqlite")
    shown = shell("runs", "show", journal.stem)
    assert f"In use    by process {process.pid} on " in shown.out
    assert "Go on" not in shown.out
    assert json.loads(shell("runs", "show", journal.stem, "--json").out)["in_use"].startswith(
        f"process {process.pid} on"
    )
    assert f"(in use by process {process.pid} on " in shell("runs", "list").out
    assert f"is in use by process {process.pid} on " in " ".join(shell("runs", "purge", journal.stem).err.split())
    process.terminate()
    assert ended(process).code == 130
    shown = shell("runs", "show", journal.stem)
    assert ("In use" in shown.out, "Go on" in shown.out) == (False, True)
    assert "in use" not in shell("runs", "list").out


def test_failures_that_are_none_are_told(shell: Shell, client: t1.Client, tmp_path: Path) -> None:
    run = t1.upsert_profiles(client, pd.DataFrame({"integration_id": ["1"]}))
    done = shell("runs", "failures", run.id)
    assert (done.code, done.out, done.err) == (0, "", "No row is invalid or refused. 1 row: 1 accepted\n")


def test_what_a_shell_says_is_never_python(shell: Shell, client: t1.Client, tmp_path: Path) -> None:
    run = t1.upsert_profiles(client, pd.DataFrame({"integration_id": ["1", " 2"]}))
    said = " ".join(shell("runs", "failures", run.id, "--to", "failed.csv").err.split())
    assert said.endswith("is no longer there as it was; give it: --data")
    said = " ".join(shell("runs", "resume", run.id).err.split())
    assert said.endswith("read its rows from memory; give them again: --data")
    file = people(tmp_path)
    file.write_text("integration_id,First Name\n1,Ada\n")
    assert '--attribute "First Name=FirstName"' in " ".join(shell("profiles", "check", file, "--offline").err.split())
    said = " ".join(shell("profiles", "check", people(tmp_path), "--offline", "--constant", "Spend=[").err.split())
    assert "constants[" not in said


def test_resending_codes_in_doubt_takes_a_word(
    shell: Shell, sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    (tmp_path / "advocates.csv").write_text("integration_id\na\n")
    sandbox.faults.add(Reset("after"), on=CREATE, first=1)
    run = t1.create_referrals(client, tmp_path / "advocates.csv", campaign_id=45)
    done = shell("runs", "resume", run.id, "--no-progress", "--resend-in-doubt")
    assert done.code == 0
    assert done.last["accepted"] == 1
    assert len(sandbox.requests.of(CREATE)) == 2


def test_a_complete_run_is_purged_and_an_incomplete_one_only_by_word(
    shell: Shell, sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    whole = t1.upsert_profiles(client, people(tmp_path))
    assert shell("runs", "purge", whole.id).code == 0
    assert not whole.journal.exists()
    sandbox.faults.add(Reset("after"), on=CREATE, first=1)
    doubtful = t1.create_referrals(client, ["a"], campaign_id=45)
    done = shell("runs", "purge", doubtful.id)
    assert done.code == 2
    assert "1 in doubt" in " ".join(done.err.split())
    assert shell("runs", "purge", doubtful.id, "--incomplete").code == 0
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize("words", [("failures",), ("raw", "--to", "x"), ("reconcile",), ("purge",), ("resume",)])
def test_a_run_that_is_not_there_is_named(shell: Shell, words: tuple[Any, ...]) -> None:
    done = shell("runs", words[0], "no-such-run", *words[1:])
    assert (done.code, done.out) == (2, "")
    assert "'no-such-run'" in done.err


def test_a_disk_that_is_full_at_the_end_keeps_no_summary_from_the_user(sandbox: t1.Sandbox, tmp_path: Path) -> None:
    # A real small disk, in a mount namespace of its own so that nothing else on the machine sees it.
    sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": "Age", "type": "number"}]})
    (tmp_path / "small").mkdir()
    (tmp_path / "people.csv").write_text("integration_id,Age\n" + "".join(f"c{n},{n}\n" for n in range(9000)))
    command = (
        "mount -t tmpfs -o size=60k tmpfs small && exec "
        f"{shlex.quote(PROGRAM)} profiles upsert people.csv --no-progress --outcomes small/outcomes.csv"
    )
    alone = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    done = subprocess.run(
        [*alone, "sh", "-c", command],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, **variables(sandbox, tmp_path)},
    )
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["accepted"] == 9000
    said = " ".join(done.stderr.split())
    assert "small/outcomes.csv cannot be written: " in said
    assert "No space left on device" in said
    assert "runs outcomes" in said
