"""An audience made what a file says, without taking out whom nobody meant. Judged by the sandbox."""

from __future__ import annotations

import inspect
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shell import Shell, end_all, ended, start, variables, wait_until

import t1data as t1
from t1data.cli import audience_actions, cli
from t1data.sandbox import Delay, Sandbox, Status

APPLY = "update_customer_profile_audiences"
SEED = {"audiences": [{"id": 748, "name": "Regulars"}]}


@pytest.fixture(scope="module")
def _running() -> Iterator[Sandbox]:
    with t1.Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_running: Sandbox) -> Sandbox:
    _running.reset()
    _running.load(SEED)
    return _running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key, rate=None) as made:
        made.management = t1.Management(sandbox.base_url, sandbox.management_key, rate=None)
        yield made


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))
    yield tmp_path / "runs"
    end_all()


def people(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"integration_id": pd.Series(ids, dtype="string")})


def members(client: t1.Client) -> list[str]:
    assert client.management is not None
    return sorted(client.management.export_members(748))


def others_act(client: t1.Client, action: str, *ids: str) -> None:
    """Do what some other program does: without a run, and without a journal."""
    actions = [{"action": action, "profileIntegrationId": id_, "audienceId": 748} for id_ in ids]
    client.update_customer_profile_audiences({"data": actions})


@pytest.mark.parametrize(
    ("mode", "left"),
    [("mirror", ["a", "new"]), ("add", ["a", "b", "new"]), ("remove", ["a"]), ("mirror-ours", ["a", "b", "new"])],
)
def test_a_mode_says_who_joins_and_who_leaves(client: t1.Client, mode: Any, left: list[str]) -> None:
    others_act(client, "add", "a", "b")
    run = t1.sync_audience(client, "Regulars", people("a", "new"), mode=mode, max_removed=1)
    assert run.counts["accepted"] == run.rows
    assert members(client) == left


def test_only_the_difference_is_sent(sandbox: Sandbox, client: t1.Client) -> None:
    ids = [f"{n:04}" for n in range(3000)]
    t1.apply_audience(client, pd.DataFrame({"integration_id": ids, "action": "add", "audience_id": 748}))
    sandbox.requests.clear()
    run = t1.sync_audience(client, 748, people(*(f"{n:04}" for n in range(1, 3001))))
    assert run.rows == 2
    assert len(sandbox.requests.of(APPLY)) == 1
    again = t1.sync_audience(client, 748, people(*(f"{n:04}" for n in range(1, 3001))))
    assert again.rows == 0
    assert again.complete
    assert len(sandbox.requests.of(APPLY)) == 1


@pytest.mark.parametrize("form", ["csv", "arrow", "stream"])
@pytest.mark.parametrize("mode", ["mirror", "mirror-ours"])
def test_it_takes_any_form_also_one_that_can_be_read_once(
    client: t1.Client, tmp_path: Path, form: str, mode: Any
) -> None:
    others_act(client, "add", "a", "theirs")
    people("a", "new").to_csv(tmp_path / "after.csv", index=False)
    table = pa.Table.from_pandas(people("a", "new"))
    after = {"csv": tmp_path / "after.csv", "arrow": table, "stream": table.to_reader()}[form]
    t1.sync_audience(client, 748, after, mode=mode, max_removed=1)
    assert members(client) == (["a", "new"] if mode == "mirror" else ["a", "new", "theirs"])


# --- guards -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["mirror", "remove"])
@pytest.mark.parametrize(
    ("after", "confirmed", "said"),
    [
        (people(), None, "is empty.*all 20 members.*max_removed=20"),
        (people(), 19, "is empty.*max_removed=20"),
        (people(), 1000, "is empty.*max_removed=20"),
        (people(*map(str, range(17))), None, "take out 3 of 20 members.*max_removed=3"),
        (people(*map(str, range(17))), 2, "take out 3 of 20 members.*max_removed=3"),
        (people(*map(str, range(17))), True, "max_removed: got True"),
        (people(*map(str, range(17))), -1, "max_removed: got -1"),
        (pd.DataFrame({"integration_id": list(range(20))}), 20, "ids are text in before .* numbers"),
        (people("0", "1", ""), 99, "no id"),
        (people(*(f"{n}.0" for n in range(20))), 20, r"all 20 ids end in \.0"),
        (pd.DataFrame({"no": ["a"]}), None, "there is no column"),
    ],
)
def test_nothing_is_sent_when_many_would_be_taken_out_or_the_file_is_damaged(
    sandbox: Sandbox, client: t1.Client, after: Any, confirmed: Any, said: str, mode: Any
) -> None:
    others_act(client, "add", *map(str, range(20)))
    sandbox.requests.clear()
    with pytest.raises(t1.errors.InputError, match=said):
        t1.sync_audience(client, 748, after, mode=mode, max_removed=confirmed)
    assert not sandbox.requests.of(APPLY)
    assert len(members(client)) == 20


