"""The command line against a local Talon.One: what it sends, what it says, and what it ends with."""

from __future__ import annotations

import csv
import inspect
import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import keyring.backends.fail
import pyarrow.parquet as pq
import pytest
from shell import ROOT, UPSERT, Ended, Shell, end_all, ended, ids_sent, people, start, variables, wait_until

import t1data as t1
from t1data.cli import cli, options
from t1data.sandbox import Delay, Sandbox, Status

COUNTS = ("accepted", "invalid", "refused", "unsent", "in_doubt")


@pytest.fixture(scope="module")
def _running() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_running: Sandbox) -> Sandbox:
    _running.reset()
    return _running


@pytest.fixture(autouse=True)
def _environment(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in variables(sandbox, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("T1DATA_MANAGEMENT_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    end_all()


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def adds_up(last: dict[str, Any]) -> bool:
    return list(last) == ["run", "rows", *COUNTS] and sum(last[name] for name in COUNTS) == last["rows"]


# --- the table of options and the functions that it feeds ---------------------------------------------------


def parameters(*functions: object) -> set[str]:
    return {name for function in functions for name in inspect.signature(function).parameters}


def test_every_option_feeds_a_parameter_of_its_name() -> None:
    shared = parameters(t1.check_profiles) & parameters(t1.plan_upsert) & parameters(t1.upsert_profiles)
    assert {row.parameter for row in options.READING} <= shared
    assert {row.parameter for row in options.UPSERTING} <= parameters(t1.upsert_profiles)


def test_every_parameter_has_an_option_or_a_written_reason() -> None:
    known = parameters(t1.check_profiles, t1.plan_upsert, t1.upsert_profiles)
    fed = {row.parameter for row in (*options.READING, *options.UPSERTING)}
    assert known == fed | options.WITHOUT_OPTION.keys()
    assert not fed & options.WITHOUT_OPTION.keys()


def test_a_default_that_help_names_is_that_of_the_function() -> None:
    signature = inspect.signature(t1.upsert_profiles).parameters
    named = {}
    for row in (*options.READING, *options.UPSERTING):
        if found := re.search(r"\(default: ([\w.]+)\)", row.help):
            named[row.parameter] = found[1]
    assert named == {name: str(signature[name].default) for name in named}
    assert len(named) >= 5


def test_flags_bear_the_names_of_the_parameters() -> None:
    for row in (*options.READING, *options.UPSERTING):
        flag = row.flag.removeprefix("--").split("/")[0].replace("-", "_")
        assert flag in (row.parameter, row.parameter.removesuffix("s"))


def test_the_pace_is_that_of_the_client_unless_another_is_asked_for() -> None:
    upsert = cli.commands["profiles"].commands["upsert"]
    given = {param.name: param.default for param in upsert.params}
    assert float(given["rate"]) == inspect.signature(t1.Client).parameters["rate"].default


def test_no_command_takes_a_key(shell: Shell) -> None:
    def flags(command: Any) -> Iterator[str]:
        for child in getattr(command, "commands", {}).values():
            yield from flags(child)
        for param in command.params:
            yield from param.opts

    assert {flag for flag in flags(cli) if "key" in flag} == {"--key", "--management-key"}  # where a key is
    refused = shell("config", "add", "shop", "--base-url", "https://shop.talon.one", "--key", "canary-key-0123456789")
    assert refused.code == 2
    assert "canary" not in refused.err
    assert shell("profiles", "upsert", "people.csv", "--api-key", "x").code == 2


# --- profiles -----------------------------------------------------------------------------------------------


def test_an_upsert_shows_the_plan_sends_and_ends_with_one_line_of_json(shell: Shell, sandbox: Sandbox) -> None:
    people(Path("people.csv"), rows=1500)
    done = shell("profiles", "upsert", "people.csv", "--rate", "none")
    assert done.code == 0
    assert len(done.out.splitlines()) == 1
    assert done.last == {"run": done.last["run"], "rows": 1500, "accepted": 1500} | dict.fromkeys(COUNTS[1:], 0)
    assert adds_up(done.last)
    assert done.err.index("1,500 rows would be sent in 2 requests") < done.err.index("1,500 rows: 1,500 accepted")
    assert sandbox.base_url in done.err
    assert "\n  attributes: Name (string)\n" in done.err
    assert ids_sent(sandbox) == {f"{number:05d}": 1 for number in range(1, 1501)}


def test_a_dry_run_writes_nothing(shell: Shell, sandbox: Sandbox) -> None:
    people(Path("people.csv"), rows=3)
    done = shell("profiles", "upsert", "people.csv", "--dry-run")
    assert (done.code, done.last["run"], done.last["unsent"]) == (0, None, 3)
    assert adds_up(done.last)
    assert "3 rows would be sent" in done.err
    assert not len(sandbox.requests)
    assert not Path("runs").exists()


def test_options_reach_the_function(shell: Shell, sandbox: Sandbox) -> None:
    sandbox.load(
        {
            "attributes": [
                {"entity": "CustomerProfile", "name": name, "type": kind}
                for name, kind in (("Spend", "number"), ("Tags", "(list string)"), ("Since", "time"), ("Zip", "string"))
            ]
        }
    )
    Path("people.txt").write_text("no|name|spent|tags|since\n001|Ada|1,50||2026-07-01 12:00\n002||||\n")
    done = shell(
        "profiles", "upsert", "people.txt", "--id", "no", "--delimiter", "|", "--decimal", ",", "--tz", "Europe/Berlin",
        "--attribute", "name=Name", "--attribute", "spent=Spend", "--attribute", "tags=Tags",
        "--attribute", "since=Since", "--type", "spent=number", "--type", "tags=(list string)", "--type", "since=time",
        "--default", "name=Nobody", "--default", 'tags=["new"]', "--constant", "Zip=01234", "--missing", "since=clear",
    )  # fmt: skip
    assert done.code == 0, done.err
    (seen,) = sandbox.requests.of(UPSERT)
    ada, nobody = (profile["attributes"] for profile in json.loads(seen.body or b"")["customerProfiles"])
    assert ada == {"Name": "Ada", "Spend": 1.5, "Tags": ["new"], "Since": "2026-07-01T10:00:00Z", "Zip": "01234"}
    assert nobody == {"Name": "Nobody", "Tags": ["new"], "Since": None, "Zip": "01234"}


def test_constants_are_json_where_they_can_be(shell: Shell, sandbox: Sandbox) -> None:
    kinds = {"A": "number", "B": "boolean", "C": "string", "D": "string", "E": "(list number)"}
    sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": n, "type": k} for n, k in kinds.items()]})
    people(Path("people.csv"), rows=1)
    typed = ("A=1.10", "B=true", 'C="12"', "D=twelve = 12", "E=[1, 2]")
    done = shell("profiles", "upsert", "people.csv", *(word for text in typed for word in ("--constant", text)))
    assert done.code == 0, done.err
    (seen,) = sandbox.requests.of(UPSERT)
    sent = json.loads(seen.body or b"", parse_float=str)["customerProfiles"][0]["attributes"]
    assert sent == {"Name": "Customer 1", "A": "1.10", "B": True, "C": "12", "D": "twelve = 12", "E": [1, 2]}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--type", "Name"), "'Name' is not of the form COLUMN=TYPE"),
        (("--constant", "=1"), "'=1' is not of the form ATTRIBUTE=VALUE"),
        (("--default", "Name=a", "--default", "Name=b"), "'Name' is given twice"),
        (("--missing", "clear", "--missing", "Name=omit"), "give one word for all columns, or COLUMN=omit"),
        (("--missing", "Name=perhaps"), "'perhaps' is neither omit nor clear"),
        (("--rate", "0"), "'0' is no number above 0, and not 'none'"),
        (("--connections", "0"), "--connections"),
        (("--duplicates", "any"), "'reject', 'first', 'last'"),
        (("--env", "shop", "--base-url", "https://shop.talon.one"), "leave out --base-url"),
        (("--attribute", "Nmae"), "Error: --attribute: got 'Nmae', valid are 'integration_id', 'Name'"),
    ],
)
def test_wrong_usage_says_what_is_right(shell: Shell, sandbox: Sandbox, typed: tuple[str, ...], said: str) -> None:
    people(Path("people.csv"), rows=1)
    done = shell("profiles", "upsert", "people.csv", *typed)
    assert done.code == 2
    assert said in done.err
    assert not done.out
    assert not len(sandbox.requests)


def test_outcomes_are_written_as_asked_and_never_over_a_file_that_is_there(shell: Shell, sandbox: Sandbox) -> None:
    Path("people.csv").write_text("integration_id,Name\n001,Ada\n 2,Grace\n")
    done = shell("profiles", "upsert", "people.csv", "--outcomes", "out.csv")
    assert (done.code, done.last["accepted"], done.last["invalid"]) == (3, 1, 1)
    with Path("out.csv").open(newline="") as lines:
        assert [(row["integration_id"], row["outcome"]) for row in csv.DictReader(lines)] == [
            ("001", "accepted"),
            (" 2", "invalid"),
        ]
    before = len(sandbox.requests)
    again = shell("profiles", "upsert", "people.csv", "--outcomes", "out.csv")
    assert (again.code, len(sandbox.requests)) == (2, before)
    assert "out.csv is there already; name another file, or say --overwrite" in again.err
    assert shell("profiles", "upsert", "people.csv", "--outcomes", "out.parquet").code == 3
    assert shell("profiles", "upsert", "people.csv", "--outcomes", "out.csv", "--overwrite").code == 3
    assert pq.read_table("out.parquet").column("outcome").to_pylist() == ["accepted", "invalid"]
    for wrong in ("out.txt", "nowhere/out.csv"):
        assert shell("profiles", "upsert", "people.csv", "--outcomes", wrong).code == 2


def test_a_check_needs_no_connection_and_says_each_problem_in_words_of_the_shell(
    shell: Shell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("T1DATA_BASE_URL")
    monkeypatch.delenv("T1DATA_API_KEY")
    Path("people.csv").write_text("integration_id,Since\n001,2026-07-01 12:00\n 2,2026-07-01T12:00:00Z\n")
    done = shell("profiles", "check", "people.csv", "--type", "Since=time")
    assert done.code == 3
    assert "2 rows cannot be sent" in done.out
    assert "row 1: Column Since holds the time 2026-07-01 12:00 without a zone; say which it is by --tz." in done.out
    told = shell("profiles", "check", "people.csv", "--type", "Since=time", "--json")
    assert [(p["row"], p["code"]) for p in told.last["problems"]] == [(1, "naive_time"), (2, "id_whitespace")]
    assert len(told.out.splitlines()) == 1
    people(Path("good.csv"), rows=2)
    assert shell("profiles", "check", "good.csv").code == 0


def test_a_check_asks_the_account_when_it_can(shell: Shell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("people.csv").write_text("integration_id,Unheard\n001,1\n")
    monkeypatch.setenv("T1DATA_MANAGEMENT_KEY", sandbox.management_key)
    done = shell("profiles", "check", "people.csv")
    assert done.code == 2
    assert "the account does not know some of them: got 'Unheard'" in done.err
    assert shell("profiles", "check", "people.csv", "--offline").code == 0


def test_a_plan_for_machines_is_one_line_and_sends_no_write(shell: Shell, sandbox: Sandbox) -> None:
    people(Path("people.csv"), rows=1001)
    told = shell("profiles", "plan", "people.csv", "--json")
    assert told.code == 0
    assert len(told.out.splitlines()) == 1
    assert {name: told.last[name] for name in ("rows", "ready", "requests", "base_url")} == {
        "rows": 1001,
        "ready": 1001,
        "requests": 2,
        "base_url": sandbox.base_url,
    }
    assert "1,001 rows would be sent in 2 requests" in shell("profiles", "plan", "people.csv").out
    assert not len(sandbox.requests)


# --- exit codes ---------------------------------------------------------------------------------------------


def test_a_refused_row_ends_with_3_and_the_servers_words(shell: Shell, sandbox: Sandbox) -> None:
    sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": "Spend", "type": "number"}]})
    Path("people.csv").write_text("integration_id,Spend\n001,1\n002,x\n")
    done = shell("profiles", "upsert", "people.csv", "--type", "Spend=string")
    assert (done.code, done.last["refused"]) == (3, 2)
    assert "refused (2 rows, the first is 1): " in done.err


def test_rows_that_were_not_sent_end_with_4_and_the_line_that_goes_on(
    shell: Shell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(Path("people.csv"), rows=3)
    monkeypatch.setenv("T1DATA_API_KEY", "canary-key-0123456789")
    done = shell("profiles", "upsert", "people.csv")
    assert (done.code, done.last["unsent"]) == (4, 3)
    assert "check that the key is right" in done.err
    assert "canary" not in done.out + done.err
    line = next(line for line in done.err.splitlines() if line.startswith("Go on"))
    assert line.split()[2:] == ["t1data", "runs", "resume", done.last["run"]]
    monkeypatch.setenv("T1DATA_API_KEY", sandbox.api_key)
    resumed = shell(*line.split()[3:])
    assert (resumed.code, resumed.last["accepted"]) == (0, 3)
    assert resumed.last["run"] == done.last["run"]


def test_rows_in_doubt_end_with_5(shell: Shell, sandbox: Sandbox) -> None:
    people(Path("people.csv"), rows=3)
    sandbox.faults.add(Status(200, body="<html>Welcome</html>"), on=UPSERT)
    done = shell("profiles", "upsert", "people.csv")
    assert (done.code, done.last["in_doubt"]) == (5, 3)
    assert "3 rows: 3 in doubt" in done.err


def test_what_nobody_foresaw_shows_its_place_on_request_only(
    shell: Shell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a customer's name")

    monkeypatch.setattr("t1data.profiles.check_profiles", broken)
    calm = shell("profiles", "check", "people.csv")
    assert calm.code == 1
    assert calm.err == "Error: t1data failed with ZeroDivisionError; `t1data --debug …` shows where.\n"
    assert "Traceback" in shell("--debug", "profiles", "check", "people.csv").err


def test_help_names_every_exit_code(shell: Shell) -> None:
    told = shell("--help").out
    assert [code for code in ("0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "130 ") if f"\n    {code}" not in told] == []


# --- runs ---------------------------------------------------------------------------------------------------


def test_runs_are_listed_shown_and_written_out(shell: Shell, sandbox: Sandbox) -> None:
    Path("people.csv").write_text("integration_id,Name\n001,Ada\n 2,Grace\n")
    run = shell("profiles", "upsert", "people.csv").last["run"]
    listed = shell("runs", "list")
    assert listed.code == 0
    assert run in listed.out
    assert "2 rows: 1 accepted, 1 invalid" in listed.out
    (record,) = json.loads(shell("runs", "list", "--json").out)
    assert (record["run"], record["rows"], record["stopped"]) == (run, 2, None)
    assert "invalid (row 2): The id in column integration_id begins" in shell("runs", "show", run).out
    told = shell("runs", "show", run, "--json").last
    assert told["reasons"] == [{"outcome": "invalid", "reason": "id_whitespace", "rows": 1, "first_row": 2}]
    assert shell("runs", "show", told["journal"], "--json").last == told
    assert shell("runs", "outcomes", run, "--to", "out.csv").code == 0
    assert shell("runs", "outcomes", run, "--to", "out.csv").code == 2
    assert shell("runs", "outcomes", run, "--to", "out.csv", "--overwrite", "--json").last["to"] == "out.csv"
    mended = shell("runs", "failures", run, "--to", "failed.csv")
    assert (mended.code, mended.err) == (0, "1 row written to failed.csv\n")
    assert list(csv.DictReader(Path("failed.csv").read_text().splitlines())) == [
        {"integration_id": " 2", "Name": "Grace"}
    ]
    unknown = shell("runs", "show", "nothing")
    assert unknown.code == 2
    assert "there is no run 'nothing'" in unknown.err


def test_a_resume_keeps_columns_and_constants_as_they_were_typed(
    shell: Shell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": n, "type": "number"} for n in ("B", "A", "C")]})
    Path("people.csv").write_text("integration_id,A,B\n001,1,2\n")
    monkeypatch.setenv("T1DATA_API_KEY", "another-key-0123456789")
    first = shell(
        "profiles", "upsert", "people.csv", "--attribute", "B", "--attribute", "A", "--constant", "C=1.10",
        "--default", "A=0.50", "--journal", "my run.sqlite",
    )  # fmt: skip
    assert first.code == 4
    assert "runs resume 'my run.sqlite'" in first.err
    monkeypatch.setenv("T1DATA_API_KEY", sandbox.api_key)
    assert shell("runs", "resume", "my run.sqlite").code == 0
    assert b'"attributes":{"B":2,"A":1,"C":1.10}' in (sandbox.requests.of(UPSERT)[-1].body or b"")


# --- signals ------------------------------------------------------------------------------------------------


def interrupted(sandbox: Sandbox, folder: Path, number: int) -> Ended:
    """Run an upsert of 20 batches as a process, and send it a signal once its first requests are out."""
    people(folder / "people.csv", rows=20_000)
    command = ("profiles", "upsert", "people.csv", "--rate", "5")
    process = start(*command, env=variables(sandbox, folder), cwd=folder)
    wait_until(lambda: len(sandbox.requests.of(UPSERT)) >= 2)
    process.send_signal(number)
    return ended(process, within=20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_stops_cleanly_and_the_run_goes_on_later(
    number: signal.Signals, shell: Shell, sandbox: Sandbox, tmp_path: Path
) -> None:
    stopped = interrupted(sandbox, tmp_path, number)
    seen = len(sandbox.requests)
    assert stopped.code == 130
    assert adds_up(stopped.last)
    assert stopped.last["unsent"] > 0
    assert stopped.last["in_doubt"] == 0
    assert "Stopped early: interrupted" in stopped.err
    assert f"runs resume {stopped.last['run']}" in stopped.err
    resumed = shell("runs", "resume", stopped.last["run"], "--rate", "none")
    assert (resumed.code, resumed.last["accepted"]) == (0, 20_000)
    assert len(sandbox.requests) == seen + stopped.last["unsent"] // 1000
    assert set(ids_sent(sandbox).values()) == {1}
    assert len(ids_sent(sandbox)) == 20_000


def test_a_second_interrupt_does_not_wait_for_answers(shell: Shell, sandbox: Sandbox, tmp_path: Path) -> None:
    people(tmp_path / "people.csv", rows=5000)
    sandbox.faults.add(Delay(8), on=UPSERT)
    process = start(
        "profiles", "upsert", "people.csv", "--rate", "none", env=variables(sandbox, tmp_path), cwd=tmp_path
    )
    wait_until(lambda: len(sandbox.requests.of(UPSERT)) == 4)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):  # it waits for the answers
        process.wait(1)
    process.send_signal(signal.SIGINT)
    stopped = ended(process, within=4)
    assert stopped.code == 130
    assert stopped.last["in_doubt"] == 4000
    assert stopped.last["unsent"] == 1000
    sandbox.faults.clear()
    resumed = shell("runs", "resume", stopped.last["run"], "--rate", "none")
    assert (resumed.code, resumed.last["accepted"]) == (0, 5000)


def test_a_pipe_that_closes_ends_quietly(sandbox: Sandbox, tmp_path: Path) -> None:
    people(tmp_path / "people.csv", rows=3)
    reader, writer = os.pipe()
    os.close(reader)
    process = start("profiles", "plan", "people.csv", env=variables(sandbox, tmp_path), cwd=tmp_path, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (141, "")


# --- live environments, configuration, keys -----------------------------------------------------------------


@pytest.fixture
def _live(sandbox: Sandbox, shell: Shell) -> None:
    added = shell("config", "add", "shop", "--base-url", sandbox.base_url, "--key", "env:T1DATA_API_KEY", "--live")
    assert added.code == 0


@pytest.mark.usefixtures("_live")
def test_a_live_environment_is_written_to_under_its_name_alone(shell: Shell, sandbox: Sandbox) -> None:
    people(Path("people.csv"), rows=2)
    refused = shell("profiles", "upsert", "people.csv", "--env", "shop")
    assert refused.code == 2
    assert "shop is a live environment: to write to it, add --live shop" in refused.err
    assert shell("profiles", "upsert", "people.csv", "--env", "shop", "--live", "other").code == 2
    assert not len(sandbox.requests)
    assert shell("profiles", "upsert", "people.csv", "--env", "shop", "--dry-run").code == 0
    assert shell("profiles", "upsert", "people.csv", "--env", "shop", "--live", "shop").code == 0


def test_a_live_name_for_what_is_not_live_is_refused(shell: Shell, sandbox: Sandbox) -> None:
    people(Path("people.csv"), rows=2)
    refused = shell("profiles", "upsert", "people.csv", "--live", "shop")
    assert (refused.code, refused.out) == (2, "")
    assert "is not marked as live; leave --live out, or name another" in refused.err
    shell("config", "add", "trial", "--base-url", sandbox.base_url, "--key", "env:T1DATA_API_KEY")
    assert "--env trial is not marked" in shell("profiles", "upsert", "people.csv", "--env", "trial", "--live", "x").err
    assert not len(sandbox.requests)


@pytest.mark.usefixtures("_live")
def test_a_person_types_the_name_after_the_plan(sandbox: Sandbox, tmp_path: Path) -> None:
    people(tmp_path / "people.csv", rows=2)
    ours, theirs = pty.openpty()
    command = ("profiles", "upsert", "people.csv", "--env", "shop")
    process = start(*command, env=variables(sandbox, tmp_path), cwd=tmp_path, stdin=theirs)
    os.write(ours, b"shop\n")
    done = ended(process)
    os.close(ours)
    os.close(theirs)
    assert (done.code, done.last["accepted"]) == (0, 2)
    assert done.err.index("Plan:") < done.err.index("Type its name (shop)") < done.err.index("2 rows: 2 accepted")


@pytest.fixture
def _no_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("_no_keyring")
def test_environments_are_added_listed_shown_and_removed(shell: Shell, tmp_path: Path) -> None:
    assert shell("config", "path").out.strip() == str(tmp_path / "config.toml")
    assert "no environments yet" in shell("config", "list").err
    assert (
        "There is no keyring on this machine" in shell("config", "add", "shop", "--base-url", "https://a.talon.one").err
    )
    assert shell("config", "list").out == "shop  https://a.talon.one\n"
    assert json.loads(shell("config", "list", "--json").out)[0]["name"] == "shop"
    assert shell("config", "show", "shop", "--json").last["key"] == "keyring"
    assert shell("config", "add", "shop", "--base-url", "https://a.talon.one").code == 2
    assert shell("config", "remove", "shop").code == 0
    assert shell("config", "show", "shop").code == 2


@pytest.mark.usefixtures("_no_keyring")
def test_without_a_keyring_nobody_is_asked_for_a_key(shell: Shell) -> None:
    shell("config", "add", "shop", "--base-url", "https://a.talon.one")
    asked = shell("config", "set-key", "shop")
    assert (asked.code, asked.out) == (2, "")
    assert asked.err.startswith("Error: There is no keyring on this machine: keep the key in an environment variable")
    assert "Key of shop" not in asked.err


BACKEND = """
import json, pathlib
from keyring.backend import KeyringBackend

class Backend(KeyringBackend):
    priority = 1
    file = pathlib.Path(__file__).with_name("kept.json")

    def get_password(self, service, username):
        return self.read().get(service + username)

    def set_password(self, service, username, password):
        self.file.write_text(json.dumps({**self.read(), service + username: password}))

    def delete_password(self, service, username):
        self.file.write_text(json.dumps({k: v for k, v in self.read().items() if k != service + username}))

    def read(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}
"""


def test_a_key_is_typed_unseen_into_the_keyring_and_used_from_there(
    shell: Shell, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "backend.py").write_text(BACKEND)
    env = {
        "T1DATA_CONFIG": str(tmp_path / "config.toml"),
        "T1DATA_RUNS": str(tmp_path / "runs"),
        "PYTHONPATH": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": "backend.Backend",
    }
    added = ended(start("config", "add", "shop", "--base-url", sandbox.base_url, env=env))
    assert "Store its key with: t1data config set-key shop" in added.err
    ours, theirs = pty.openpty()
    process = start("config", "set-key", "shop", env=env, stdin=theirs, stderr=theirs, start_new_session=True)
    seen = b""
    while b"Key of shop (not shown)" not in seen:
        seen += os.read(ours, 1000)
    os.write(ours, sandbox.api_key.encode() + b"\n")
    while b"Stored." not in seen:
        seen += os.read(ours, 1000)
    done = ended(process)
    os.close(ours)
    os.close(theirs)
    assert done.code == 0
    assert sandbox.api_key.encode() not in seen
    assert sandbox.api_key not in (tmp_path / "config.toml").read_text()
    people(tmp_path / "people.csv", rows=2)
    used = ended(start("profiles", "upsert", "people.csv", "--env", "shop", env=env, cwd=tmp_path))
    assert (used.code, used.last["accepted"]) == (0, 2)
    assert ended(start("config", "delete-key", "shop", env=env)).code == 0
    gone = ended(start("profiles", "upsert", "people.csv", "--env", "shop", env=env, cwd=tmp_path))
    assert (gone.code, gone.out) == (2, "")
    assert "store it first" in gone.err


def test_no_key_is_in_what_is_said_nor_in_the_process_list(sandbox: Sandbox, tmp_path: Path) -> None:
    people(tmp_path / "people.csv", rows=3000)
    found = variables(sandbox, tmp_path, management=True)
    process = start("profiles", "upsert", "people.csv", "--rate", "5", env=found, cwd=tmp_path)
    wait_until(lambda: len(sandbox.requests.of(UPSERT)) >= 1)
    line = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
    done = ended(process)
    assert done.code == 0
    stored = b"".join(path.read_bytes() for path in (tmp_path / "runs").iterdir())
    for key in (sandbox.api_key, sandbox.management_key):
        assert key not in line + done.out + done.err
        assert key.encode() not in stored


# --- the sandbox as a command -------------------------------------------------------------------------------


def test_the_sandbox_serves_says_one_line_and_stops_on_a_signal(tmp_path: Path) -> None:
    process = start("sandbox", "--db", "account.db", "--data", ROOT / "sample_data", env={}, cwd=tmp_path)
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline())
    assert list(facts) == ["base_url", "api_key", "management_key"]
    with t1.Client(facts["base_url"], facts["api_key"], management_key=facts["management_key"]) as client:
        assert client.management is not None
        assert "Spend" in {attribute["name"] for attribute in client.management.list_attributes()}
    process.send_signal(signal.SIGTERM)
    done = ended(process)
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_sandbox_that_cannot_start_says_why(shell: Shell, sandbox: Sandbox) -> None:
    taken = shell("sandbox", "--port", sandbox.base_url.rpartition(":")[2])
    assert taken.code == 2
    assert taken.err.startswith("Error: The sandbox cannot start: ")
    assert shell("sandbox", "--data", "nowhere").code == 2
