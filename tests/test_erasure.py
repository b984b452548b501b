"""Erasure: by number, proved one by one, and nobody is said to be erased who is not. By ledger and sandbox."""

from __future__ import annotations

import inspect
import json
import os
import pty
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fault_server import Act, Caller, FaultServer, answer, reset
from shell import Shell, end_all, ended, start, variables, wait_until

import t1data as t1
from t1data.cli import cli
from t1data.cli.customers import WITHOUT_OPTION
from t1data.sandbox import Delay, Options, Sandbox, Status
from t1data.transport.retry import Limits

ERASE, READ = "delete_customer_data", "get_customer_inventory"
SEED = {"attributes": [{"entity": "CustomerProfile", "name": "Name", "type": "string"}]}
KEY = "0123456789abcdef"
MISSING = answer(404, {"message": "Profile does not exist", "errors": [], "StatusCode": 404})
DATE = {"Date": "Tue, 24 Nov 2026 10:11:12 GMT"}


@pytest.fixture(scope="module")
def _running() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_running: Sandbox) -> Sandbox:
    _running.reset()
    _running.load(SEED)
    return _running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
        yield made


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))
    yield tmp_path / "runs"
    end_all()


def fill(client: t1.Client, *ids: str) -> None:
    body = {"customerProfiles": [{"integrationId": id_, "attributes": {"Name": f"canary of {id_}"}} for id_ in ids]}
    client.update_customer_profiles_v2(body)


def attributes(client: t1.Client, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get_customer_inventory(id_, profile=True)["profile"]["attributes"]
    return found


def profile(sandbox: bool = True, **left: Any) -> Act:
    """Answer as an inventory does."""
    return answer(200, {"profile": {"attributes": left, "sandbox": sandbox}}, DATE)


def by_method(**acts: Act) -> Act:
    """Answer each request by its method."""

    def act(caller: Caller) -> bool:
        return acts[caller.entry.method](caller)

    return act


def erased_at(script: Act, *ids: str, **more: Any) -> tuple[t1.Run, list[tuple[str, str]]]:
    """Erase through a server that plays a script, and return what it was sent, but for the look of the plan."""
    with (
        FaultServer(script) as server,
        t1.Client(server.url, KEY, rate=None, limits=Limits(attempts=2, first_backoff=0.01)) as client,
    ):
        run = t1.erase_customers(client, list(ids), confirm=len(set(ids)), connections=1, **more)
        first = next((at for at, entry in enumerate(server.ledger) if entry.method == "DELETE"), 0)
        return run, [(entry.method, entry.target) for entry in server.ledger[first:]]


# --- the plan and the number --------------------------------------------------------------------------------


def test_a_plan_shows_how_many_where_by_which_key_and_what_is_not_reached(client: t1.Client, sandbox: Sandbox) -> None:
    fill(client, "a", "b")
    sandbox.requests.clear()
    plan = t1.plan_erasure(client, ["nobody", "a", "b", "a", "..", " b"])
    said = str(plan)
    assert (plan.rows, plan.customers, plan.invalid, plan.collapsed, plan.requests) == (6, 3, 2, 1, 6)
    assert plan.environment == "sandbox"
    assert f"{sandbox.base_url} (the sandbox environment, key …{sandbox.api_key[-4:]})" in said
    for word in ("backups", "ad platforms", "Art. 19", "exports", "purge_people", "not at peak hours"):
        assert word in said
    assert plan.problems["code"].tolist() == ["id_not_in_url", "id_whitespace"]
    assert {seen.method for seen in sandbox.requests} == {"GET"}
    assert len(list(sandbox.requests)) == 2


def test_the_environment_is_that_of_the_key() -> None:
    with Sandbox(options=Options(environment="live")) as live:
        client = t1.Client(live.base_url, live.api_key)
        client.update_customer_profile_v2("a", {"attributes": {}})
        assert t1.plan_erasure(client, ["a"]).environment == "live"
        assert t1.plan_erasure(client, ["b", "c", "d", "a"]).environment is None  # no more than three are looked for


@pytest.mark.parametrize("confirm", [None, 1, 3, True, "2", 2.5, 2.0])
def test_nothing_is_erased_without_the_number_of_distinct_customers(
    sandbox: Sandbox, client: t1.Client, runs: Path, confirm: Any
) -> None:
    fill(client, "a", "b")
    with pytest.raises(t1.errors.InputError, match=r"2 customers at .*sandbox environment, key ….*confirm=2\. Nothing"):
        t1.erase_customers(client, ["a", "b", "a", ".."], confirm=confirm)
    assert not sandbox.requests.of(ERASE)
    assert not runs.exists()
    assert attributes(client, "a")


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "no rows"),
        ([7], "a list of ids holds text only"),
        ("a", "no such|There is no|cannot be read"),
        (pd.DataFrame({"no": ["a"]}), "there is no column 'integration_id'"),
        (pd.DataFrame({"integration_id": [1.0, None]}), "floating point"),
        (["1.23E+10"], "allow_suspect_ids=True"),
        ([".", "..", " a"], "no row can be sent"),
    ],
)
def test_input_that_cannot_be_meant_is_refused_before_anything_is_sent(
    sandbox: Sandbox, client: t1.Client, ids: Any, said: str
) -> None:
    with pytest.raises(t1.errors.InputError, match=said):
        t1.erase_customers(client, ids, confirm=1)
    assert not list(sandbox.requests)


