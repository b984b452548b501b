"""Plans applied to audiences: one outcome a row, nobody reordered, and taken back. Judged by ledger and sandbox."""

from __future__ import annotations

import gzip
import inspect
import json
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fault_server import Act, Caller, FaultServer, answer, reset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shell import Shell, end_all, ended, start, variables, wait_until

import t1data as t1
from t1data.cli import audience_actions, cli
from t1data.sandbox import Delay, Options, Status
from t1data.transport.retry import Limits

APPLY = "update_customer_profile_audiences"
SEED = {"audiences": [{"id": 748, "name": "Regulars"}, {"id": 749, "name": "Others"}]}
KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def _running() -> Iterator[t1.Sandbox]:
    with t1.Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_running: t1.Sandbox) -> t1.Sandbox:
    _running.reset()
    _running.load(SEED)
    return _running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key, rate=None) as made:
        made.management = t1.Management(sandbox.base_url, sandbox.management_key, rate=None)
        yield made


@pytest.fixture
def keyless(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    """A client without a management key."""
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
        yield made


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))
    yield
    end_all()


def plan(*actions: tuple[Any, ...], audience: int = 748) -> pd.DataFrame:
    """A plan of (id, action) or (id, action, audience)."""
    rows = [(*action, audience)[:3] for action in actions]
    return pd.DataFrame(rows, columns=["integration_id", "action", "audience_id"])


def adds(*ids: str, audience: int = 748) -> pd.DataFrame:
    return plan(*((id_, "add") for id_ in ids), audience=audience)


def members(client: t1.Client, audience: int = 748) -> list[str]:
    assert client.management is not None
    return sorted(client.management.export_members(audience))


def sent(server: FaultServer) -> list[list[tuple[str, str, int]]]:
    """The actions of each request that a ledger holds."""
    bodies = [entry.json()["data"] for entry in server.ledger if entry.whole]
    return [[(each["profileIntegrationId"], each["action"], each["audienceId"]) for each in body] for body in bodies]


def applied_to(script: tuple[Act, ...], frame: Any, **more: Any) -> tuple[t1.Run, list[list[tuple[str, str, int]]]]:
    with FaultServer(*script) as server, t1.Client(server.url, KEY, rate=None) as client:
        return t1.apply_audience(client, frame, **more), sent(server)


# --- what is sent -------------------------------------------------------------------------------------------


def test_a_thousand_actions_go_in_one_request_in_the_order_of_the_plan() -> None:
    frame = plan(*((f"{n:05}", "add" if n % 3 else "delete") for n in range(2500)))
    run, requests = applied_to((answer(204),), frame, connections=1)
    assert run.counts["accepted"] == 2500
    assert [len(each) for each in requests] == [1000, 1000, 500]
    assert [action for each in requests for action in each] == list(frame.itertuples(index=False, name=None))


def test_a_body_is_json_as_the_api_wants_it(sandbox: t1.Sandbox, keyless: t1.Client) -> None:
    run = t1.apply_audience(keyless, adds('q"uo\\te', "zoë/%2F", "a" * 1000))
    body = json.loads(sandbox.requests.of(APPLY)[0].body or b"")
    assert run.counts["accepted"] == 3
    assert body["data"][0] == {"action": "add", "profileIntegrationId": 'q"uo\\te', "audienceId": 748}
    assert [each["profileIntegrationId"] for each in body["data"]] == ['q"uo\\te', "zoë/%2F", "a" * 1000]


@pytest.mark.parametrize("form", ["csv", "gzip", "parquet", "arrow", "categories", "large"])
def test_a_plan_comes_in_any_form(client: t1.Client, tmp_path: Path, form: str) -> None:
    frame = plan(("007", "add"), ("008", "delete"))
    data: Any = tmp_path / "plan.csv"
    if form == "csv":
        frame.to_csv(data, index=False)
    elif form == "gzip":
        data.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    elif form == "parquet":
        frame.to_parquet(data := tmp_path / "plan.parquet")
    elif form == "arrow":
        data = pa.Table.from_pandas(frame)
    elif form == "categories":
        data = frame.astype({"action": "category"})
    else:
        schema = {"integration_id": pa.large_string(), "action": pa.large_string(), "audience_id": pa.uint16()}
        data = pa.Table.from_pandas(frame).cast(pa.schema(schema))
    t1.apply_audience(client, adds("008"))
    run = t1.apply_audience(client, data)
    assert run.counts["accepted"] == 2
    assert members(client) == ["007"]


