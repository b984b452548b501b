"""An audience is emptied by one call, once the number of its members was typed; no rows are asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from front import Hand, text_of

import t1data as t1
from t1data.sandbox import Sandbox, Status

EMPTY = "delete_audience_memberships_v2"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[t1.Client]:
    vip = {"id": 748, "name": "VIP", "members": [f"m{number}" for number in range(20)]}
    sandbox.load({"audiences": [vip, {"id": 749, "name": HOSTILE, "members": ["m1"]}]})
    key = sandbox.management_key
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=key, rate=None) as connected:
        yield connected


def emptying(client: t1.Client, audience: str = "VIP") -> Hand:
    hand = Hand(t1.forms.audiences(client))
    hand.fill("Task", "take everybody out of it, in one call")
    hand.fill("Audience", audience)
    hand.press("Check")
    hand.wait()
    return hand


def test_everybody_is_taken_out_once_their_number_is_typed(client: t1.Client, sandbox: Sandbox) -> None:
    hand = emptying(client)
    assert hand.said() == ("Checked: 20 members would be taken out of audience 748 ('VIP'). Nothing was sent so far.")
    hand.press("Run")
    hand.press("Send one row")
    assert not sandbox.requests.of(EMPTY)
    hand.fill("Type: take out 20", "take out 19")
    assert not hand.works("Run")
    hand.fill("Type: take out 20", "take out 20")
    hand.press("Send one row")
    hand.wait()
    assert not sandbox.requests.of(EMPTY)
    hand.press("Run")
    hand.wait()
    assert hand.said() == "Done: audience 748 ('VIP') is empty. It had 20 members; they stay customers."
    assert hand.form.state == "finished"
    assert hand.form.run == t1.Audience(748, "VIP", 20)
    assert len(sandbox.requests.of(EMPTY)) == 1
    assert t1.fetch_members(client, "VIP").empty
    hand.press("Run")
    assert len(sandbox.requests.of(EMPTY)) == 1


def test_only_what_it_takes_is_asked_for_and_rows_are_not(client: t1.Client) -> None:
    hand = Hand(t1.forms.audiences(client))
    rows = hand.form._stage.face._rows
    assert rows.layout.display is None
    hand.fill("Task", "take everybody out of it, in one call")
    assert rows.layout.display == "none"
    assert hand.field("Send one row").layout.display == "none"
    assert hand.field("Column of customers").layout.display == "none"
    assert hand.field("Audience").layout.display is None
    hand.fill("Task", "make it what the rows say")
    assert rows.layout.display is None
    assert hand.field("Send one row").layout.display is None
    hand.fill("Audience", "VIP")
    hand.press("Check")
    assert hand.said().startswith("Error: No rows are chosen yet")


def test_rows_that_are_chosen_play_no_part(client: t1.Client) -> None:
    hand = Hand(t1.forms.audiences(client, pd.DataFrame({"integration_id": ["m1"]})))
    hand.fill("Task", "take everybody out of it, in one call")
    hand.fill("Audience", "748")
    hand.press("Check")
    hand.wait()
    python, _, shell = hand.form.code().partition("\n\n# the same in a shell\n")
    assert python.endswith("run = t1.empty_audience(client, 748, confirm=20)")
    assert shell == f"t1data audiences empty 748 --confirm 20 --base-url {client.base_url}"


def test_who_joins_after_the_check_makes_the_number_wrong_and_nobody_leaves(
    client: t1.Client, sandbox: Sandbox
) -> None:
    hand = emptying(client)
    hand.fill("Type: take out 20", "take out 20")
    t1.sync_audience(client, 748, pd.DataFrame({"integration_id": ["late"]}), mode="add", progress=False)
    hand.press("Run")
    hand.wait()
    assert hand.said().startswith("Error: ")
    assert "has 21 members" in hand.said()
    assert not sandbox.requests.of(EMPTY)
    assert (hand.form.state, hand.works("Check")) == ("changed", True)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Status(403), "Error: "),
        (Status(502, when="after"), "Done: audience 748 ('VIP') is empty."),  # asked again, which does no harm
    ],
    ids=["a refusal", "a lost answer"],
)
def test_how_the_call_went_is_told(client: t1.Client, sandbox: Sandbox, fault: Status, words: str) -> None:
    sandbox.faults.add(fault, on=EMPTY, first=1)
    hand = emptying(client)
    hand.fill("Type: take out 20", "take out 20")
    hand.press("Run")
    hand.wait()
    assert hand.said().startswith(words)
    assert "This should not have happened" not in hand.said()


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "Audience is missing"), ("Nobody", "the account has none named 'Nobody'")],
)
def test_an_audience_that_cannot_be_meant_is_told(client: t1.Client, name: str, words: str) -> None:
    assert words in emptying(client, name).said()


def test_an_audience_that_is_empty_cannot_be_emptied(client: t1.Client, sandbox: Sandbox) -> None:
    t1.empty_audience(client, 748, confirm=20)
    hand = emptying(client)
    assert hand.form.state == "blocked"
    assert not hand.works("Run")


def test_a_name_from_the_account_is_escaped(client: t1.Client) -> None:
    hand = emptying(client, "749")
    assert HOSTILE not in hand.html()
    assert HOSTILE in text_of(hand.html())
