"""`t1data sessions replay` and `t1data events track`: their options, what they say, and the files that they write."""

from __future__ import annotations

import csv
import inspect
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from shell import Shell, variables

import t1data as t1
from t1data.cli import options
from t1data.cli.events import TRACKING
from t1data.cli.events import WITHOUT_OPTION as NOT_IN_EVENTS
from t1data.cli.sessions import REPLAYING
from t1data.cli.sessions import WITHOUT_OPTION as NOT_IN_SESSIONS
from t1data.sandbox import Sandbox, Status

UPDATE, EVENT = "update_customer_session_v2", "track_event_v2"
COUNTS = ("accepted", "invalid", "refused", "unsent", "in_doubt")
RULE = {
    "name": "off",
    "when": {"cart_total_at_least": 20},
    "then": [{"effect": "setDiscount", "name": "A", "percent": 10}],
}
SEED = {"campaigns": [{"id": 7, "name": "Sale", "rules": [RULE]}]}
TABLES = [
    (REPLAYING, NOT_IN_SESSIONS, t1.plan_sessions, t1.update_sessions),
    (TRACKING, NOT_IN_EVENTS, t1.plan_events, t1.track_events),
]


@pytest.fixture(scope="module")
def _running() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_running: Sandbox) -> Sandbox:
    _running.reset()
    _running.load(SEED)
    return _running