def test_rows_that_say_the_same_go_once_and_rows_that_contradict_each_other_not_at_all() -> None:
    frame = plan(("a", "add"), ("b", "add"), ("a", "add"), ("b", "delete"), ("b", "add"), ("b", "add", 749))
    frame.index = pd.Index(list("uvwxyz"))
    run, requests = applied_to((answer(204),), frame)
    assert requests == [[("a", "add", 748), ("b", "add", 749)]]
    assert run.outcomes["outcome"].tolist() == ["accepted", "invalid", "accepted", "invalid", "invalid", "accepted"]
    assert run.outcomes.loc["v", "reason"] == "contradicting_actions"
    assert "row x" in run.outcomes.loc["v", "message"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("", "add"), "missing_id"),
        ((None, "add"), "missing_id"),
        ((" a", "add"), "id_whitespace"),
        (("a\tb", "add"), "id_control_character"),
        (("a" * 1001, "add"), "id_too_long"),
        (("a", "remove"), "not_an_action"),
        (("a", "ADD"), "not_an_action"),
        (("a", ""), "not_an_action"),
        (("a", None), "not_an_action"),
        (("a", "add", 0), "not_an_audience"),
        (("a", "add", -5), "not_an_audience"),
        (("a", "add", 10**18), "not_an_audience"),
    ],
)
def test_a_row_that_cannot_be_meant_is_invalid_and_the_others_go(row: tuple[Any, ...], reason: str) -> None:
    run, requests = applied_to((answer(204),), plan(("good", "add"), row))
    assert requests == [[("good", "add", 748)]]
    assert run.counts == {"accepted": 1, "invalid": 1, "refused": 0, "unsent": 0, "in_doubt": 0}
    assert run.outcomes["reason"].tolist()[1] == reason