def test_a_live_environment_that_is_locked_is_not_even_read(sandbox: Sandbox) -> None:
    with (
        t1.Client(sandbox.base_url, sandbox.api_key, live_name="shop") as locked,
        pytest.raises(t1.errors.ConfigError, match="shop"),
    ):
        t1.erase_customers(locked, ["a"], confirm=1)
    assert not list(sandbox.requests)


# --- what is sent, and what it means ------------------------------------------------------------------------


def test_each_customer_is_erased_once_and_read_afterwards() -> None:
    script = by_method(DELETE=answer(204), GET=profile())
    run, sent = erased_at(script, "a", "b/%2F ü", "a")
    assert run.counts["accepted"] == 3
    assert sent == [
        ("DELETE", "/v1/customer_data/a"),
        ("GET", "/v1/customer_profiles/a/inventory?profile=true"),
        ("DELETE", "/v1/customer_data/b%2F%252F%20%C3%BC"),
        ("GET", "/v1/customer_profiles/b%2F%252F%20%C3%BC/inventory?profile=true"),
    ]


def test_the_attributes_are_gone_and_others_keep_theirs(client: t1.Client) -> None:
    fill(client, "a", "b", "c")
    frame = pd.DataFrame({"no": ["a", "c"]}, index=["x", "y"])
    run = t1.erase_customers(client, frame, id="no", confirm=2)
    assert run.outcomes["outcome"].tolist() == ["accepted", "accepted"]
    assert run.outcomes.index.tolist() == ["x", "y"]
    assert [attributes(client, id_) for id_ in "abc"] == [{}, {"Name": "canary of b"}, {}]


def test_who_is_not_there_is_refused_and_nothing_was_erased(client: t1.Client) -> None:
    fill(client, "a")
    run = t1.erase_customers(client, ["nobody", "a"], confirm=2)
    line = run.outcomes.iloc[0]
    assert run.outcomes["outcome"].tolist() == ["refused", "accepted"]
    assert (line["http_status"], line["reason"]) == (404, "not_found")
    assert "nothing was erased" in line["message"]


def test_a_404_of_some_other_server_stops_the_run() -> None:
    run, sent = erased_at(by_method(DELETE=answer(404, b"<html>nginx</html>"), GET=profile()), "a", "b", "c")
    assert run.counts["unsent"] == 3
    assert len(sent) == 1