@pytest.fixture(autouse=True)
def _environment(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(sandbox, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("T1DATA_MANAGEMENT_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("s.csv").write_text("session_id,integration_id,state\n1,007,closed\n2,,open\n3,008,closed\n")
    Path("i.csv").write_text("session_id,sku,quantity,price\n1,a,2,10.05\n3,a,1,5\n")


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def parameters(*functions: Any) -> set[str]:
    return {name for function in functions for name in inspect.signature(function).parameters}


@pytest.mark.parametrize(("table", "without", "plan", "send"), TABLES)
def test_options_and_signatures_agree_in_both_directions(
    table: Sequence[options.Option], without: dict[str, str], plan: Any, send: Any
) -> None:
    fed = {row.parameter for row in table}
    assert fed <= parameters(plan) & parameters(send)
    everything = fed | {row.parameter for row in options.SENDING} | without.keys()
    assert parameters(plan, send) == everything
    assert not fed & without.keys()
    for row in (*table, *options.SENDING):
        flag = row.flag.removeprefix("--").split("/")[0].replace("-", "_")
        assert flag in (row.parameter, row.parameter.removesuffix("s"))
        if found := re.search(r"\(default: ([\w.]+)\)", row.help):
            assert str(inspect.signature(send).parameters[row.parameter].default) == found[1]


def test_a_what_if_run_writes_what_it_was_asked_for_and_changes_nothing(shell: Shell, sandbox: Sandbox) -> None:
    done = shell(
        "sessions", "replay", "s.csv", "--items", "i.csv", "--dry", "--rate", "none", "--effects", "e.csv",
        "--totals", "t.parquet", "--campaigns", "c.csv", "--outcomes", "o.csv",
    )  # fmt: skip
    assert (done.code, done.last["accepted"]) == (0, 3), done.err
    assert len(done.out.splitlines()) == 1
    assert "3 would be sent, one in a request" in done.err
    assert "Campaign 7 (Sale): 1 session, discount 2.01" in done.err
    with Path("e.csv").open(newline="") as lines:
        assert [(row["row"], row["session_id"], row["value"]) for row in csv.DictReader(lines)] == [("1", "1", "2.01")]
    assert pq.read_table("t.parquet").column("total").to_pylist() == [20.1, 0.0, 5.0]
    with Path("c.csv").open(newline="") as lines:
        assert [row["campaign_id"] for row in csv.DictReader(lines)] == ["7"]
    assert {request.query for request in sandbox.requests.of(UPDATE)} == {"dry=true"}


def test_a_plan_sends_nothing(shell: Shell, sandbox: Sandbox) -> None:
    for words in (
        ("sessions", "replay", "s.csv"),
        ("events", "track", "i.csv", "--type", "visit", "--id", "session_id", "--attribute", "sku"),
    ):
        done = shell(*words, "--dry-run")
        assert (done.code, done.last["unsent"]) == (0, done.last["rows"])
        assert sum(done.last[name] for name in COUNTS) == done.last["rows"]
    assert not len(sandbox.requests)


def test_options_reach_the_function(shell: Shell, sandbox: Sandbox) -> None:
    Path("a.txt").write_text("no;who;paid\n1;007;1,50\n")
    done = shell(
        "sessions", "replay", "a.txt", "--items", "a.txt", "--id", "no", "--profile", "who", "--column", "who",
        "--constant", "state=closed", "--constant", 'coupon_codes=["X"]', "--item-column", "paid=price",
        "--item-constant", "sku=cd", "--item-constant", "quantity=2", "--decimal", ",", "--delimiter", ";",
    )  # fmt: skip
    assert done.code == 0, done.err
    (seen,) = sandbox.requests.of(UPDATE)
    assert json.loads(seen.body or b"", parse_float=str)["customerSession"] == {
        "profileId": "007",
        "state": "closed",
        "couponCodes": ["X"],
        "cartItems": [{"price": "1.50", "sku": "cd", "quantity": 2}],
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--id", "no"), "got 'no', valid are 'session_id'"),
        (("--item-column", "price=worth"), "items: got 'worth', valid are"),
        (("--now", "2098-01-01T00:00:00Z"), "--now: a time can be pretended in a what-if run only; say --dry"),
        (("--column", "state=attributes.State", "--constant", "state=done"), "'done'; a session is sent as"),
        (("--effects", "x.csv", "--totals", "x.csv"), "one file cannot hold two"),
        (("--effects", "s.csv"), "s.csv is there already"),
    ],
)
def test_wrong_usage_says_what_is_right(shell: Shell, sandbox: Sandbox, words: tuple[str, ...], said: str) -> None:
    done = shell("sessions", "replay", "s.csv", "--items", "i.csv", *words)
    assert done.code == 2
    assert said in done.err
    assert not len(sandbox.requests)


def test_how_to_say_that_sessions_are_nobodys_is_told_in_options(shell: Shell, sandbox: Sandbox) -> None:
    Path("nobody.csv").write_text("session_id\n1\n")
    assert 'say --profile "" for sessions of nobody' in shell("sessions", "replay", "nobody.csv").err
    assert shell("sessions", "replay", "nobody.csv", "--profile", "").code == 0


def test_columns_that_go_nowhere_are_told_in_options(shell: Shell) -> None:
    Path("odd.csv").write_text("session_id,integration_id,colour\n1,007,red\n")
    done = shell("sessions", "replay", "odd.csv")
    assert done.code == 2
    assert '--column "colour=attributes.colour"' in done.err
    items = shell("sessions", "replay", "s.csv", "--items", "s.csv")
    assert '--item-column "integration_id=attributes.integration_id"' in items.err


def test_events_are_tracked_and_one_in_doubt_is_left_for_the_users_word(shell: Shell, sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(500, when="after"), on=EVENT, nth=1)
    Path("e.csv").write_text("integration_id,type\n007,visit\n008,visit\n009,talon_x\n")
    done = shell("events", "track", "e.csv", "--rate", "none", "--connections", "1", "--effects", "f.csv")
    assert (done.code, done.last["in_doubt"], done.last["accepted"], done.last["invalid"]) == (5, 1, 1, 1)
    assert shell("runs", "resume", done.last["run"]).last["in_doubt"] == 1
    assert shell("runs", "resume", done.last["run"], "--resend-in-doubt").last["accepted"] == 2
    with Path("f.csv").open(newline="") as lines:
        assert list(csv.DictReader(lines)) == []


def test_profiles_go_one_by_one_when_the_rule_engine_is_to_run(shell: Shell, sandbox: Sandbox) -> None:
    Path("p.csv").write_text("integration_id,Name\n001,Ada\n..,Nobody\n")
    done = shell("profiles", "upsert", "p.csv", "--run-rule-engine", "--dry")
    assert (done.last["accepted"], done.last["invalid"]) == (1, 1)
    assert [request.query for request in sandbox.requests.of("update_customer_profile_v2")] == [
        "runRuleEngine=true&dry=true"
    ]
