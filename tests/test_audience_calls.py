"""One call on a whole audience: found by name, and destroyed by number only. Judged by the sandbox and by a ledger."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer, answer, hang_up
from shell import Shell, variables

import t1data as t1
from t1data.cli import audience_calls, cli
from t1data.sandbox import Reset, Status

SEED: dict[str, Any] = {
    "audiences": [{"id": 748, "name": "Regulars"}, {"id": 749, "name": "Twins"}, {"id": 750, "name": "Twins"}],
    "attributes": [
        {"entity": "CustomerProfile", "name": "Tier", "type": "string"},
        {"entity": "CustomerProfile", "name": "Visits", "type": "number"},
    ],
}


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


def names(client: t1.Client) -> dict[int, str]:
    assert client.management is not None
    return {audience["id"]: audience["name"] for audience in client.management.list_audiences()}


def members(client: t1.Client, audience: int = 748) -> list[str]:
    assert client.management is not None
    return sorted(client.management.export_members(audience))


def fill(client: t1.Client, *ids: str, audience: int = 748) -> None:
    actions = [{"action": "add", "profileIntegrationId": id_, "audienceId": audience} for id_ in ids]
    client.update_customer_profile_audiences({"data": actions})


# --- create and rename --------------------------------------------------------------------------------------


def test_an_audience_is_created_once_and_found_by_its_name_after_that(sandbox: t1.Sandbox, client: t1.Client) -> None:
    first, second = (t1.create_audience(client, "Winter", description="cold") for _ in range(2))
    assert (first.is_new, second.is_new) == (True, False)
    assert first.id == second.id
    assert len(sandbox.requests.of("create_audience_v2")) == 1
    assert json.loads(sandbox.requests.of("create_audience_v2")[0].body or b"") == {
        "name": "Winter",
        "description": "cold",
    }


def test_without_a_management_key_it_says_that_it_could_not_look(client: t1.Client, keyless: t1.Client) -> None:
    made = t1.create_audience(keyless, "Regulars")
    assert not made.looked
    assert "without a management key" in str(made)
    assert sorted(names(client).values()) == ["Regulars", "Regulars", "Twins", "Twins"]


def test_of_several_audiences_with_the_name_none_is_taken(sandbox: t1.Sandbox, client: t1.Client) -> None:
    with pytest.raises(t1.errors.InputError, match="2 audiences have the name 'Twins' already: 749, 750"):
        t1.create_audience(client, "Twins")
    assert not sandbox.requests.of("create_audience_v2")


def test_a_409_says_which_audience_has_the_id_already(client: t1.Client) -> None:
    first = t1.create_audience(client, "Braze 7", integration="braze", integration_id="seven")
    with pytest.raises(t1.errors.ConflictError, match=f"audience {first.id}, named 'Braze 7'") as caught:
        t1.create_audience(client, "Another", integration="braze", integration_id="seven")
    assert caught.value.status == 409
    assert t1.create_audience(client, "Braze 7", integration="braze", integration_id="seven").id == first.id


def test_an_audience_whose_answer_was_lost_is_found_and_not_made_twice(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.faults.add(Reset("after"), on="create_audience_v2", first=1)
    made = t1.create_audience(client, "Winter")
    assert list(names(client).values()).count("Winter") == 1
    assert names(client)[made.id] == "Winter"
    assert len(sandbox.requests.of("create_audience_v2")) == 1


def test_an_audience_whose_request_was_lost_is_in_doubt_and_not_sent_again(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    sandbox.faults.add(Reset(), on="create_audience_v2", first=1)
    with pytest.raises(t1.errors.InDoubtError):
        t1.create_audience(client, "Winter")
    assert "Winter" not in names(client).values()
    assert len(sandbox.requests.of("create_audience_v2")) == 1


@pytest.mark.parametrize("name", ["", "  ", "a\nb", None, 5])
def test_a_name_that_is_none_is_refused_before_anything_is_sent(
    sandbox: t1.Sandbox, client: t1.Client, name: Any
) -> None:
    with pytest.raises(t1.errors.InputError, match="name: "):
        t1.create_audience(client, name)
    with pytest.raises(t1.errors.InputError, match="name: "):
        t1.rename_audience(client, 748, name)
    assert {seen.method for seen in sandbox.requests} <= {"GET"}


def test_a_rename_keeps_the_members_and_takes_no_name_of_another(client: t1.Client, keyless: t1.Client) -> None:
    fill(client, "ada")
    assert t1.rename_audience(client, "Regulars", "Friends").name == "Friends"
    assert t1.rename_audience(keyless, 748, "Good friends").id == 748
    assert names(client)[748] == "Good friends"
    assert members(client) == ["ada"]
    with pytest.raises(t1.errors.InputError, match="audience 749 has the name 'Twins' already"):
        t1.rename_audience(client, 748, "Twins")


@pytest.mark.parametrize(
    ("audience", "said"),
    [
        ("Nobody", "the account has none named 'Nobody'"),
        ("Twins", "2 have the name 'Twins'; give the number: 749, 750"),
        (7, "the account has none with the number 7"),
        (True, "got True, valid is the number"),
        (7.5, "got 7.5, valid is the number"),
    ],
)
def test_an_audience_that_cannot_be_meant_is_said(client: t1.Client, audience: Any, said: str) -> None:
    with pytest.raises(t1.errors.InputError, match=said):
        t1.find_audience(client, audience)


# --- what destroys ------------------------------------------------------------------------------------------

DESTROYERS: dict[str, Callable[..., t1.Audience]] = {
    "delete": t1.delete_audience,
    "empty": t1.empty_audience,
    "stamp": lambda client, audience, **more: t1.stamp_audience(client, audience, {"Tier": "gold"}, **more),
}
WRITES = {"POST", "PUT", "DELETE"}


@pytest.mark.parametrize("destroy", DESTROYERS.values(), ids=DESTROYERS.keys())
@pytest.mark.parametrize("confirm", [None, 2, 4, True, "3", 3.0])
def test_nothing_is_destroyed_without_the_number_of_members(
    sandbox: t1.Sandbox, client: t1.Client, destroy: Callable[..., t1.Audience], confirm: Any
) -> None:
    fill(client, "ada", "bob", "cyd")
    sandbox.requests.clear()
    with pytest.raises(t1.errors.InputError, match=r"Audience 748 \('Regulars'\) at .* has 3 members.*confirm=3"):
        destroy(client, 748, confirm=confirm)
    assert not WRITES & {seen.method for seen in sandbox.requests}
    assert members(client) == ["ada", "bob", "cyd"]


@pytest.mark.parametrize("destroy", DESTROYERS.values(), ids=DESTROYERS.keys())
def test_who_cannot_count_members_destroys_nothing(
    sandbox: t1.Sandbox, keyless: t1.Client, destroy: Callable[..., t1.Audience]
) -> None:
    with pytest.raises(t1.errors.InputError, match="with a management key, and this client has none"):
        destroy(keyless, 748, confirm=0)
    assert not WRITES & {seen.method for seen in sandbox.requests}


def test_an_audience_is_deleted_by_number(client: t1.Client) -> None:
    fill(client, "ada", "bob")
    assert t1.delete_audience(client, "Regulars", confirm=2).members == 2
    assert 748 not in names(client)
    assert client.get_customer_inventory("ada", profile=True)["profile"]


def test_an_audience_is_emptied_by_number_and_stays(client: t1.Client) -> None:
    fill(client, "ada", "bob")
    fill(client, "ada", audience=749)
    assert t1.empty_audience(client, 748, confirm=2).members == 2
    assert members(client) == []
    assert members(client, 749) == ["ada"]


def test_a_stamp_reaches_every_member_in_one_request(sandbox: t1.Sandbox, client: t1.Client) -> None:
    fill(client, "ada", "bob")
    fill(client, "cyd", audience=749)
    t1.stamp_audience(client, 748, {"Tier": "gold", "Visits": 3}, confirm=2)
    found = {
        id_: client.get_customer_inventory(id_, profile=True)["profile"]["attributes"] for id_ in ["ada", "bob", "cyd"]
    }
    assert found == {"ada": {"Tier": "gold", "Visits": 3}, "bob": {"Tier": "gold", "Visits": 3}, "cyd": {}}
    t1.stamp_audience(client, 748, {"Tier": None}, confirm=2)
    assert client.get_customer_inventory("ada", profile=True)["profile"]["attributes"] == {"Visits": 3}
    assert len(sandbox.requests.of("update_audience_customers_attributes")) == 2


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "one at least"),
        (["Tier"], "valid is a mapping"),
        ({"Tear": "gold"}, "did you mean 'Tier'"),
        ({"Visits": "many"}, "Visits.*valid is a number"),
        ({"Visits": float("nan")}, "Visits"),
        ({"a b": 1}, "valid are names of letters"),
    ],
)
def test_attributes_that_cannot_be_meant_are_refused_before_anything_is_sent(
    sandbox: t1.Sandbox, client: t1.Client, attributes: Any, said: str
) -> None:
    with pytest.raises(t1.errors.InputError, match=said):
        t1.stamp_audience(client, 748, attributes, confirm=0)
    assert not WRITES & {seen.method for seen in sandbox.requests}


def test_a_live_environment_that_is_locked_is_not_even_looked_at(sandbox: t1.Sandbox) -> None:
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key, live_name="shop") as live:
        for destroy in DESTROYERS.values():
            with pytest.raises(t1.errors.ConfigError, match="shop"):
                destroy(live, 748, confirm=0)
    assert not list(sandbox.requests)


def test_an_emptying_whose_answer_was_lost_goes_out_again() -> None:
    listed = answer(200, {"data": [{"id": 748, "name": "Regulars"}], "hasMore": False})
    exported = answer(200, b"profileintegrationid\nada\n", {"Content-Type": "text/csv"})
    with (
        FaultServer(listed, exported, hang_up(), answer(204)) as server,
        t1.Client(server.url, "0123456789abcdef", management_key="0123456789abcdef") as client,
    ):
        t1.empty_audience(client, 748, confirm=1)
        sent = [(entry.method, entry.target) for entry in server.ledger[2:]]
    assert sent == [("DELETE", "/v2/audiences/748/memberships")] * 2


# --- the shell ----------------------------------------------------------------------------------------------


@pytest.fixture
def shell(
    sandbox: t1.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    for name, value in variables(sandbox, tmp_path, management=True).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


def test_a_shell_creates_renames_stamps_empties_and_deletes(shell: Shell, client: t1.Client) -> None:
    made = shell("audiences", "create", "Winter")
    number = made.last["audience_id"]
    assert made.code == 0
    assert shell("audiences", "create", "Winter").last == {"audience_id": number, "name": "Winter", "is_new": False}
    assert shell("audiences", "rename", "Winter", "Summer").last == {"audience_id": number, "name": "Summer"}
    fill(client, "ada", "bob", audience=number)
    asked = shell("audiences", "empty", "Summer")
    assert asked.code == 2
    assert "2 members" in asked.err
    assert "--confirm 2" in asked.err
    assert shell("audiences", "stamp", str(number), "--attribute", "Visits=4", "--confirm", "2").code == 0
    assert client.get_customer_inventory("bob", profile=True)["profile"]["attributes"] == {"Visits": 4}
    assert shell("audiences", "empty", "Summer", "--confirm", "2").last["members"] == 2
    assert shell("audiences", "delete", str(number), "--confirm", "1").code == 2
    assert shell("audiences", "delete", str(number), "--confirm", "0").code == 0
    assert number not in names(client)


def test_a_shell_says_by_its_exit_code_what_became_of_the_one_request(shell: Shell, sandbox: t1.Sandbox) -> None:
    shell("audiences", "create", "One", "--integration-id", "x")
    assert shell("audiences", "create", "Two", "--integration-id", "x").code == 3
    sandbox.faults.add(Status(500), on="create_audience_v2")
    assert shell("audiences", "create", "Three").code == 5
    assert shell("audiences", "stamp", "748").code == 2


COMMANDS: dict[str, Callable[..., t1.Audience]] = {
    "create": t1.create_audience,
    "rename": t1.rename_audience,
    "delete": t1.delete_audience,
    "empty": t1.empty_audience,
    "stamp": t1.stamp_audience,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_parameter_has_an_option_or_a_written_reason_and_every_option_a_parameter(name: str) -> None:
    connection = {"base_url", "env", "rate", "pace", "live"}
    arguments = {"audience", "name"}
    typed = {param.name for param in cli.commands["audiences"].commands[name].params} - connection - arguments
    known = set(inspect.signature(COMMANDS[name]).parameters)
    assert known == typed | (audience_calls.WITHOUT_OPTION.keys() & known)
    assert not typed & audience_calls.WITHOUT_OPTION.keys()
