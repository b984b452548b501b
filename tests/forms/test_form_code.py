"""The code that a form shows runs as it stands: the Python, and the line of a shell, each on an account of its own."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from front import Hand

import t1data as t1
from t1data.cli import run as run_command
from t1data.sandbox import Sandbox

IDS = [f"c{number}" for number in range(3)]

# What is done → the form on a file, what is filled in, and what is asked of the server that shows that it was done.
WAYS: dict[str, tuple[Callable[[t1.Client], Any], dict[str, Any], str]] = {
    "upsert": (
        lambda c: t1.forms.upsert(c, "people it's.csv"),
        {"Attribute of Age": "Age2", "Empty cells of Email": "clear", "For all rows": 'Note = "12"'},
        "update_customer_profiles_v2",
    ),
    "referrals": (
        lambda c: t1.forms.referrals(c, "people it's.csv"),
        {"Campaign": "45", "Uses of each code": "3", "Valid until": "2099-01-01T00:00:00Z", "Pattern": "F-######"},
        "create_referrals_for_multiple_advocates",
    ),
    "reserve": (lambda c: t1.forms.coupons(c, "pairs.csv"), {}, "create_coupon_reservation"),
    "release": (
        lambda c: t1.forms.coupons(c, "pairs.csv"),
        {"What to do": "release coupons of customers"},
        "delete_coupon_reservation",
    ),
    "holders": (
        lambda c: t1.forms.coupons(c, "pairs.csv"),
        {"What to do": "read who holds coupons; changes nothing"},
        "get_reserved_customers",
    ),
    "inventories": (
        lambda c: t1.forms.inventories(c, "people it's.csv"),
        {"loyalty": False, "Folder for the tables": "stock", "Replace tables of an earlier run in that folder": True},
        "get_customer_inventory",
    ),
    "audience": (
        lambda c: t1.forms.audiences(c, "people it's.csv"),
        {"Audience": "VIP"},
        "update_customer_profile_audiences",
    ),
    "emptying": (
        lambda c: t1.forms.audiences(c),
        {"Task": "take everybody out of it, in one call", "Audience": "VIP"},
        "delete_audience_memberships_v2",
    ),
    "sessions": (
        lambda c: t1.forms.sessions(c, "carts.csv", "items.csv"),
        {"For all sessions": "state = closed"},
        "update_customer_session_v2",
    ),
    "erasure": (lambda c: t1.forms.erasure(c, "people it's.csv"), {}, "delete_customer_data"),
}


@pytest.fixture
def account(sandbox: Sandbox) -> Callable[[], None]:
    """What puts the account back to how it was before anything was done."""

    def anew() -> None:
        sandbox.reset()
        declared = [
            {"name": name, "entity": "CustomerProfile", "type": kind}
            for name, kind in {"Email": "string", "Age2": "number", "Note": "string"}.items()
        ]
        friends = {"id": 45, "name": "Friends", "features": ["referrals"]}
        summer = {"id": 46, "name": "Summer", "features": ["coupons"], "coupons": [{"value": "25%OFF"}]}
        vip = {"id": 748, "name": "VIP", "members": ["m1", "m2"]}
        profiles = [{"integration_id": each, "attributes": {}} for each in IDS]
        sandbox.load({"attributes": declared, "campaigns": [friends, summer], "audiences": [vip], "profiles": profiles})
        sandbox.requests.clear()

    anew()
    return anew


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    people = pd.DataFrame({"integration_id": IDS, "Age": [1, 2, 3], "Email": ["a@x", None, "c@x"]})
    people.to_csv("people it's.csv", index=False)
    pd.DataFrame({"coupon": "25%OFF", "integration_id": IDS}).to_csv("pairs.csv", index=False)
    carts = pd.DataFrame({"session_id": ["s1", "s2"], "integration_id": IDS[:2]})
    carts.to_csv("carts.csv", index=False)
    carts[["session_id"]].assign(sku="cd", quantity=1, price=9.5).to_csv("items.csv", index=False)
    for name, value in {
        "BASE_URL": sandbox.base_url,
        "API_KEY": sandbox.api_key,
        "MANAGEMENT_KEY": sandbox.management_key,
    }.items():
        monkeypatch.setenv(f"T1DATA_{name}", value)
    key = sandbox.management_key
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=key, rate=None) as connected:
        yield connected


def bodies(sandbox: Sandbox, operation: str) -> list[tuple[str, bytes]]:
    return sorted((f"{seen.path}?{seen.query}", seen.body) for seen in sandbox.requests.of(operation))


@pytest.mark.parametrize("way", WAYS)
def test_python_and_shell_send_what_the_form_sends(
    account: Callable[[], None], client: t1.Client, sandbox: Sandbox, way: str, tmp_path: Path
) -> None:
    make, fields, operation = WAYS[way]
    hand = Hand(make(client))
    for label, value in fields.items():
        hand.fill(label, value)
    hand.press("Check")
    hand.wait()
    python, _, shell = hand.form.code().partition("\n\n# the same in a shell\n")
    if asked := hand.form._stage.asks:
        hand.fill(f"Type: {asked}", asked)
    hand.press("Run")
    hand.wait()
    assert hand.form.state == "finished"
    by_form = bodies(sandbox, operation)
    assert by_form
    account()
    exec(python, {})
    assert bodies(sandbox, operation) == by_form
    account()
    program, *words = shlex.split(shell)
    assert program == "t1data"
    assert run_command(words) == 0
    assert bodies(sandbox, operation) == by_form