def test_a_thousand_are_the_most_that_leave_a_large_audience_unasked(client: t1.Client) -> None:
    ids = [f"{n:05}" for n in range(12_000)]
    t1.apply_audience(client, pd.DataFrame({"integration_id": ids, "action": "add", "audience_id": 748}))
    with pytest.raises(t1.errors.InputError, match="1,001 of 12,000"):
        t1.plan_sync(client, 748, people(*ids[1001:]))
    assert len(t1.plan_sync(client, 748, people(*ids[1000:]))) == 1000


def test_the_file_and_the_known_ids_are_read_as_is_said(client: t1.Client, tmp_path: Path) -> None:
    after, known = tmp_path / "after.csv", tmp_path / "known.csv"
    after.write_bytes("integration_id\nä\n".encode("cp1252"))
    known.write_bytes("integration_id\nä\n".encode())
    words = {"after": "cp1252"}
    plan = t1.plan_sync(client, 748, after, mode="add", known=known, encoding=words)
    assert (plan["integration_id"].tolist(), plan.attrs["unknown"]) == (["ä"], 0)
    run = t1.sync_audience(client, 748, after, mode="add", known=known, encoding=words)
    assert run.counts["accepted"] == 1


def test_the_exact_number_empties_an_audience(client: t1.Client) -> None:
    others_act(client, "add", "a", "b")
    t1.sync_audience(client, 748, people(), max_removed=2)
    assert members(client) == []


@pytest.mark.parametrize(
    ("audience", "mode", "said"),
    [("Nobody", "mirror", "none named 'Nobody'"), (748, "miror", "valid are 'mirror', 'add'"), (0, "add", "1 or more")],
)
def test_what_cannot_be_meant_is_said(sandbox: Sandbox, client: t1.Client, audience: Any, mode: Any, said: str) -> None:
    with pytest.raises(t1.errors.InputError, match=said):
        t1.sync_audience(client, audience, people("a"), mode=mode)
    with pytest.raises(t1.errors.InputError, match="management key"):
        t1.sync_audience(t1.Client(sandbox.base_url, sandbox.api_key), 748, people("a"))
    assert not sandbox.requests.of(APPLY)


# --- only whom we added -------------------------------------------------------------------------------------


def test_mirror_ours_takes_out_whom_we_added_and_nobody_else(client: t1.Client) -> None:
    others_act(client, "add", "theirs", "both")
    t1.sync_audience(client, 748, people("ours", "both", "stays"), mode="mirror-ours")
    assert members(client) == ["both", "ours", "stays", "theirs"]
    t1.sync_audience(client, 748, people("stays"), mode="mirror-ours", max_removed=1)
    assert members(client) == ["both", "stays", "theirs"]


def test_whom_we_took_out_and_somebody_else_added_again_is_not_ours(client: t1.Client) -> None:
    t1.sync_audience(client, 748, people("a", "b"), mode="mirror-ours")
    t1.sync_audience(client, 748, people("b"), mode="mirror-ours", max_removed=1)
    others_act(client, "add", "a")
    assert t1.plan_sync(client, 748, people("b"), mode="mirror-ours").empty


def test_without_journals_nobody_is_ours(client: t1.Client, runs: Path) -> None:
    run = t1.sync_audience(client, 748, people("a", "b"))
    assert len(t1.plan_sync(client, 748, people("b"), mode="mirror-ours", max_removed=1)) == 1
    key = (runs / "ids.key").read_bytes()
    (runs / "ids.key").unlink()  # another key: no hash means anything any more
    assert t1.plan_sync(client, 748, people("b"), mode="mirror-ours").empty
    (runs / "ids.key").write_bytes(key)
    t1.purge_run(run.id)
    assert t1.plan_sync(client, 748, people("b"), mode="mirror-ours").empty


def test_a_run_that_did_not_know_the_members_makes_nobody_ours(sandbox: Sandbox, client: t1.Client) -> None:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as keyless:
        t1.apply_audience(keyless, pd.DataFrame({"integration_id": ["a"], "action": "add", "audience_id": 748}))
    assert t1.plan_sync(client, 748, people("b"), mode="mirror-ours")["action"].tolist() == ["add"]


def test_rows_that_were_not_accepted_make_nobody_ours(sandbox: Sandbox, client: t1.Client) -> None:
    sandbox.faults.add(Status(401), on=APPLY)
    t1.sync_audience(client, 748, people("a"))
    sandbox.faults.clear()
    others_act(client, "add", "a")
    assert t1.plan_sync(client, 748, people(), mode="mirror-ours").empty


