"""An input held against the account: before an upsert, after it, and to take it back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import t1data as t1
from t1data.sandbox import Status

ATTRIBUTES = [
    {"entity": "CustomerProfile", "name": "Spend", "type": "number"},
    {"entity": "CustomerProfile", "name": "Since", "type": "time"},
    {"entity": "CustomerProfile", "name": "Tags", "type": "(list string)"},
]
THERE = {
    "ada": {"Name": "Ada", "Spend": 1.5, "Since": "2020-01-01T00:00:00Z"},
    "bob": {"Name": "Bob", "Tags": ["a", "b"]},
    "eve": {"Name": "Eve", "Spend": 7},
}
PEOPLE = pd.DataFrame(
    {
        "integration_id": ["ada", "bob", "new", "eve"],
        "Name": ["Ada", "Robert", "New", "Eve"],
        "Spend": [1.5, 2.0, None, 7.0],
        "Since": pd.to_datetime(["2020-01-01T01:00:00+01:00", None, None, None], utc=True, format="ISO8601"),
    },
    index=["r1", "r2", "r3", "r4"],
)
UPSERT, READ = "update_customer_profiles_v2", "get_customer_inventory"


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox(seed=3) as running:
        profiles = [{"integration_id": name, "attributes": attributes} for name, attributes in THERE.items()]
        running.load({"attributes": ATTRIBUTES, "profiles": profiles})
        yield running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key, rate=None) as made:
        yield made


def attributes(client: t1.Client, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get_customer_inventory(name, profile=True)["profile"]["attributes"]
    return found


def bodies(sandbox: t1.Sandbox) -> list[Any]:
    return [request.body for request in sandbox.requests if request.operation == UPSERT]


def test_a_diff_names_the_cells_that_an_upsert_would_change(client: t1.Client, sandbox: t1.Sandbox) -> None:
    found = t1.diff_profiles(client, PEOPLE)
    lines = found.differences.reset_index().fillna("-").values.tolist()
    assert lines == [
        ["r2", "bob", "Name", "Bob", "Robert"],
        ["r2", "bob", "Spend", "-", "2"],
        ["r3", "new", "Name", "-", "New"],
    ]
    assert (found.compared, found.differing, found.unknown) == (4, 2, 1)
    assert not bodies(sandbox)
    assert "2 of 4 customers differ" in repr(found)


def test_what_landed_is_found_again_and_what_did_not_is_told(client: t1.Client) -> None:
    t1.upsert_profiles(client, PEOPLE)
    assert t1.verify_profiles(client, PEOPLE).same
    client.update_customer_profile_v2("bob", {"attributes": {"Name": "Bobby"}})
    found = t1.verify_profiles(client, PEOPLE)
    assert found.differences.values.tolist() == [["bob", "Name", "Robert", "Bobby"]]
    assert not found.same


def test_a_sample_is_the_same_for_the_same_seed(client: t1.Client, sandbox: t1.Sandbox) -> None:
    many = pd.DataFrame({"integration_id": [f"c{n:03}" for n in range(300)], "Name": "x"})
    t1.upsert_profiles(client, many)
    first, again, other = (t1.verify_profiles(client, many, sample=20, seed=seed) for seed in (1, 1, 2))
    assert first.compared == 20
    drawn = [run.run.outcomes["integration_id"].tolist() for run in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_only_what_changed_is_sent_and_every_row_has_its_outcome(client: t1.Client, sandbox: t1.Sandbox) -> None:
    run = t1.upsert_profiles(client, pd.concat([PEOPLE, PEOPLE.loc[["r1"]]]), only_changed=True)
    assert run.counts["accepted"] == 5
    assert run.outcomes["reason"].fillna("").tolist() == ["unchanged", "", "", "unchanged", "unchanged"]
    (body,) = bodies(sandbox)
    assert b'"bob"' in body
    assert b'"new"' in body
    assert b'"ada"' not in body
    again = t1.upsert_profiles(client, PEOPLE, only_changed=True)
    assert again.outcomes["reason"].eq("unchanged").all()
    assert len(bodies(sandbox)) == 1


def test_a_resume_does_not_look_again(client: t1.Client, sandbox: t1.Sandbox, tmp_path: Path) -> None:
    journal = tmp_path / "run.sqlite"
    sandbox.faults.add(Status(401), on=UPSERT)
    assert t1.upsert_profiles(client, PEOPLE, only_changed=True, journal=journal).counts["unsent"] == 2
    reads = sum(request.operation == READ for request in sandbox.requests)
    sandbox.faults.clear()
    run = t1.resume(client, journal, data=PEOPLE)
    assert run.counts["accepted"] == 4
    assert sum(request.operation == READ for request in sandbox.requests) == reads
    assert attributes(client, "bob")["Name"] == "Robert"


def test_when_somebody_cannot_be_read_nothing_is_sent_and_the_next_call_goes_on(
    client: t1.Client, sandbox: t1.Sandbox, tmp_path: Path
) -> None:
    journal = tmp_path / "run.sqlite"
    sandbox.faults.add(Status(401), on=READ)
    with pytest.raises(t1.errors.JournalError, match="could not be read"):
        t1.upsert_profiles(client, PEOPLE, only_changed=True, journal=journal)
    assert not bodies(sandbox)
    sandbox.faults.clear()
    assert t1.upsert_profiles(client, PEOPLE, only_changed=True, journal=journal).counts["accepted"] == 4


def test_an_upsert_that_looked_first_can_be_taken_back(client: t1.Client) -> None:
    before = {name: attributes(client, name) for name in THERE}
    run = t1.upsert_profiles(client, PEOPLE, only_changed=True)
    undone = t1.undo_upsert(client, run, data=PEOPLE)
    assert undone.counts["accepted"] == undone.rows == 2
    assert {name: attributes(client, name) for name in THERE} == before
    assert "Name" not in {name for name, value in attributes(client, "new").items() if value is not None}


def test_what_somebody_has_changed_since_is_left_alone(client: t1.Client) -> None:
    run = t1.upsert_profiles(client, PEOPLE, only_changed=True)
    client.update_customer_profile_v2("bob", {"attributes": {"Name": "Bobby"}})
    undone = t1.undo_upsert(client, run, data=PEOPLE)
    assert undone.outcomes["outcome"].tolist() == ["invalid", "accepted"]
    assert undone.outcomes["reason"].tolist()[0] == "changed_since"
    assert attributes(client, "bob")["Name"] == "Bobby"


TIMED = pd.DataFrame(
    {"integration_id": ["ada"], "Since": ["2026-01-01T00:00:00.5Z"], "Seen": [["2026-01-01T00:00:00Z"]]}
)
ANEW = {"Since": "2026-01-01T02:00:00.500000+02:00", "Seen": ["2026-01-01T01:00:00+01:00"]}


def test_times_are_the_same_in_another_spelling_alone_in_lists_and_as_constants(
    client: t1.Client, sandbox: t1.Sandbox
) -> None:
    sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": "Seen", "type": "(list time)"}]})
    run = t1.upsert_profiles(client, TIMED, only_changed=True)
    client.update_customer_profile_v2("ada", {"attributes": ANEW})
    assert t1.verify_profiles(client, TIMED).same
    constant = {"Since": datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)}
    assert t1.verify_profiles(client, TIMED[["integration_id", "Seen"]], constants=constant).same
    undone = t1.undo_upsert(client, run, data=TIMED)
    assert undone.counts["accepted"] == 1
    assert attributes(client, "ada")["Since"] == THERE["ada"]["Since"]


def test_whom_nobody_could_read_again_is_not_said_to_have_changed(
    client: t1.Client, sandbox: t1.Sandbox, tmp_path: Path
) -> None:
    run = t1.upsert_profiles(client, PEOPLE, only_changed=True)
    sandbox.faults.add(Status(401), on=READ)
    journal = tmp_path / "undo.sqlite"
    with pytest.raises(t1.errors.JournalError, match="could not be read"):
        t1.undo_upsert(client, run, data=PEOPLE, journal=journal)
    sandbox.faults.clear()
    undone = t1.undo_upsert(client, run, data=PEOPLE, journal=journal)
    assert undone.counts["accepted"] == undone.rows == 2
    assert attributes(client, "bob") == THERE["bob"]


def test_an_upsert_that_did_not_look_cannot_be_taken_back_and_says_so(client: t1.Client) -> None:
    run = t1.upsert_profiles(client, PEOPLE)
    with pytest.raises(t1.errors.JournalError, match="only_changed=True"):
        t1.undo_upsert(client, run, data=PEOPLE)


def test_another_input_than_the_runs_is_refused(client: t1.Client) -> None:
    run = t1.upsert_profiles(client, PEOPLE, only_changed=True)
    with pytest.raises(t1.errors.InputError, match="not the input"):
        t1.undo_upsert(client, run, data=PEOPLE.iloc[:2])
    with pytest.raises(t1.errors.InputError, match="data="):
        t1.undo_upsert(client, run)


def test_a_purge_takes_what_was_read_before_along(client: t1.Client) -> None:
    run = t1.upsert_profiles(client, PEOPLE, only_changed=True)
    t1.purge_run(run.journal)
    assert not list(run.journal.parent.iterdir())


@pytest.mark.parametrize("sample", [0, -1, 2.0, True, "5"])
def test_a_sample_of_nobody_is_refused(client: t1.Client, sample: Any) -> None:
    with pytest.raises(t1.errors.InputError, match="sample"):
        t1.verify_profiles(client, PEOPLE, sample=sample)


def test_the_rule_engine_and_only_what_changed_exclude_each_other(client: t1.Client) -> None:
    with pytest.raises(t1.errors.InputError, match="only_changed"):
        t1.upsert_profiles(client, PEOPLE, only_changed=True, run_rule_engine=True)


def test_who_is_purged_is_gone_from_what_was_read_before_a_run(client: t1.Client) -> None:
    client.update_customer_profile_v2("ada", {"attributes": {"Name": "Countess of Lovelace"}})
    run = t1.upsert_profiles(client, PEOPLE, only_changed=True)
    before = run.journal.with_name(run.journal.name + ".before")
    assert b"Lovelace" in before.read_bytes()
    t1.purge_people(["ada"])
    assert b"Lovelace" not in before.read_bytes()
    assert t1.undo_upsert(client, run, data=PEOPLE).rows == 2  # of those who are left