def test_attributes_that_are_left_are_no_proof() -> None:
    run, _ = erased_at(by_method(DELETE=answer(204), GET=profile(Name="Ada", Tags=[], Old=None)), "a")
    assert run.counts["in_doubt"] == 1
    assert "1 attribute can still be read" in run.outcomes.loc[1, "message"]


def test_a_profile_that_is_gone_altogether_is_a_proof() -> None:
    run, _ = erased_at(by_method(DELETE=answer(204), GET=MISSING), "a")
    assert run.counts["accepted"] == 1
    report = t1.verify_evidence(run, ids=["a"])
    assert report.ids["verification"].tolist() == ["profile_gone"]


@pytest.mark.parametrize(
    "look",
    [answer(500, {"message": "boom about ada-canary"}), reset(), answer(403, {"message": "no"}), answer(200, {})],
    ids=["500", "reset", "403", "no profile"],
)
def test_an_erasure_that_cannot_be_read_back_is_in_doubt_and_a_resume_does_both_again(look: Act, runs: Path) -> None:
    played = Counter[str]()

    def act(caller: Caller) -> bool:
        played[caller.entry.method] += 1
        if caller.entry.method == "DELETE":
            return answer(204)(caller)
        return profile()(caller) if played["GET"] == 1 or played["DELETE"] > 1 else look(caller)

    with FaultServer(act) as server, t1.Client(server.url, KEY, rate=None, limits=Limits(attempts=1)) as client:
        run = t1.erase_customers(client, ["ada-canary"], confirm=1)
        assert run.counts["in_doubt"] == 1
        assert t1.verify_evidence(run, ids=["ada-canary"]).ids["verification"].tolist() == ["not_proved"]
        assert not [path for path in runs.iterdir() if b"ada-canary" in path.read_bytes()]
        done = t1.resume(client, run.id, data=["ada-canary"])
        assert done.counts["accepted"] == 1
        assert t1.verify_evidence(done, ids=["ada-canary"]).proves_all
        assert [entry.method for entry in server.ledger if entry.method == "DELETE"] == ["DELETE"] * 2


def test_a_wrong_key_stops_the_run_and_nobody_is_said_to_be_erased() -> None:
    run, sent = erased_at(by_method(DELETE=answer(401, {"message": "no"}), GET=profile()), *map(str, range(20)))
    assert run.counts["unsent"] == 20
    assert len(sent) <= 2
    assert "401" in (run.stopped or "")


def test_words_of_the_server_that_name_the_customer_do_not_stay(runs: Path) -> None:
    echo = {
        "message": "there was trouble with ada-canary",
        "errors": [{"title": "ada-canary", "details": "ada-canary"}],
    }
    for status in (400, 500):
        run, _ = erased_at(by_method(DELETE=answer(status, echo), GET=profile()), "ada-canary")
        assert run.counts["accepted"] == 0
    assert not [path for path in runs.iterdir() if b"ada-canary" in path.read_bytes()]


def test_no_file_of_a_run_names_anybody_and_all_are_their_owners_alone(client: t1.Client, runs: Path) -> None:
    fill(client, "canary-8d1f")
    t1.erase_customers(client, ["canary-8d1f", "canary-nobody"], confirm=2)
    left = list(runs.iterdir())
    assert len(left) == 2
    assert not [path for path in left if b"canary" in path.read_bytes()]
    assert {path.stat().st_mode & 0o777 for path in left} == {0o600}


