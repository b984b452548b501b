"""Events of many customers: what is sent, in which order, and that nothing is tracked twice without being told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fault_server import FaultServer, answer

import t1data as t1
from t1data.bulk.effects import COLUMNS
from t1data.sandbox import Half, Reset, Status

EVENT, OLD = "track_event_v2", "track_event"
POINTS = {"effect": "addLoyaltyPoints", "program": 3, "points": 5, "name": "Welcome"}
OFF = {"effect": "setDiscount", "name": "OFF", "amount": 2.5}
SEED = {
    "attributes": [
        {"entity": "Event", "name": "Page", "type": "string"},
        {"entity": "Event", "name": "Score", "type": "number"},
    ],
    "loyalty_programs": [{"id": 3, "name": "notes", "title": "Notes"}],
    "campaigns": [
        {"id": 1, "name": "Welcome", "rules": [{"name": "hello", "when": {"event": "signup"}, "then": [POINTS, OFF]}]}
    ],
}
NOTHING = {"effects": [], "createdCoupons": [], "createdReferrals": []}


@pytest.fixture(scope="module")
def _running() -> Iterator[t1.Sandbox]:
    with t1.Sandbox(seed=7) as running:
        yield running


@pytest.fixture
def sandbox(_running: t1.Sandbox) -> t1.Sandbox:
    _running.reset()
    _running.load(SEED)
    return _running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
        yield made


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))


def events(*told: tuple[str | None, str | None], **columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(told, columns=["integration_id", "type"], dtype="string").assign(**columns)


def unreachable() -> t1.Client:
    return t1.Client("http://127.0.0.1:9", "a-key-of-16-letters", rate=None)


def points_of(client: t1.Client, customer: str) -> float:
    found = client.get_customer_inventory(customer, loyalty=True)["loyalty"]["programs"]["3"]["ledger"]
    return float(found["currentBalance"])


def test_every_row_is_one_event_and_its_effects_come_home(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = events(("ada", "signup"), ("bob", "visit"), Page=["home", None], Score=[1.5, 2])
    frame.index = pd.Index(["x", "y"])
    run = t1.track_events(client, frame, connections=1)
    assert run.counts["accepted"] == 2
    assert [json.loads(request.body or b"") for request in sandbox.requests.of(EVENT)] == [
        {
            "profileId": "ada",
            "type": "signup",
            "attributes": {"Page": "home", "Score": 1.5},
            "responseContent": ["triggeredCampaigns"],
        },
        {"profileId": "bob", "type": "visit", "attributes": {"Score": 2}, "responseContent": ["triggeredCampaigns"]},
    ]
    assert {request.query for request in sandbox.requests.of(EVENT)} == {"silent=no"}
    told = run.effects[["integration_id", "effect_type", "campaign", "rule", "value"]]
    assert told.to_numpy().tolist() == [["ada", "addLoyaltyPoints", "Welcome", "hello", 5.0]]
    assert told.index.tolist() == ["x"]
    assert run.effects.dtypes.map(str).to_dict() == COLUMNS
    pd.testing.assert_frame_equal(t1.open_run(run.id, data=frame).effects, run.effects)


def test_events_of_the_old_version_belong_to_sessions(sandbox: t1.Sandbox, client: t1.Client) -> None:
    cart = {"cartItems": [{"name": "CD", "sku": "cd", "quantity": 1, "price": 10}]}
    client.update_customer_session_v2("s1", {"customerSession": {"profileId": "ada", **cart}})
    frame = events(("ada", "signup"), (None, "visit"), session_id=["s1", "s2"])
    run = t1.track_events(client, frame, version=1)
    assert run.counts["accepted"] == 2
    sent = [json.loads(request.body or b"") for request in sandbox.requests.of(OLD)]
    assert {body["sessionId"]: body for body in sent} == {
        "s1": {"profileId": "ada", "sessionId": "s1", "type": "signup", "attributes": {}},
        "s2": {"sessionId": "s2", "type": "visit", "attributes": {}},
    }
    told = run.effects[["session_id", "integration_id", "effect_type", "campaign_id", "name", "value"]]
    assert told.to_numpy().tolist() == [
        ["s1", "ada", "addLoyaltyPoints", 1, "Welcome", 5.0],
        ["s1", "ada", "setDiscount", 1, "OFF", 2.5],
    ]


def test_one_type_for_all_and_attributes_by_another_name(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    (tmp_path / "visits.csv").write_text("integration_id,where,when\n007,home,9\n")
    run = t1.track_events(
        client, tmp_path / "visits.csv", type="visit", attributes={"where": "Page"}, constants={"Score": 3}
    )
    assert run.counts["accepted"] == 1
    (seen,) = sandbox.requests.of(EVENT)
    assert json.loads(seen.body or b"")["attributes"] == {"Page": "home", "Score": 3}
    assert json.loads(seen.body or b"")["type"] == "visit"


def test_a_type_for_all_and_a_column_of_types_cannot_both_be_meant(sandbox: t1.Sandbox, client: t1.Client) -> None:
    events = pd.DataFrame({"integration_id": ["ada"], "type": ["visit"]})
    with pytest.raises(t1.errors.InputError, match="leave one of them out"):
        t1.track_events(client, events, type="signup")
    assert not sandbox.requests.of(EVENT)


def test_a_trial_keeps_nothing(client: t1.Client) -> None:
    run = t1.track_events(client, events(("ada", "signup")), dry=True)
    assert run.effects["value"].tolist() == [5.0]
    with pytest.raises(t1.errors.NotFoundError):
        client.get_customer_inventory("ada")


def test_events_of_one_customer_arrive_in_order() -> None:
    frame = events(*((f"c{n % 3}", f"e{n}") for n in range(60)))
    with FaultServer(answer(200, NOTHING)) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        run = t1.track_events(client, frame, connections=6)
    assert run.counts["accepted"] == 60
    arrived = [(entry.json()["profileId"], entry.json()["type"]) for entry in server.ledger]
    assert sorted(arrived) == sorted(frame.itertuples(index=False, name=None))
    for customer, types in frame.groupby("integration_id")["type"]:
        assert [name for who, name in arrived if who == customer] == types.tolist()


@pytest.mark.parametrize(
    "fault", [Reset("after"), Half(0.5), Status(500, when="after"), Status(200, body={}, when="after")]
)
def test_a_lost_answer_is_in_doubt_and_the_event_is_not_tracked_again_by_itself(
    sandbox: t1.Sandbox, client: t1.Client, fault: Any
) -> None:
    frame = events(("ada", "signup"), ("bob", "signup"), ("ada", "visit"))
    sandbox.faults.add(fault, on=EVENT, nth=1)
    run = t1.track_events(client, frame, connections=1)
    assert run.outcomes["outcome"].tolist() == ["in_doubt", "accepted", "accepted"]
    assert t1.resume(client, run.id, data=frame).counts == run.counts
    assert points_of(client, "ada") == 5
    sure = t1.resume(client, run.id, data=frame, resend_in_doubt=True)
    assert sure.counts["accepted"] == 3
    assert points_of(client, "ada") == 10, "the user's word was that it may happen twice"


def test_a_conflict_with_somebody_else_leaves_the_event_unsent(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.faults.add(Status(409), on=EVENT, nth=1)
    frame = events(("ada", "signup"), ("ada", "visit"), ("bob", "visit"))
    run = t1.track_events(client, frame, connections=1)
    assert run.outcomes["outcome"].tolist() == ["unsent", "unsent", "accepted"]
    assert "did not take it (status 409)" in run.outcomes["message"][0]
    assert "waits for an earlier row" in run.outcomes["message"][1]
    assert t1.resume(client, run.id, data=frame).counts["accepted"] == 3
    assert points_of(client, "ada") == 5


def test_reserved_names_and_rows_without_a_customer_are_found_before(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = events(("ada", "talon_session_closed"), (None, "visit"), ("bob", None), ("eve", "visit"))
    plan = t1.plan_events(client, frame)
    assert plan.problems[["row", "code"]].to_numpy().tolist() == [
        [0, "reserved_type"],
        [1, "missing_id"],
        [2, "missing_value"],
    ]
    run = t1.track_events(client, frame)
    assert run.counts["invalid"] == 3
    assert len(sandbox.requests.of(EVENT)) == 1


def test_an_old_event_cannot_take_a_session_to_another_customer() -> None:
    frame = events(("ada", "a"), ("bob", "b"), (None, "c"), session_id=["s", "s", "s"])
    plan = t1.plan_events(unreachable(), frame, version=1)
    assert plan.problems[["row", "code"]].to_numpy().tolist() == [[1, "other_customer"]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": "talon_profile_created"}, "names that begin with talon_"),
        ({"type_column": "kind"}, "there is no column 'kind'"),
        ({"version": 3}, "version: got 3, valid are 1 and 2"),
        ({"version": True}, "version: got True"),
        ({"version": 2.0}, "version: got 2.0"),
        ({"version": 1}, "session: there is no column 'session_id'"),
        ({"data": events(("ada", "a"), session_id=["s"])}, "version 2 belong to no session"),
        ({"data": events()}, "has no rows"),
        ({"id": "customer"}, "there is no column 'customer'"),
        ({"attributes": {"type": "not a name"}}, "valid are names of letters"),
        ({"constants": {"a b": 1}}, "valid are names of letters"),
        ({"types": {"colour": "number"}}, "types: got 'colour'"),
        ({"type": ""}, "type: got '', valid is a name"),
        ({"type": 5}, "type: got 5, valid is a name"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence_before_anything_is_sent(given: dict[str, Any], said: str) -> None:
    with FaultServer(answer(200, NOTHING)) as server, t1.Client(server.url, "a-key-of-16-letters") as client:
        with pytest.raises(t1.errors.InputError, match=said):
            t1.track_events(client, given.pop("data", events(("ada", "visit"))), **given)
        assert not server.ledger


def test_a_plan_says_that_this_cannot_be_repeated() -> None:
    plan = t1.plan_events(unreachable(), events(("ada", "visit")))
    assert (plan.rows, plan.ready, plan.requests) == (1, 1, 1)
    assert "this cannot be repeated" in str(plan)


def test_the_account_is_asked_for_the_attributes_of_events(sandbox: t1.Sandbox) -> None:
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key) as client:
        with pytest.raises(
            t1.errors.InputError, match=r"the account does not know some of them: got 'attributes\.Pag'"
        ):
            t1.plan_events(client, events(("ada", "visit"), Pag=["home"]))
        assert t1.plan_events(client, events(("ada", "visit"), Page=["home"])).ready == 1