def test_an_audience_in_a_text_file_is_a_number_or_invalid(client: t1.Client, tmp_path: Path) -> None:
    lines = ["integration_id,action,audience_id", "a,add,748", "b,add,748.0", "c,add,", "d,add,Regulars", "e,add,0748"]
    (tmp_path / "plan.csv").write_text("\n".join(lines))
    run = t1.apply_audience(client, tmp_path / "plan.csv")
    assert run.counts["accepted"] == 1
    assert set(run.failures["reason"]) == {"not_an_audience"}


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"integration_id": ["a"], "audience_id": [748]}), "has no column 'action'"),
        (pd.DataFrame({"id": ["a"], "action": ["add"], "audience_id": [748]}), "there is no column 'integration_id'"),
        (plan(("a", "add"))[:0], "has no rows"),
        (plan((1.5, "add")), "floating point"),
        (plan(("a", True)), "column 'action' holds bool"),
        (plan(("a", "add", 748.0)), "column 'audience_id' holds double"),
        (plan(("1.23E+10", "add")), "allow_suspect_ids=True"),
        ({"a": 1}, "dict"),
        ("nowhere.csv", "nowhere.csv"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused_before_anything_is_sent(
    sandbox: t1.Sandbox, client: t1.Client, frame: Any, said: str
) -> None:
    with pytest.raises(t1.errors.InputError, match=said):
        t1.apply_audience(client, frame)
    assert not sandbox.requests.of(APPLY)


def test_a_plan_of_another_encoding_can_be_gone_on_with_and_taken_back(client: t1.Client, tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_bytes("integration_id|action|audience_id\nä|add|748\n".encode("cp1252"))
    run = t1.apply_audience(client, path, encoding="cp1252", delimiter="|")
    assert t1.open_run(run.id).outcomes["integration_id"].tolist() == ["ä"]
    assert t1.resume(client, run.id).counts["accepted"] == 1
    assert t1.undo_audience(client, run.id, max_removed=1).counts["accepted"] == 1


def test_a_plan_is_not_changed(client: t1.Client) -> None:
    frame = plan(("a", "add"), (" b", "delete"))
    before = frame.copy(deep=True)
    t1.apply_audience(client, frame)
    pd.testing.assert_frame_equal(frame, before)


# --- audiences that are not there ---------------------------------------------------------------------------


def test_an_audience_that_does_not_exist_is_told_before_anything_is_sent(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    with pytest.raises(t1.errors.InputError, match="has no audience 5, 6; nothing was sent"):
        t1.apply_audience(client, plan(("a", "add"), ("b", "add", 6), ("c", "add", 5)))
    assert not sandbox.requests.of(APPLY)


def test_without_a_key_to_look_with_a_404_stops_the_run(keyless: t1.Client) -> None:
    run = t1.apply_audience(keyless, adds("a", "b", audience=5))
    assert run.counts["unsent"] == 2
    assert "404" in (run.stopped or "")


def test_a_404_for_one_of_several_audiences_leaves_the_others_in_doubt() -> None:
    gone = answer(404, {"message": "Audience 5 does not exist", "errors": [], "StatusCode": 404})
    run, requests = applied_to((gone,), plan(("a", "add"), ("b", "add", 5)))
    assert run.counts["in_doubt"] == 2
    assert "not known" in (run.stopped or "")
    assert len(requests) == 1


# --- order, repeats, refusals -------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from(["add", "delete"]), st.sampled_from([748, 749])), max_size=30
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_requests_about_one_customer_never_overtake_each_other(actions: list[tuple[str, str, int]]) -> None:
    filler = [(f"x{n}", "add", 748) for n in range(995)]
    frame = plan(*actions, *filler, *((who, what, where + 2) for who, what, where in actions))
    _, requests = applied_to((answer(204),), frame, connections=4)
    rows = list(frame.itertuples(index=False, name=None))
    said: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for who, what, where in rows:
        said[who, where].add(what)
    clear = dict.fromkeys(row for row in rows if len(said[row[0], row[2]]) == 1)
    arrived = [action for request in requests for action in request]
    for one in "abcde":
        assert [each for each in arrived if each[0] == one] == [each for each in clear if each[0] == one]


def overlap(frame: pd.DataFrame) -> bool:
    """Whether a second request comes while the first has no answer yet; it is held back for a while to see."""
    arrived, both = threading.Semaphore(0), threading.Event()
    first = threading.Lock()

    def act(caller: Caller) -> bool:
        if first.acquire(blocking=False):
            if arrived.acquire(timeout=0.5):
                both.set()
        else:
            arrived.release()
        return answer(204)(caller)

    run, requests = applied_to((act,), frame, connections=4)
    assert run.counts["accepted"] == len(frame)
    assert len(requests) == 2
    return both.is_set()


def test_two_requests_are_out_at_once_only_when_no_customer_is_in_both() -> None:
    many = [(f"{n:05}", "add") for n in range(1001)]
    assert overlap(plan(*many))
    assert not overlap(plan(*many, ("00000", "add", 749)))


def test_a_request_whose_answer_was_lost_goes_out_again_with_the_same_actions() -> None:
    run, requests = applied_to((reset(), answer(503), answer(204)), adds("a", "b"))
    assert run.counts["accepted"] == 2
    assert requests == [[("a", "add", 748), ("b", "add", 748)]] * 3


def test_a_bad_action_costs_itself_alone() -> None:
    with t1.Sandbox(options=Options(unknown_member="reject")) as sandbox:
        sandbox.load(SEED)
        client = t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key, rate=None)
        t1.apply_audience(client, adds("there"))
        ids = [f"n{n}" for n in range(500)]
        run = t1.apply_audience(
            client, plan(*((id_, "add") for id_ in ids), ("stranger", "delete"), ("there", "delete"))
        )
        assert run.counts["accepted"] == 501
        assert run.failures["integration_id"].tolist() == ["stranger"]
        assert members(client) == sorted(ids)
        assert len(sandbox.requests.of(APPLY)) <= 4


def test_a_kill_loses_nothing_and_a_resume_ends_it(sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path) -> None:
    ids = [f"{n:05}" for n in range(6000)]
    adds(*ids).to_csv(tmp_path / "plan.csv", index=False)
    sandbox.faults.add(Delay(0.2), on=APPLY)
    words = ("audiences", "apply", "plan.csv", "--journal", "run.sqlite", "--rate", "none", "--connections", "2")
    process = start(*words, env=variables(sandbox, tmp_path, management=True), cwd=tmp_path)
    wait_until(lambda: len(sandbox.requests.of(APPLY)) >= 2, within=60)
    process.send_signal(signal.SIGKILL)
    ended(process)
    sandbox.faults.clear()
    cut = t1.open_run(tmp_path / "run.sqlite")
    assert sum(cut.counts.values()) == 6000
    assert cut.counts["accepted"] < 6000
    run = t1.resume(client, tmp_path / "run.sqlite")
    assert run.counts["accepted"] == 6000
    assert members(client) == ids
    undone = t1.plan_undo(client, run)
    assert sorted(undone["integration_id"]) == ids


def test_a_resume_with_another_plan_is_refused(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.faults.add(Status(401), on=APPLY)
    run = t1.apply_audience(client, adds("a", "b"))
    sandbox.faults.clear()
    with pytest.raises(t1.errors.JournalError, match="the input's content"):
        t1.resume(client, run.journal, data=adds("a", "c"))
    assert t1.resume(client, run.journal, data=adds("a", "b")).counts["accepted"] == 2


# --- taking back --------------------------------------------------------------------------------------------


def test_taking_back_leaves_the_members_as_they_were(client: t1.Client) -> None:
    t1.apply_audience(client, adds("old", "both", "left"))
    t1.apply_audience(client, adds("elsewhere", audience=749))
    before = members(client), members(client, 749)
    actions = [("old", "add"), ("new", "add"), ("left", "delete"), ("never", "delete"), ("old", "add", 749)]
    run = t1.apply_audience(client, frame := plan(*actions))
    assert members(client) == ["both", "new", "old"]
    found = t1.plan_undo(client, run.id, data=frame)
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        ("new", "delete", 748),
        ("left", "add", 748),
        ("old", "delete", 749),
    ]
    undone = t1.undo_audience(client, run, max_removed=1)
    assert undone.counts["accepted"] == 3
    assert (members(client), members(client, 749)) == before


ROWS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["add", "delete"])), min_size=1, max_size=12)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.sets(st.sampled_from("abcdefgh"), min_size=1), rows=ROWS)
def test_any_run_can_be_taken_back(sandbox: t1.Sandbox, client: t1.Client, first: set[str], rows: Any) -> None:
    sandbox.reset()
    sandbox.load(SEED)
    t1.apply_audience(client, adds(*first))
    before = members(client)
    run = t1.apply_audience(client, plan(*rows))
    if members(client) != before:
        t1.undo_audience(client, run, max_removed=8)
    assert members(client) == before


