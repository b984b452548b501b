"""Referrals and coupons from a shell: options held against signatures, what is said, what it ends with."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from shell import Shell, variables

import t1data as t1
from t1data.cli.coupons import NAMING, PAIRING
from t1data.cli.coupons import WITHOUT_OPTION as OF_COUPONS
from t1data.cli.options import SENDING, Option
from t1data.cli.referrals import SENDING_CODES, TERMS
from t1data.cli.referrals import WITHOUT_OPTION as OF_REFERRALS
from t1data.sandbox import Reset

MANY, RESERVE = "create_referrals_for_multiple_advocates", "create_coupon_reservation"
SEED = {
    "campaigns": [
        {"id": 45, "name": "Friends", "features": ["referrals"]},
        {
            "id": 46,
            "name": "Coupons",
            "features": ["coupons"],
            "coupons": [{"value": "25%OFF/ä b"}, {"value": "SUNNY"}],
        },
    ],
    "attributes": [{"entity": "Referral", "name": "Tier", "type": "string"}],
}


@pytest.fixture(scope="module")
def _running() -> Iterator[t1.Sandbox]:
    with t1.Sandbox(seed=2) as running:
        yield running


@pytest.fixture
def sandbox(_running: t1.Sandbox) -> t1.Sandbox:
    _running.reset()
    _running.load(SEED)
    return _running


@pytest.fixture
def shell(
    sandbox: t1.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    for name, value in variables(sandbox, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("T1DATA_MANAGEMENT_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


# --- options and signatures, in both directions -------------------------------------------------------------

FACES: list[tuple[Sequence[Option], Sequence[Any], dict[str, str]]] = [
    (TERMS, [t1.plan_referrals], OF_REFERRALS),
    ((*TERMS, *SENDING_CODES), [t1.create_referrals], OF_REFERRALS),
    (PAIRING, [t1.plan_reservations], OF_COUPONS),
    ((*PAIRING, *SENDING), [t1.reserve_coupons, t1.release_coupons], OF_COUPONS),
    ((*NAMING, *SENDING), [t1.fetch_reservations], OF_COUPONS),
]


@pytest.mark.parametrize(("table", "functions", "without"), FACES)
def test_options_and_parameters_are_the_same(
    table: Sequence[Option], functions: Sequence[Any], without: dict[str, str]
) -> None:
    fed = {row.parameter for row in table}
    for function in functions:
        known = set(inspect.signature(function).parameters)
        assert fed <= known
        assert known - fed <= without.keys()
        assert not fed & without.keys()


@pytest.mark.parametrize(("table", "functions", "without"), FACES)
def test_a_flag_bears_its_parameters_name_and_help_tells_the_functions_default(
    table: Sequence[Option], functions: Sequence[Any], without: dict[str, str]
) -> None:
    defaults = inspect.signature(functions[0]).parameters
    for row in table:
        flag = row.flag.removeprefix("--").split("/")[0].replace("-", "_")
        assert flag in (row.parameter, row.parameter.removesuffix("s"))
        if found := re.search(r"\(default: ([\w.]+)\)", row.help):
            assert found[1] == str(defaults[row.parameter].default)


# --- referrals ----------------------------------------------------------------------------------------------


def test_codes_are_planned_made_and_written(shell: Shell, sandbox: t1.Sandbox) -> None:
    Path("a.csv").write_text("integration_id,usage_limit,friend_integration_id\n007,1,\n007,5,\n008,1,x\n009,-1,\n")
    planned = shell("referrals", "plan", "a.csv", "--campaign-id", "45")
    assert planned.code == 3
    assert "3 codes would be made in 3 requests" in planned.out
    assert "a code for each row; --duplicates 'first'" in planned.out
    told = shell("referrals", "plan", "a.csv", "--campaign-id", "45", "--json")
    assert (told.last["ready"], told.last["reasons"], len(told.out.splitlines())) == (3, {"bad_usage_limit": 1}, 1)
    dry = shell("referrals", "create", "a.csv", "--campaign-id", "45", "--dry-run")
    assert (dry.code, dry.last["run"], dry.last["unsent"], dry.last["invalid"]) == (3, None, 3, 1)
    assert not sandbox.requests
    done = shell(
        "referrals", "create", "a.csv", "--campaign-id", "45", "--codes", "codes.csv", "--outcomes", "out.csv",
        "--no-progress",
    )  # fmt: skip
    assert (done.code, done.last["accepted"], done.last["invalid"]) == (3, 3, 1)
    assert done.err.index("Plan: a.csv") < done.err.index("4 rows: 3 accepted, 1 invalid")
    codes = pd.read_csv("codes.csv", dtype={"integration_id": str})
    assert codes[["row", "integration_id", "usage_limit"]].values.tolist() == [
        [1, "007", 1],
        [2, "007", 5],
        [3, "008", 1],
    ]
    assert pd.read_csv("out.csv")["outcome"].tolist() == ["accepted"] * 3 + ["invalid"]


def test_every_term_can_be_typed(shell: Shell, sandbox: t1.Sandbox) -> None:
    Path("a.csv").write_text("who,buddy\n007,\n")
    done = shell(
        "referrals", "create", "a.csv", "--campaign-id", "45", "--usage-limit", "3", "--start-date",
        "2026-01-01T00:00:00Z", "--expiry-date", "2099-01-01T00:00:00Z", "--attribute", "Tier=gold", "--pattern",
        "HI-######", "--valid-characters", "AB", "--advocate", "who", "--friend", "buddy", "--duplicates", "first",
        "--no-progress",
    )  # fmt: skip
    assert done.code == 0, done.err
    (seen,) = sandbox.requests.of(MANY)
    assert json.loads(seen.body or b"") == {
        "campaignId": 45,
        "usageLimit": 3,
        "startDate": "2026-01-01T00:00:00Z",
        "expiryDate": "2099-01-01T00:00:00Z",
        "attributes": {"Tier": "gold"},
        "referralPattern": "HI-######",
        "validCharacters": ["A", "B"],
        "advocateProfileIntegrationIds": ["007"],
    }


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ((), "name the campaign of the codes: --campaign-id N"),
        (("--campaign-id", "x"), "--campaign-id"),
        (("--campaign-id", "45", "--usage-limit", "2"), "'usage_limit' would be said twice"),
        (("--campaign-id", "45", "--pattern", "A#"), "Error: --pattern: it has 2 characters"),
        (("--campaign-id", "45", "--expiry-date", "2020-01-01T00:00:00Z"), "Error: --expiry-date: it lies before"),
        (("--campaign-id", "45", "--duplicates", "all"), "'each', 'first', 'last', 'reject'"),
        (("--campaign-id", "45", "--codes", "codes.txt"), "codes.txt: codes are written as .csv, .parquet or .xlsx"),
        (("--campaign-id", "45", "--codes", "nowhere/codes.csv"), "there is no folder nowhere"),
        (("--campaign-id", "45", "--codes", "a.csv"), "a.csv is there already"),
    ],
)
def test_what_cannot_be_meant_is_said_in_words_of_the_shell(
    shell: Shell, sandbox: t1.Sandbox, typed: tuple[str, ...], said: str
) -> None:
    Path("a.csv").write_text("integration_id,usage_limit\n007,1\n")
    done = shell("referrals", "create", "a.csv", *typed)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert not sandbox.requests


def test_codes_in_doubt_end_with_5_and_are_reconciled(
    shell: Shell, sandbox: t1.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.csv").write_text("integration_id,usage_limit\n007,1\n008,2\n")
    sandbox.faults.add(Reset("after"), on=MANY, nth=1)
    done = shell("referrals", "create", "a.csv", "--campaign-id", "45", "--connections", "1", "--no-progress")
    assert (done.code, done.last["accepted"], done.last["in_doubt"]) == (5, 1, 1)
    monkeypatch.setenv("T1DATA_MANAGEMENT_KEY", sandbox.management_key)
    found = shell("runs", "reconcile", done.last["run"], "--application-id", "1")
    assert (found.code, found.last["accepted"]) == (0, 2)


# --- coupons ------------------------------------------------------------------------------------------------


def test_coupons_are_reserved_released_and_their_holders_written(shell: Shell, sandbox: t1.Sandbox) -> None:
    with t1.Client(sandbox.base_url, sandbox.api_key) as client:
        for who in ("ada", "grace"):
            client.update_customer_profile_v2(who, {})
    Path("p.csv").write_text(
        "coupon,integration_id\n25%OFF/ä b,ada\n25%OFF/ä b,grace\nSUNNY,ada\nSUNNY,ada\nNONE,ada\n"
    )
    dry = shell("coupons", "reserve", "p.csv", "--dry-run")
    assert (dry.code, dry.last["unsent"]) == (0, 5)
    assert "4 pairs of coupon and customer, 3 coupons, would be sent in 3 requests" in dry.err
    assert not sandbox.requests.of(RESERVE)
    done = shell("coupons", "reserve", "p.csv", "--outcomes", "o.csv", "--no-progress")
    assert (done.code, done.last["accepted"], done.last["refused"]) == (3, 4, 1)
    assert pd.read_csv("o.csv")["reason"].fillna("").tolist() == ["", "", "", "", "not_found"]
    Path("half.csv").write_text("code,who\n25%OFF/ä b,ada\n")
    freed = shell("coupons", "release", "half.csv", "--coupon", "code", "--id", "who", "--no-progress")
    assert (freed.code, freed.last["accepted"]) == (0, 1)
    read = shell("coupons", "holders", "25%OFF/ä b", "SUNNY", "NONE", "--to", "h.csv", "--no-progress")
    assert (read.code, read.last["accepted"], read.last["refused"]) == (3, 2, 1)
    holders = pd.read_csv("h.csv")
    assert holders[["coupon", "integration_id"]].values.tolist() == [["25%OFF/ä b", "grace"], ["SUNNY", "ada"]]
    assert "grace" not in read.out + read.err
    again = shell("coupons", "holders", "--file", "half.csv", "--coupon", "code", "--no-progress")
    assert (again.code, again.last["accepted"]) == (0, 1)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("coupons", "holders"), "name coupons, or a file of them by --file FILE"),
        (("coupons", "holders", "SUNNY", "--file", "p.csv"), "name coupons, or a file of them by --file FILE"),
        (("coupons", "holders", "SUNNY", "--to", "h.txt"), "h.txt: holders are written as"),
        (("coupons", "reserve", "p.csv", "--coupon", "code"), "Error: --coupon: there is no such column"),
        (("coupons", "release", "p.csv", "--id", "who"), "Error: --id: there is no column 'who'"),
        (("coupons", "holders", "--file", "p.csv", "--coupon", "who"), "Error: --coupon: there is no column 'who'"),
        (("coupons", "reserve", "none.csv"), "none.csv"),
        (("coupons", "reserve", "p.csv", "--outcomes", "p.csv"), "p.csv is there already"),
    ],
)
def test_wrong_usage_of_coupons_says_what_is_right(
    shell: Shell, sandbox: t1.Sandbox, typed: tuple[str, ...], said: str
) -> None:
    Path("p.csv").write_text("coupon,integration_id\nSUNNY,ada\n")
    done = shell(*typed)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert not sandbox.requests


def test_a_live_environment_is_written_to_under_its_name_alone(shell: Shell, sandbox: t1.Sandbox) -> None:
    shell("config", "add", "shop", "--base-url", sandbox.base_url, "--key", "env:T1DATA_API_KEY", "--live")
    Path("p.csv").write_text("coupon,integration_id\nSUNNY,ada\n")
    for command in (("referrals", "create", "p.csv", "--campaign-id", "45"), ("coupons", "reserve", "p.csv")):
        refused = shell(*command, "--env", "shop")
        assert refused.code == 2
        assert "add --live shop" in refused.err
    assert not sandbox.requests
    assert shell("coupons", "holders", "SUNNY", "--env", "shop", "--no-progress").code == 0
    assert shell("coupons", "reserve", "p.csv", "--env", "shop", "--live", "shop", "--no-progress").code == 0
