"""Every field feeds a parameter of its function, every parameter has a field or a written reason, and code is true."""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from front import Hand
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.cli import cli
from t1data.forms import audiences, connect, coupons, erasure, inventories, referrals, runs, sessions, upsert
from t1data.forms.code import python_code, shell_code
from t1data.forms.data import chosen_file
from t1data.forms.form import JobForm

CLIENT = t1.Client("https://shop.talon.one", "0123456789abcdef")

FORMS: dict[str, tuple[Callable[..., JobForm], Any, tuple[Callable[..., Any], ...]]] = {
    "upsert": (t1.forms.upsert, upsert, (t1.upsert_profiles, t1.plan_upsert)),
    "referrals": (t1.forms.referrals, referrals, (t1.create_referrals,)),
    "coupons": (
        t1.forms.coupons,
        coupons,
        (t1.reserve_coupons, t1.release_coupons, t1.plan_reservations, t1.fetch_reservations),
    ),
    "inventories": (t1.forms.inventories, inventories, (t1.fetch_inventories,)),
    "audiences": (t1.forms.audiences, audiences, (t1.sync_audience, t1.plan_sync, t1.empty_audience)),
    "sessions": (t1.forms.sessions, sessions, (t1.update_sessions, t1.plan_sessions)),
    "erasure": (t1.forms.erasure, erasure, (t1.erase_customers, t1.plan_erasure)),
}


def parameters(*functions: Callable[..., Any]) -> set[str]:
    return {name for function in functions for name in inspect.signature(function).parameters}


def reasons(form: Callable[..., Any]) -> dict[str, str]:
    return vars(inspect.getmodule(form))["WITHOUT_FIELD"]


@pytest.mark.parametrize("name", FORMS)
def test_every_field_feeds_a_parameter_and_every_parameter_has_a_field_or_a_reason(name: str) -> None:
    make, _, functions = FORMS[name]
    fields, without = set(make(CLIENT)._parts.labels), set(reasons(make))
    assert parameters(*functions) == fields | without
    assert not fields & without


def test_every_setting_of_a_client_has_a_field_or_a_reason() -> None:
    hand = Hand(t1.forms.connect())
    labels = {
        "base_url": "Base URL",
        "api_key": "API key",
        "management_key": "Management key",
        "rate": "Requests a second",
        "pace": "Share this pace with others here",
    }
    assert all(hand.field(label) for label in labels.values())
    assert parameters(t1.Client) == labels.keys() | reasons(connect).keys()


def test_every_argument_of_a_run_after_the_fact_has_a_place_or_a_reason() -> None:
    hand = Hand(t1.forms.runs())
    assert hand.field("Run") is not None
    assert hand.field("Resume also if it began more than a day ago") is not None
    known = parameters(t1.list_runs, t1.open_run, t1.resume, t1.reconcile)
    assert known == {"run", "resume_old"} | reasons(runs).keys()


def test_every_button_has_a_hint_and_no_two_fields_have_one_label() -> None:
    for make, _, _ in FORMS.values():
        hand = Hand(make(CLIENT))
        buttons = [each for each in hand.widgets() if type(each).__name__ == "Button"]
        assert all(each.tooltip and each.description for each in buttons)
        fields = [
            each.description for each in hand.widgets() if hasattr(each, "value") and hasattr(each, "description")
        ]
        named = [name for name in fields if name]
        assert len(named) == len(set(named))


# --- code ---------------------------------------------------------------------------------------------------

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs", "Cc")), min_size=1)
SAFE = NAMES.filter(lambda text: not text.startswith(("-", "=")) and "\\" not in text)  # else no command can say it
VALUES = st.one_of(NAMES, st.integers(-9, 9), st.booleans(), st.lists(NAMES, max_size=2))
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "id": SAFE,
        "attributes": st.dictionaries(SAFE, st.from_regex("[A-Za-z]{1,8}", fullmatch=True), min_size=1, max_size=3),
        "sheet": SAFE,
        "run_rule_engine": st.just(True),
        "types": st.dictionaries(SAFE, st.sampled_from(["number", "(list string)"]), min_size=1, max_size=3),
        "defaults": st.dictionaries(SAFE, NAMES, min_size=1, max_size=3),
        "constants": st.dictionaries(SAFE, VALUES, min_size=1, max_size=3),
        "missing": st.one_of(st.just("clear"), st.dictionaries(SAFE, st.just("clear"), min_size=1, max_size=2)),
        "duplicates": st.sampled_from(["first", "last"]),
        "delimiter": st.sampled_from([";", "\t", "|"]),
        "decimal": st.just(","),
        "truncate_times": st.just(True),
        "connections": st.integers(1, 32),
    },
)