def test_a_kill_loses_nothing_and_the_evidence_is_whole_after_the_resume(
    sandbox: Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    ids = [f"{n:03}" for n in range(60)]
    fill(client, *ids)
    (tmp_path / "ids.csv").write_text("\n".join(["integration_id", *ids]))
    sandbox.faults.add(Delay(0.05), on=ERASE)
    words = ("customers", "erase", "ids.csv", "--confirm", "60", "--journal", "run.sqlite", "--operator", "ada")
    process = start(*words, "--rate", "none", env=variables(sandbox, tmp_path), cwd=tmp_path)
    wait_until(lambda: len(sandbox.requests.of(ERASE)) >= 10, within=60)
    process.send_signal(signal.SIGKILL)
    ended(process)
    sandbox.faults.clear()
    cut = t1.open_run(tmp_path / "run.sqlite")
    assert sum(cut.counts.values()) == 60
    assert cut.counts["accepted"] < 60
    run = t1.resume(client, tmp_path / "run.sqlite")
    assert run.counts["accepted"] == 60
    assert all(attributes(client, id_) == {} for id_ in ids)
    again = Counter(seen.path for seen in sandbox.requests.of(ERASE))
    assert len(again) == 60
    assert sum(again.values()) <= 60 + 4
    report = t1.verify_evidence(run, ids=ids)
    assert report.proves_all
    assert report.operator == "ada"


# --- the shell ----------------------------------------------------------------------------------------------


@pytest.fixture
def shell(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    for name, value in variables(sandbox, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


def test_a_shell_shows_erases_by_number_verifies_and_purges(shell: Shell, sandbox: Sandbox, client: t1.Client) -> None:
    fill(client, "a", "b")
    Path("ids.csv").write_text("integration_id\na\nb\n")
    dry = shell("customers", "erase", "ids.csv", "--dry-run")
    assert (dry.code, dry.last["unsent"]) == (0, 2)
    for word in ("2 customers", "sandbox environment", sandbox.api_key[-4:], "Art. 19"):
        assert word in dry.err
    refused = shell("customers", "erase", "ids.csv")
    assert refused.code == 2
    assert "--confirm 2" in refused.err
    assert shell("customers", "erase", "ids.csv", "--confirm", "1").code == 2
    assert not sandbox.requests.of(ERASE)
    done = shell("customers", "erase", "ids.csv", "--confirm", "2", "--evidence", "proof.jsonl", "--rate", "none")
    assert (done.code, done.last["accepted"]) == (0, 2)
    seal = next(line.split()[1] for line in done.err.splitlines() if line.startswith("Seal"))
    good = shell("customers", "verify", "proof.jsonl", "--ids", "ids.csv", "--seal", seal)
    assert good.code == 0
    assert "whole and unchanged" in good.out
    Path("ids.csv").write_text("integration_id\na\nstranger\n")
    assert shell("customers", "verify", "proof.jsonl", "--ids", "ids.csv").code == 3
    told = shell("customers", "verify", "proof.jsonl", "--json")
    assert json.loads(told.out)["erased"] == 2
    assert shell("customers", "purge", "ids.csv").code == 0
    passed_over = shell("customers", "purge", "ids.csv", "--also", "proof.jsonl")
    assert passed_over.code == 4
    assert "proof.jsonl" in passed_over.err


def test_an_erasure_that_is_gone_on_with_names_its_evidence(shell: Shell, sandbox: Sandbox, client: t1.Client) -> None:
    fill(client, "a", "b")
    Path("ids.csv").write_text("integration_id\na\nb\n")
    sandbox.faults.add(Status(401), on=ERASE)
    command = ("customers", "erase", "ids.csv", "--confirm", "2", "--evidence", "proof.jsonl", "--rate", "none")
    stopped = shell(*command)
    assert stopped.last["unsent"] == 2
    sandbox.faults.clear()
    done = shell("runs", "resume", stopped.last["run"], "--rate", "none")
    assert (done.code, done.last["accepted"]) == (0, 2)
    assert "proof.jsonl" in done.err
    assert any(line.startswith("Seal") for line in done.err.splitlines())


def test_a_person_types_the_number_after_the_plan(sandbox: Sandbox, client: t1.Client, tmp_path: Path) -> None:
    fill(client, "a", "b")
    (tmp_path / "ids.csv").write_text("integration_id\na\nb\n")
    for typed, code in ((b"1\n", 2), (b"2\n", 0)):
        ours, theirs = pty.openpty()
        words = ("customers", "erase", "ids.csv", "--rate", "none")
        process = start(*words, env=variables(sandbox, tmp_path), cwd=tmp_path, stdin=theirs)
        os.write(ours, typed)
        done = ended(process)
        os.close(ours)
        os.close(theirs)
        assert done.code == code
        assert done.err.index("2 customers to erase") < done.err.index("Type the number of customers (2)")
    assert len(sandbox.requests.of(ERASE)) == 2


def test_evidence_goes_where_it_was_said_first_unless_another_place_is_said(shell: Shell, client: t1.Client) -> None:
    fill(client, "a")
    Path("ids.csv").write_text("integration_id\na\n")
    words = ("customers", "erase", "ids.csv", "--confirm", "1", "--journal", "run.sqlite")
    for more, place in (
        (["--evidence", "one.jsonl"], "one.jsonl"),
        ([], "one.jsonl"),
        (["--evidence", "two.jsonl"], "two.jsonl"),
    ):
        done = shell(*words, *more)
        assert done.code == 0
        assert f"Evidence  {place}" in done.err.replace(f"{Path.cwd()}/", "")
    assert Path("one.jsonl").read_bytes() == Path("two.jsonl").read_bytes()


@pytest.mark.parametrize("operator", ["", "  ", 5])
def test_an_operator_without_a_name_is_refused(sandbox: Sandbox, client: t1.Client, operator: Any) -> None:
    fill(client, "a")
    with pytest.raises(t1.errors.InputError, match="operator: got"):
        t1.erase_customers(client, ["a"], confirm=1, operator=operator)
    assert not sandbox.requests.of(ERASE)


def test_a_404_ends_with_3_and_its_words(shell: Shell) -> None:
    Path("ids.csv").write_text("integration_id\nnobody\n")
    done = shell("customers", "erase", "ids.csv", "--confirm", "1")
    assert done.code == 3
    assert "nothing was erased" in done.err


def test_evidence_of_another_run_is_not_written_over(shell: Shell, sandbox: Sandbox, client: t1.Client) -> None:
    fill(client, "a")
    Path("ids.csv").write_text("integration_id\na\n")
    words = ("customers", "erase", "ids.csv", "--confirm", "1", "--evidence", "proof.jsonl")
    assert shell(*words, "--journal", "run.sqlite").code == 0
    before = Path("proof.jsonl").read_bytes()
    sandbox.requests.clear()
    refused = shell(*words)
    assert refused.code == 2
    assert "of another run" in refused.err
    assert shell("customers", "erase", "ids.csv", "--confirm", "1", "--journal", "other.sqlite").code == 0
    assert "of another run" in shell(*words, "--journal", "other.sqlite").err
    sandbox.requests.clear()
    assert shell("customers", "erase", "ids.csv", "--confirm", "1", "--evidence", "no/folder.jsonl").code == 2
    assert not sandbox.requests.of(ERASE)
    assert shell(*words, "--journal", "run.sqlite").code == 0  # the same run again
    assert Path("proof.jsonl").read_bytes() == before
    assert not sandbox.requests.of(ERASE)


def test_a_run_whose_rows_are_in_doubt_ends_with_5(shell: Shell, sandbox: Sandbox, client: t1.Client) -> None:
    fill(client, "a")
    Path("ids.csv").write_text("integration_id\na\n")
    sandbox.faults.add(Status(401), on=READ, nth=3)  # after the two looks of the plan
    assert shell("customers", "erase", "ids.csv", "--confirm", "1").code == 5


FUNCTIONS = {"erase": t1.erase_customers, "verify": t1.verify_evidence, "purge": t1.purge_people}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_has_an_option_or_a_written_reason_and_every_option_a_parameter(name: str) -> None:
    own = {"base_url", "env", "rate", "pace", "live", "dry_run", "file", "as_json"}
    typed = {param.name for param in cli.commands["customers"].commands[name].params} - own
    known = set(inspect.signature(FUNCTIONS[name]).parameters)
    reasons = WITHOUT_OPTION.keys() - ({"ids"} if name == "verify" else set())
    assert known == typed | (reasons & known)
    assert not typed & reasons