def test_an_older_journal_that_is_damaged_stops_it(client: t1.Client, sandbox: Sandbox) -> None:
    run = t1.sync_audience(client, 748, people("a", "b"))
    run.journal.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    sandbox.requests.clear()
    with pytest.raises(t1.errors.JournalError, match="damaged"):
        t1.sync_audience(client, 748, people("b"), mode="mirror-ours", max_removed=1)
    assert not sandbox.requests.of(APPLY)


STEPS = st.lists(
    st.tuples(st.sampled_from(["ours", "theirs"]), st.sets(st.sampled_from("abcdef"), min_size=1)), max_size=4
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_mirror_ours_never_takes_out_whom_only_others_added(
    sandbox: Sandbox, client: t1.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[Any]
) -> None:
    sandbox.reset()
    sandbox.load(SEED)
    monkeypatch.setenv("T1DATA_RUNS", tempfile.mkdtemp(dir=tmp_path))
    theirs: set[str] = set()
    for who, ids in [*steps, ("ours", {"z"})]:
        if who == "theirs":
            theirs |= ids - set(members(client))
            others_act(client, "add", *ids)
        else:
            t1.sync_audience(client, 748, people(*sorted(ids)), mode="mirror-ours", max_removed=6)
        assert theirs <= set(members(client))
    assert set(members(client)) == theirs | {"z"}


# --- stops, resumes, the way back ---------------------------------------------------------------------------


def test_a_plan_that_was_written_lets_a_killed_sync_go_on_and_be_taken_back(
    sandbox: Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    ids = [f"{n:05}" for n in range(5000)]
    people(*ids).to_csv(tmp_path / "after.csv", index=False)
    sandbox.faults.add(Delay(0.2), on=APPLY)
    words = ("audiences", "sync", "748", "after.csv", "--plan-file", "plan.parquet", "--journal", "run.sqlite")
    process = start(*words, "--rate", "none", env=variables(sandbox, tmp_path, management=True), cwd=tmp_path)
    wait_until(lambda: len(sandbox.requests.of(APPLY)) >= 2, within=60)
    process.send_signal(signal.SIGKILL)
    ended(process)
    sandbox.faults.clear()
    run = t1.resume(client, tmp_path / "run.sqlite")
    assert run.counts["accepted"] == 5000
    assert members(client) == ids
    t1.undo_audience(client, tmp_path / "run.sqlite", max_removed=5000)
    assert members(client) == []


def test_a_sync_can_be_taken_back(client: t1.Client) -> None:
    others_act(client, "add", "a", "b", "c")
    run = t1.sync_audience(client, 748, people("c", "d"), max_removed=2)
    assert members(client) == ["c", "d"]
    t1.undo_audience(client, run, max_removed=1)
    assert members(client) == ["a", "b", "c"]


# --- the shell ----------------------------------------------------------------------------------------------


def test_a_shell_syncs_with_a_file(
    sandbox: Sandbox,
    client: t1.Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables(sandbox, tmp_path, management=True).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    shell = Shell(capsys)
    others_act(client, "add", "a", "b")
    people("b", "c").to_csv("after.csv", index=False)
    refused = shell("audiences", "sync", "Regulars", "after.csv")
    assert refused.code == 2
    assert "--max-removed 1" in refused.err
    dry = shell("audiences", "sync", "Regulars", "after.csv", "--max-removed", "1", "--dry-run")
    assert (dry.code, dry.last["unsent"]) == (0, 2)
    assert "1 to add, 1 to take out" in dry.err
    assert members(client) == ["a", "b"]
    done = shell("audiences", "sync", "748", "after.csv", "--max-removed", "1", "--plan-file", "plan.csv")
    assert (done.code, done.last["accepted"]) == (0, 2)
    assert members(client) == ["b", "c"]
    assert Path("plan.csv").stat().st_mode & 0o777 == 0o600
    assert shell("audiences", "sync", "748", "after.csv", "--mode", "mirror-ours").last["rows"] == 0


def test_every_parameter_has_an_option_or_a_written_reason_and_every_option_a_parameter() -> None:
    own = {"base_url", "env", "rate", "pace", "live", "dry_run", "audience", "file"}
    typed = {param.name for param in cli.commands["audiences"].commands["sync"].params} - own
    known = set(inspect.signature(t1.sync_audience).parameters)
    assert known == typed | (audience_actions.WITHOUT_OPTION.keys() & known)
    assert set(inspect.signature(t1.plan_sync).parameters) <= known