def test_what_somebody_else_has_taken_back_already_is_not_sent_again(client: t1.Client) -> None:
    run = t1.apply_audience(client, adds("a", "b"))
    t1.apply_audience(client, plan(("a", "delete")))
    assert t1.plan_undo(client, run)["integration_id"].tolist() == ["b"]
    t1.apply_audience(client, plan(("b", "delete")))
    with pytest.raises(t1.errors.InputError, match="nothing to take back"):
        t1.undo_audience(client, run)


def test_a_run_that_did_not_know_the_members_is_taken_back_only_when_they_are_given(
    sandbox: t1.Sandbox, client: t1.Client, keyless: t1.Client
) -> None:
    t1.apply_audience(client, adds("old"))
    run = t1.apply_audience(keyless, adds("old", "new"))
    sandbox.requests.clear()
    with pytest.raises(t1.errors.InputError, match="before="):
        t1.undo_audience(keyless, run)
    assert not list(sandbox.requests)
    assert t1.plan_undo(keyless, run, before=["old"])["integration_id"].tolist() == ["new"]
    assert t1.plan_undo(keyless, run, before=[])["integration_id"].tolist() == ["old", "new"]
    assert t1.undo_audience(keyless, run, before=["old"]).counts["accepted"] == 1
    assert members(client) == ["old"]