CODES = st.fixed_dictionaries(
    {"campaign_id": st.integers(1, 99)},
    optional={
        "usage_limit": st.integers(0, 9),
        "start_date": st.just("2026-12-01T00:00:00+01:00"),
        "pattern": NAMES.filter(lambda text: not text.startswith("-")),
        "valid_characters": NAMES.filter(lambda text: not text.startswith("-")),
        "attributes": st.dictionaries(SAFE, VALUES, min_size=1, max_size=3),
        "advocate": SAFE,
        "friend": SAFE,
        "duplicates": st.sampled_from(["first", "last", "reject"]),
        "types": st.dictionaries(SAFE, st.just("number"), min_size=1, max_size=2),
        "tz": st.just("Europe/Berlin"),
        "allow_suspect_ids": st.just(True),
        "connections": st.integers(1, 32),
    },
)


def of_shell(line: str, function: Callable[..., Any]) -> dict[str, Any]:
    """Read a command as the command line itself does, up to the function that it calls."""
    program, group, name, *words = shlex.split(line)
    assert program == "t1data"
    context = cli.commands[group].commands[name].make_context(name, words)
    given = {name: value for name, value in context.params.items() if value is not None and value != ()}
    known = set(inspect.signature(function).parameters)
    return {name: value for name, value in given.items() if name in known}


@settings(max_examples=60)
@given(ARGUMENTS)
def test_the_shell_line_means_what_the_form_means(arguments: dict[str, Any]) -> None:
    line = shell_code(("profiles", "upsert"), CLIENT, chosen_file("people.csv"), arguments, json_values=["constants"])
    assert of_shell(line, t1.upsert_profiles) == arguments


@settings(max_examples=60)
@given(CODES)
def test_the_shell_line_for_codes_means_what_the_form_means(arguments: dict[str, Any]) -> None:
    line = shell_code(("referrals", "create"), CLIENT, chosen_file("a.csv"), arguments, json_values=["attributes"])
    assert of_shell(line, t1.create_referrals) == arguments


@settings(max_examples=60)
@given(ARGUMENTS)
def test_the_python_means_what_the_form_means(arguments: dict[str, Any]) -> None:
    code = python_code("upsert_profiles", CLIENT, chosen_file("it's people.csv"), arguments)
    called: dict[str, Any] = {}

    class Stand:
        class Client:
            @staticmethod
            def from_env() -> str:
                return "client"

        @staticmethod
        def upsert_profiles(client: str, data: str, **given: Any) -> None:
            called.update(given, client=client, data=data)

    exec(code.replace("import t1data as t1", ""), {"t1": Stand})
    assert called == {**arguments, "client": "client", "data": "it's people.csv"}


def test_the_code_of_a_form_does_what_the_form_did(
    client: t1.Client, sandbox: t1.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame({"customer": ["a"], "mail": ["x@y"]}).to_csv(tmp_path / "p.csv", index=False)
    hand = Hand(t1.forms.upsert(client, "p.csv"))
    hand.fill("Use of customer", "customer id")
    hand.fill("Attribute of mail", "Email")
    hand.press("Check")
    hand.wait()
    monkeypatch.setenv("T1DATA_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("T1DATA_API_KEY", sandbox.api_key)
    exec(hand.form.code().partition("# the same in a shell")[0], {})
    (request,) = sandbox.requests.of("update_customer_profiles_v2")
    assert json.loads(request.body)["customerProfiles"] == [{"integrationId": "a", "attributes": {"Email": "x@y"}}]


def test_code_before_a_check_is_refused_in_words(client: t1.Client) -> None:
    with pytest.raises(t1.errors.InputError, match="Check first"):
        t1.forms.upsert(client).code()
