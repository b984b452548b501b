"""Profiles one by one, where the rule engine runs: effects come home, and never two requests at once for one id."""

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
from t1data.sandbox import Status

ONE, MANY = "update_customer_profile_v2", "update_customer_profiles_v2"
POINTS = {"effect": "addLoyaltyPoints", "program": 3, "points": 7, "name": "Birthday"}
SEED = {
    "attributes": [{"entity": "CustomerProfile", "name": "Age", "type": "number"}],
    "loyalty_programs": [{"id": 3, "name": "notes", "title": "Notes"}],
    "campaigns": [
        {
            "id": 1,
            "name": "New here",
            "rules": [{"name": "hello", "when": {"event": "talon_profile_created"}, "then": [POINTS]}],
        }
    ],
}
PEOPLE = pd.DataFrame({"integration_id": ["a/b", "ü 100%", "007"], "Age": [41, None, 17]}, index=list("xyz"))


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


def test_each_customer_is_a_request_of_its_own_and_effects_come_home(sandbox: t1.Sandbox, client: t1.Client) -> None:
    assert t1.plan_upsert(client, PEOPLE, run_rule_engine=True).requests == 3
    run = t1.upsert_profiles(client, PEOPLE, run_rule_engine=True, missing="clear")
    assert run.counts["accepted"] == 3
    seen = {request.path: json.loads(request.body or b"") for request in sandbox.requests.of(ONE)}
    more = {"responseContent": ["triggeredCampaigns"]}
    assert seen == {
        "/v2/customer_profiles/a%2Fb": {"attributes": {"Age": 41}} | more,
        "/v2/customer_profiles/%C3%BC%20100%25": {"attributes": {"Age": None}} | more,
        "/v2/customer_profiles/007": {"attributes": {"Age": 17}} | more,
    }
    assert {request.query for request in sandbox.requests.of(ONE)} == {"runRuleEngine=true"}
    assert not sandbox.requests.of(MANY)
    told = run.effects[["integration_id", "campaign", "effect_type", "value"]]
    assert told.to_numpy().tolist() == [
        [name, "New here", "addLoyaltyPoints", 7.0] for name in PEOPLE["integration_id"]
    ]
    assert told.index.tolist() == ["x", "y", "z"]
    pd.testing.assert_frame_equal(t1.open_run(run.id, data=PEOPLE).effects, run.effects)


def test_a_dry_one_changes_nothing_and_is_refused_without_the_rule_engine(client: t1.Client) -> None:
    run = t1.upsert_profiles(client, PEOPLE, run_rule_engine=True, dry=True)
    assert run.effects["value"].tolist() == [7.0, 7.0, 7.0]
    with pytest.raises(t1.errors.NotFoundError):
        client.get_customer_inventory("007")
    with pytest.raises(t1.errors.InputError, match="say run_rule_engine=True too"):
        t1.upsert_profiles(client, PEOPLE, dry=True)


def test_many_at_once_have_no_effects(client: t1.Client) -> None:
    run = t1.upsert_profiles(client, PEOPLE)
    assert run.effects.empty
    assert run.effects.dtypes.map(str).to_dict() == COLUMNS


@pytest.mark.parametrize("name", [".", ".."])
def test_ids_that_no_address_can_name_are_a_problem_only_where_they_are_in_one(client: t1.Client, name: str) -> None:
    frame = pd.DataFrame({"integration_id": [name, "a"]})
    assert t1.check_profiles(frame, run_rule_engine=True)["code"].tolist() == ["id_not_in_url"]
    assert t1.check_profiles(frame).empty
    assert t1.upsert_profiles(client, frame, run_rule_engine=True).counts["invalid"] == 1


def test_rows_of_one_id_follow_the_policy_for_duplicates(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = pd.DataFrame({"integration_id": ["a", "b", "a", "b"], "Age": [1, 2, 3, 2]})
    run = t1.upsert_profiles(client, frame, run_rule_engine=True, duplicates="last")
    assert run.outcomes["outcome"].tolist() == ["invalid", "accepted", "accepted", "accepted"]
    assert len(sandbox.requests.of(ONE)) == 2


def test_a_refused_customer_is_alone(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = pd.DataFrame({"integration_id": ["a", "b", "c"], "Age": ["x", "2", "y"]})
    run = t1.upsert_profiles(client, frame, run_rule_engine=True)
    assert run.outcomes["outcome"].tolist() == ["refused"] * 3
    assert len(sandbox.requests.of(ONE)) == 3
    assert run.failures["field"].tolist() == ["Age"] * 3


def test_a_run_goes_on_one_by_one(sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("integration_id,Age\n001,1\n002,2\n003,3\n")
    sandbox.faults.add(Status(401), on=ONE, nth=2)
    run = t1.upsert_profiles(client, path, run_rule_engine=True, connections=1)
    assert (run.counts["accepted"], run.counts["unsent"]) == (1, 2)
    done = t1.resume(client, run.id)
    assert done.counts["accepted"] == 3
    assert done.effects["integration_id"].tolist() == ["001", "002", "003"]
    with pytest.raises(t1.errors.JournalError, match="changed"):
        t1.upsert_profiles(client, path, journal=run.journal)


def test_an_answer_without_effects_is_in_doubt() -> None:
    body: dict[str, Any] = {"customerProfile": {}}
    with FaultServer(answer(200, body)) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        run = t1.upsert_profiles(client, PEOPLE, run_rule_engine=True)
    assert run.counts["in_doubt"] == 3
    assert set(run.failures["reason"]) == {"not_in_answer"}