def test_rows_that_were_not_accepted_are_not_taken_back(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.faults.add(Status(401), on=APPLY)
    run = t1.apply_audience(client, adds("a"))
    sandbox.faults.clear()
    t1.apply_audience(client, adds("a"))
    assert t1.plan_undo(client, run).empty


def test_taking_back_asks_for_the_number_before_it_takes_out_many(client: t1.Client) -> None:
    run = t1.apply_audience(client, adds(*(f"{n}" for n in range(20))))
    with pytest.raises(t1.errors.InputError, match=r"would take out 20 of 20 members.*max_removed=20"):
        t1.undo_audience(client, run)
    with pytest.raises(t1.errors.InputError, match="max_removed=20"):
        t1.undo_audience(client, run, max_removed=19)
    assert len(members(client)) == 20


def test_only_runs_on_audiences_of_this_account_can_be_taken_back(client: t1.Client) -> None:
    upsert = t1.upsert_profiles(client, pd.DataFrame({"integration_id": ["a"]}))
    with pytest.raises(t1.errors.InputError, match="only runs on audiences"):
        t1.plan_undo(client, upsert)
    run = t1.apply_audience(client, adds("a"))
    with (
        t1.Client("http://127.0.0.1:9", KEY) as other,
        pytest.raises(t1.errors.InputError, match="this client is for"),
    ):
        t1.plan_undo(other, run)
    with pytest.raises(t1.errors.InputError, match=r"undoable: .*has none"):
        t1.apply_audience(t1.Client(client.base_url, KEY), adds("a"), undoable=True)


def test_neither_journal_nor_what_lies_beside_it_names_anybody(client: t1.Client, tmp_path: Path) -> None:
    run = t1.apply_audience(client, adds("canary-7f3a@example.com"))
    left = [path for path in (tmp_path / "runs").iterdir() if path.is_file()]
    assert len(left) == 3
    assert not [path for path in left if b"canary-7f3a" in path.read_bytes()]
    assert {path.stat().st_mode & 0o777 for path in left} == {0o600}
    t1.purge_run(run.id)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["ids.key"]


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_words_of_the_server_that_name_somebody_do_not_stay(tmp_path: Path, status: int) -> None:
    echo = answer(status, {"message": "trouble with canary-7f3a", "errors": []})
    with FaultServer(echo) as server, t1.Client(server.url, KEY, limits=Limits(attempts=1)) as client:
        run = t1.apply_audience(client, adds("canary-7f3a"))
    assert run.counts["accepted"] == 0
    assert not [path for path in (tmp_path / "runs").iterdir() if b"canary-7f3a" in path.read_bytes()]


def test_marks_hold_a_line_for_each_action_that_is_sent(client: t1.Client) -> None:
    run = t1.apply_audience(client, plan(("a", "add"), (" b", "add"), ("a", "add"), ("c", "delete")))
    marks = pq.read_table(run.journal.with_name(f"{run.journal.name}.marks"))
    assert marks.select(["row", "adds", "changes"]).to_pylist() == [
        {"row": 0, "adds": True, "changes": True},
        {"row": 3, "adds": False, "changes": False},
    ]


# --- the shell ----------------------------------------------------------------------------------------------


@pytest.fixture
def shell(
    sandbox: t1.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    for name, value in variables(sandbox, tmp_path, management=True).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


def test_a_shell_applies_a_plan_and_takes_it_back(shell: Shell, client: t1.Client, sandbox: t1.Sandbox) -> None:
    plan(("a", "add"), ("b", "add"), ("c", "leave")).to_csv("plan.csv", index=False)
    dry = shell("audiences", "apply", "plan.csv", "--dry-run")
    assert dry.code == 3
    assert "2 to add, 0 to take out" in dry.err
    assert not sandbox.requests.of(APPLY)
    done = shell("audiences", "apply", "plan.csv", "--journal", "run.sqlite")
    assert done.code == 3
    assert (done.last["accepted"], done.last["invalid"]) == (2, 1)
    assert "Plan: taking back" in shell("audiences", "undo", "run.sqlite", "--dry-run").err
    refused = shell("audiences", "undo", "run.sqlite")
    assert refused.code == 2
    assert "--max-removed 2" in refused.err
    assert members(client) == ["a", "b"]
    assert shell("audiences", "undo", "run.sqlite", "--max-removed", "2").code == 0
    assert members(client) == []


@pytest.mark.parametrize(("name", "function"), [("apply", t1.apply_audience), ("undo", t1.undo_audience)])
def test_every_parameter_has_an_option_or_a_written_reason_and_every_option_a_parameter(
    name: str, function: Any
) -> None:
    own = {"base_url", "env", "rate", "pace", "live", "dry_run", "plan", "run"}
    typed = {param.name for param in cli.commands["audiences"].commands[name].params} - own
    known = set(inspect.signature(function).parameters)
    assert known == typed | (audience_actions.WITHOUT_OPTION.keys() & known)
    assert not typed & audience_actions.WITHOUT_OPTION.keys()
