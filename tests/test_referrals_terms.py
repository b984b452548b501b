"""Rows with terms of their own: grouped, typed exactly, checked before anything is sent. Judged by another ledger."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from fault_server import Caller, FaultServer, answer, head
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.sandbox import Reset

MANY, ONE = "create_referrals_for_multiple_advocates", "create_referral"
SEED = {
    "campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"]}],
    "attributes": [
        {"entity": "Referral", "name": "Tier", "type": "string"},
        {"entity": "Referral", "name": "Score", "type": "number"},
    ],
}


@pytest.fixture(scope="module")
def _running() -> Iterator[t1.Sandbox]:
    with t1.Sandbox(seed=5) as running:
        yield running


@pytest.fixture
def sandbox(_running: t1.Sandbox) -> t1.Sandbox:
    _running.reset()
    _running.load(SEED)
    return _running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key, rate=None) as made:
        yield made


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))


def sent(sandbox: t1.Sandbox, operation: str = MANY) -> list[dict[str, Any]]:
    return [json.loads(seen.body or b"") for seen in sandbox.requests.of(operation)]


def on_the_server(client: t1.Client) -> Counter[tuple[str, int, str | None]]:
    assert client.management is not None
    return Counter(
        (found["advocateProfileIntegrationId"], found["usageLimit"], found.get("friendProfileIntegrationId"))
        for found in client.management.list_referrals(1, 45)
    )


# --- grouping -----------------------------------------------------------------------------------------------


class Codes:
    """A server that makes codes as it is asked, and writes down every one."""

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, caller: Caller) -> bool:
        caller.read_body()
        body = caller.entry.json()
        one = body.pop("advocateProfileIntegrationId", None)
        advocates = body.pop("advocateProfileIntegrationIds", [one])
        codes = [{"advocateProfileIntegrationId": who, "code": f"CODE{len(self.made) + n}"} | _shown(body)
                 for n, who in enumerate(advocates)]  # fmt: skip
        self.made += [(who, body) for who in advocates]
        told = codes[0] if one is not None else {"totalResultSize": len(codes), "data": codes[::-1]}
        content = json.dumps(told).encode()
        caller.send(head(201, {"Content-Type": "application/json", "Content-Length": str(len(content))}) + content)
        return True


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    friend = body.get("friendProfileIntegrationId")
    return {"usageLimit": body["usageLimit"]} | ({"friendProfileIntegrationId": friend} if friend else {})


ROWS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from([1, 2, 5]), st.sampled_from([None, None, "x", "y"])),
    min_size=1,
    max_size=40,
)


@settings(max_examples=12, deadline=None)
@given(rows=ROWS)
def test_rows_of_equal_terms_share_a_request_and_each_row_gets_a_code_of_its_own_terms(
    rows: list[tuple[str, int, str | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame = pd.DataFrame(rows, columns=["integration_id", "usage_limit", "friend_integration_id"])
    frame["friend_integration_id"] = frame["friend_integration_id"].astype("string")
    journal = tmp_path_factory.mktemp("run") / "run.sqlite"
    codes = Codes()
    with FaultServer(codes) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        plan = t1.plan_referrals(client, frame, campaign_id=45)
        assert not server.ledger
        run = t1.create_referrals(client, frame, campaign_id=45, journal=journal, progress=False, connections=1)
    shared = {uses for _, uses, friend in rows if friend is None}
    friends = sum(friend is not None for *_, friend in rows)
    targets = Counter(entry.target for entry in server.ledger)
    assert targets["/v1/referrals_for_multiple_advocates?silent=no"] == len(shared)
    assert targets["/v1/referrals"] == friends
    assert plan.requests == len(server.ledger) == len(shared) + friends
    made = Counter((who, body["usageLimit"], body.get("friendProfileIntegrationId")) for who, body in codes.made)
    assert made == Counter(rows)
    found = run.codes[["integration_id", "usage_limit", "friend_integration_id"]].astype(object)
    assert list(found.where(found.notna(), None).itertuples(index=False, name=None)) == rows
    assert run.codes["code"].is_unique
    assert run.codes.index.tolist() == list(range(len(rows)))


def test_a_group_is_cut_at_a_thousand_advocates(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = pd.DataFrame(
        {"integration_id": [f"a{n:04}" for n in range(2400)], "usage_limit": [1 + n % 2 for n in range(2400)]}
    )
    plan = t1.plan_referrals(client, frame, campaign_id=45)
    run = t1.create_referrals(client, frame, campaign_id=45)
    sizes = Counter((body["usageLimit"], len(body["advocateProfileIntegrationIds"])) for body in sent(sandbox))
    assert sizes == {(1, 1000): 1, (1, 200): 1, (2, 1000): 1, (2, 200): 1}
    assert plan.requests == 4
    assert run.codes["integration_id"].tolist() == frame["integration_id"].tolist()
    assert run.codes["usage_limit"].tolist() == frame["usage_limit"].tolist()


# --- what a cell becomes ------------------------------------------------------------------------------------


def test_every_kind_of_term_can_come_from_a_column(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = pd.DataFrame(
        {
            "integration_id": ["a", "b"],
            "usage_limit": [3.0, None],
            "start_date": pd.to_datetime(["2026-01-01 00:00", None]),
            "expiry_date": ["2099-12-31T23:59:59+01:00", None],
            "pattern": ["HI-######", None],
            "valid_characters": ["AB", None],
            "attributes.Tier": ["gold", None],
            "attributes.Score": [1.5, None],
        }
    )
    run = t1.create_referrals(client, frame, campaign_id=45, tz="Europe/Berlin")
    assert sorted(sent(sandbox), key=len) == [
        {"campaignId": 45, "usageLimit": 1, "advocateProfileIntegrationIds": ["b"]},
        {
            "campaignId": 45,
            "usageLimit": 3,
            "startDate": "2025-12-31T23:00:00Z",
            "expiryDate": "2099-12-31T22:59:59Z",
            "referralPattern": "HI-######",
            "validCharacters": ["A", "B"],
            "attributes": {"Tier": "gold", "Score": 1.5},
            "advocateProfileIntegrationIds": ["a"],
        },
    ]
    assert run.codes["code"].str.fullmatch("HI-[AB]{6}").tolist() == [True, False]


def test_cells_of_a_text_file_are_read_as_what_their_columns_are(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(
        "integration_id;usage_limit;attributes;valid_characters\n"
        '007;;"{""Tier"": ""1""}";\n008;0;;"[""X"", ""Y""]"\n009;2.0;"{""Score"": 1.10}";XYZ\n'
    )
    t1.create_referrals(client, tmp_path / "a.csv", campaign_id=45)
    assert b'"attributes":{"Score": 1.10}' in b"".join(seen.body or b"" for seen in sandbox.requests.of(MANY))
    by_advocate = {body["advocateProfileIntegrationIds"][0]: body for body in sent(sandbox)}
    assert by_advocate["007"]["attributes"] == {"Tier": "1"}
    assert [by_advocate[who]["usageLimit"] for who in ("007", "008", "009")] == [1, 0, 2]
    assert by_advocate["008"]["validCharacters"] == ["X", "Y"]
    assert by_advocate["009"]["validCharacters"] == ["X", "Y", "Z"]


def test_attributes_of_all_rows_and_of_columns_go_out_together(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = pd.DataFrame({"integration_id": ["a", "b"], "attributes.Score": [7, None]})
    t1.create_referrals(client, frame, campaign_id=45, attributes={"Tier": "gold"})
    by_advocate = {body["advocateProfileIntegrationIds"][0]: body["attributes"] for body in sent(sandbox)}
    assert by_advocate == {"a": {"Tier": "gold", "Score": 7}, "b": {"Tier": "gold"}}


def test_lists_and_objects_of_a_frame_are_terms_too(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = pd.DataFrame({"integration_id": ["a"], "valid_characters": [["A", "B"]], "attributes": [{"Tier": "x"}]})
    t1.create_referrals(client, frame, campaign_id=45)
    assert sent(sandbox)[0]["validCharacters"] == ["A", "B"]
    assert sent(sandbox)[0]["attributes"] == {"Tier": "x"}


def test_a_row_with_a_friend_goes_alone_and_only_the_friend_can_use_its_code(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    frame = pd.DataFrame({"integration_id": ['a"\\', "a", "b"], "friend_integration_id": ["ü/x", "y", None]})
    run = t1.create_referrals(client, frame, campaign_id=45, usage_limit=2)
    assert sorted(sent(sandbox, ONE), key=str) == [
        {
            "campaignId": 45,
            "usageLimit": 2,
            "friendProfileIntegrationId": friend,
            "advocateProfileIntegrationId": advocate,
        }
        for advocate, friend in [("a", "y"), ('a"\\', "ü/x")]
    ]
    assert len(sent(sandbox)) == 1
    assert run.codes["friend_integration_id"].fillna("").tolist() == ["ü/x", "y", ""]


# --- what cannot be meant -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("usage_limit", -1, "bad_usage_limit"),
        ("usage_limit", 1_000_000, "bad_usage_limit"),
        ("usage_limit", 1.5, "bad_usage_limit"),
        ("usage_limit", "lots", "not_a_number"),
        ("usage_limit", "1e300", "bad_usage_limit"),
        ("expiry_date", "2020-01-01T00:00:00Z", "expired"),
        ("expiry_date", "tomorrow", "bad_time"),
        ("expiry_date", "2099-01-01T00:00:00", "naive_time"),
        ("pattern", "A#", "bad_pattern"),
        ("pattern", "#" * 101, "bad_pattern"),
        ("valid_characters", "", "bad_characters"),
        ("valid_characters", '["AB"]', "bad_characters"),
        ("attributes", "[1]", "not_an_object"),
        ("attributes", "{", "bad_json"),
        ("friend_integration_id", "bad", "own_friend"),
        ("friend_integration_id", " x", "id_whitespace"),
    ],
)
def test_a_cell_that_cannot_be_meant_keeps_its_own_row_from_being_sent(
    sandbox: t1.Sandbox, client: t1.Client, column: str, cell: Any, code: str
) -> None:
    good = {"usage_limit": 1, "friend_integration_id": "x"}.get(column)
    kind = object if isinstance(cell, str) else None
    frame = pd.DataFrame({"integration_id": ["bad", "good"], column: pd.Series([cell, good], dtype=kind)})
    if isinstance(cell, str):
        frame[column] = frame[column].map(lambda value: None if value is None else str(value)).astype("string")
    plan = t1.plan_referrals(client, frame, campaign_id=45)
    assert (plan.ready, plan.invalid) == (1, 1)
    assert plan.problems["code"].tolist() == [code]
    run = t1.create_referrals(client, frame, campaign_id=45)
    assert run.outcomes["outcome"].tolist() == ["invalid", "accepted"]
    assert run.outcomes["reason"].tolist()[0] == code
    assert run.outcomes["field"].tolist()[0] == column
    assert [who for who, *_ in on_the_server(client)] == ["good"]


def test_an_expiry_is_held_against_the_start_of_its_own_row_or_of_all(client: t1.Client) -> None:
    frame = pd.DataFrame(
        {
            "integration_id": ["a", "b"],
            "start_date": ["2098-01-01T00:00:00Z"] * 2,
            "expiry_date": ["2099-01-01T00:00:00Z", "2097-01-01T00:00:00Z"],
        }
    )
    assert t1.plan_referrals(client, frame, campaign_id=45).problems["code"].tolist() == ["expires_before_start"]
    one = frame.drop(columns="start_date")
    plan = t1.plan_referrals(client, one, campaign_id=45, start_date="2098-01-01T00:00:00Z")
    assert plan.problems["integration_id"].tolist() == ["b"]
    other = frame.drop(columns="expiry_date")
    plan = t1.plan_referrals(client, other, campaign_id=45, expiry_date="2097-01-01T00:00:00Z")
    assert plan.problems["column"].tolist() == ["start_date"] * 2


@pytest.mark.parametrize("terms", [{"pattern": "HI-######"}, {"valid_characters": "AB"}])
def test_a_code_for_a_friend_takes_no_pattern(sandbox: t1.Sandbox, client: t1.Client, terms: dict[str, Any]) -> None:
    frame = pd.DataFrame({"integration_id": ["a", "b"], "friend_integration_id": ["x", None]})
    run = t1.create_referrals(client, frame, campaign_id=45, **terms)
    assert run.outcomes["reason"].fillna("").tolist() == ["pattern_for_friend", ""]
    assert "takes neither a pattern nor valid characters" in run.outcomes["message"].tolist()[0]
    assert sent(sandbox, ONE) == []


@pytest.mark.parametrize(
    ("columns", "terms", "said"),
    [
        ({"usage_limit": [1]}, {"usage_limit": 1}, "'usage_limit' would be said twice"),
        ({"attributes": ["{}"]}, {"attributes": {"Tier": "x"}}, "'attributes' would be said twice"),
        ({"attributes.Tier": ["x"]}, {"attributes": {"Tier": "x"}}, "'Tier' would be sent from a column already"),
        ({"usageLimit": [1]}, {}, "'usageLimit' .did you mean 'usage_limit'"),
        ({"Expiry Date": ["x"]}, {}, "did you mean 'expiry_date'"),
        ({"friend": ["x"]}, {}, "did you mean 'friend_integration_id'"),
        ({"campaign_id": [46]}, {}, "all codes of a run are of one campaign"),
        ({"attributes.Teir": ["x"]}, {}, "'Teir', valid are .*did you mean 'Tier'"),
        ({"attributes.No Name": ["x"]}, {}, "'No Name', valid are names"),
        ({"usage_limit": [True]}, {}, "cannot be sent as number"),
        ({"start_date": [pd.Timestamp("2026-01-01")]}, {}, "times without a zone"),
        ({"x": [1]}, {"friend": "y"}, "friend: got 'y', valid are"),
        ({"pattern": ["ABC#"]}, {}, "'ABC#' has room for 36 codes, too few for 4 advocates"),
        ({"x": [1]}, {"duplicates": "some"}, "duplicates: got 'some'"),
        ({"x": [1]}, {"attributes": ["Tier"]}, "attributes: got a list"),
        ({"x": [1]}, {"usage_limit": 1.0}, "usage_limit: got 1.0"),
        ({"x": [1]}, {"usage_limit": "1"}, "usage_limit: got '1'"),
        ({"x": [1]}, {"campaign_id": "45"}, "campaign_id: got '45'"),
        ({"x": [1]}, {"pattern": 7}, "pattern: got 7"),
        ({"x": [1]}, {"expiry_date": 7}, "expiry_date: got a int"),
        ({"x": [1]}, {"expiry_date": "9999-12-31T23:59:59-12:00"}, "expiry_date: in UTC it is no time"),
        ({"x": [1]}, {"start_date": "0001-01-01T00:00:00+12:00"}, "start_date: in UTC it is no time"),
        ({"x": [1]}, {"valid_characters": 5}, "valid_characters: give single characters"),
        ({"x": [1]}, {"valid_characters": iter("AB")}, "valid_characters: give single characters"),
        ({"x": [1]}, {"tz": "Nowhere/At"}, "tz: got 'Nowhere/At'"),
    ],
)
def test_columns_and_arguments_that_do_not_fit_are_named_before_anything_is_sent(
    sandbox: t1.Sandbox, client: t1.Client, columns: dict[str, list[Any]], terms: dict[str, Any], said: str
) -> None:
    frame = pd.DataFrame({"integration_id": list("abcd")} | {name: values * 4 for name, values in columns.items()})
    with pytest.raises(t1.errors.InputError, match=said):
        t1.create_referrals(client, frame, **{"campaign_id": 45, **terms})
    assert sandbox.requests.of(MANY) == sandbox.requests.of(ONE) == []


def test_what_is_told_of_columns_names_the_parameters_that_there_are(client: t1.Client) -> None:
    with pytest.raises(t1.errors.InputError, match=r'^advocate: there is no column .*: advocate="…"$'):
        t1.create_referrals(client, pd.DataFrame({"person": ["a"]}), campaign_id=45)
    frame = pd.DataFrame({"integration_id": ["a"], "attributes.No Name": ["x"]})
    with t1.Client(client.base_url, "a-key-of-16-letters") as keyless:
        with pytest.raises(t1.errors.InputError, match="begin with a letter; rename the columns"):
            t1.create_referrals(keyless, frame, campaign_id=45)
        with pytest.raises(t1.errors.InputError, match=r"begin with a letter$"):
            t1.create_referrals(keyless, ["a"], campaign_id=45, attributes={"No Name": "x"})


@pytest.mark.parametrize("advocates", [[], pd.DataFrame({"integration_id": []}), pa.table({"integration_id": []})])
def test_an_empty_list_of_advocates_is_refused_in_words(client: t1.Client, advocates: Any) -> None:
    with pytest.raises(t1.errors.InputError, match=r"no rows|no row"):
        t1.create_referrals(client, advocates, campaign_id=45)


def test_an_unknown_campaign_stops_the_run_after_its_first_requests_with_the_servers_words(sandbox: t1.Sandbox) -> None:
    advocates = [f"a{n}" for n in range(20_000)]
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as client:  # without a key to look it up beforehand
        run = t1.create_referrals(client, advocates, campaign_id=99, connections=1)
    assert len(sandbox.requests.of(MANY)) == 2
    assert (run.counts["refused"], run.counts["unsent"]) == (2000, 18_000)
    assert run.stopped is not None
    assert "Campaign 99 does not exist" in run.stopped


# --- an advocate in several rows ----------------------------------------------------------------------------

TWICE = pd.DataFrame({"integration_id": ["a", "b", "a", "b", "c"], "usage_limit": [1, 1, 1, 2, 1]}, index=list("vwxyz"))


@pytest.mark.parametrize(
    ("policy", "made", "outcomes"),
    [
        ("each", {("a", 1): 2, ("b", 1): 1, ("b", 2): 1, ("c", 1): 1}, ["accepted"] * 5),
        ("first", {("a", 1): 1, ("b", 1): 1, ("c", 1): 1}, ["accepted"] * 3 + ["invalid", "accepted"]),
        ("last", {("a", 1): 1, ("b", 2): 1, ("c", 1): 1}, ["accepted", "invalid", "accepted", "accepted", "accepted"]),
        ("reject", {("a", 1): 1, ("c", 1): 1}, ["accepted", "invalid", "accepted", "invalid", "accepted"]),
    ],
)
def test_an_advocate_in_several_rows_is_dealt_with_as_declared(
    client: t1.Client, policy: Any, made: dict[tuple[str, int], int], outcomes: list[str]
) -> None:
    plan = t1.plan_referrals(client, TWICE, campaign_id=45, duplicates=policy)
    run = t1.create_referrals(client, TWICE, campaign_id=45, duplicates=policy)
    assert Counter({(who, uses): count for (who, uses, _), count in on_the_server(client).items()}) == made
    assert run.outcomes["outcome"].tolist() == outcomes
    assert plan.ready == sum(made.values()) == len(run.codes)
    assert plan.rows == plan.ready + plan.invalid + plan.collapsed
    assert (plan.repeated, plan.repeated_rows) == (2, 4)
    assert "2 advocates in more than one row (4 rows)" in str(plan)


def test_the_plan_says_aloud_that_an_advocate_in_two_rows_gets_two_codes(client: t1.Client) -> None:
    assert "a code for each row" in str(t1.plan_referrals(client, ["a", "a"], campaign_id=45))
    assert "more than one row" not in str(t1.plan_referrals(client, ["a", "b"], campaign_id=45))


# --- the plan -----------------------------------------------------------------------------------------------


def test_the_plan_tells_what_is_known_before_a_code_is_made(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = pd.DataFrame(
        {
            "integration_id": ["a", "b", "c", " d"],
            "usage_limit": [0, 5, 5, 1],
            "friend_integration_id": [None, None, "x", None],
            "note": list("abcd"),
        }
    )
    slow = t1.Client(sandbox.base_url, sandbox.api_key, rate=2)
    plan = t1.plan_referrals(slow, frame, campaign_id=45, expiry_date="2099-01-01T00:00:00Z")
    assert (plan.ready, plan.invalid, plan.requests, plan.seconds, plan.with_friend) == (3, 1, 3, 1.5, 1)
    assert plan.ignored == ("note",)
    assert plan.reasons == {"id_whitespace": 1}
    assert plan.terms[["usage_limit", "expiry_date", "friends", "rows"]].sort_values("usage_limit").values.tolist() == [
        [0, "2099-01-01T00:00:00Z", False, 1],
        [5, "2099-01-01T00:00:00Z", True, 1],
        [5, "2099-01-01T00:00:00Z", False, 1],
    ]
    said = str(plan)
    for words in ("3 codes would be made in 3 requests", "uses without limit", "until 2099", "not read: note"):
        assert words in said
    assert "integration_id" not in plan.to_dict()
    assert json.loads(json.dumps(plan.to_dict()))["terms"] == 3
    assert "<li>" in plan._repr_html_()
    assert not sandbox.requests
    slow.close()


def test_attributes_are_asked_of_the_account_only_where_there_are_any(sandbox: t1.Sandbox, client: t1.Client) -> None:
    assert not t1.plan_referrals(client, ["a"], campaign_id=45).catalogue_checked
    assert not sandbox.requests.of("get_attributes")
    assert t1.plan_referrals(client, ["a"], campaign_id=45, attributes={"Tier": "x"}).catalogue_checked
    with pytest.raises(t1.errors.InputError, match="'Colour'"):
        t1.plan_referrals(client, ["a"], campaign_id=45, attributes={"Colour": "x"})


# --- doubt, reconcile, resume -------------------------------------------------------------------------------


def grouped(rows: int) -> pd.DataFrame:
    frame = pd.DataFrame({"integration_id": [f"a{n:04}" for n in range(rows)]})
    frame["usage_limit"] = [1 + n % 2 for n in range(rows)]
    frame["friend_integration_id"] = pd.array([f"f{n}" if n % 50 == 0 else None for n in range(rows)], "string")
    return frame


@pytest.mark.parametrize("when", ["before", "after"])
def test_groups_and_friends_in_doubt_are_found_and_what_was_not_made_is_made_by_a_resume(
    sandbox: t1.Sandbox, client: t1.Client, when: Any
) -> None:
    frame = grouped(150)
    for advocate in frame["integration_id"]:
        client.update_customer_profile_v2(advocate, {})
    sandbox.faults.add(Reset(when), on=MANY, nth=1)
    sandbox.faults.add(Reset(when), on=ONE, nth=2)
    run = t1.create_referrals(client, frame, campaign_id=45, connections=1)
    doubt = run.counts["in_doubt"]
    assert doubt > 50
    before = len(sandbox.requests)
    settled = t1.reconcile(client, run.id, data=frame)
    looked = len(sandbox.requests) - before
    if when == "before":
        assert settled.counts["unsent"] == doubt
        assert looked == 4, "three of the group, and the one with a friend"
    else:
        assert settled.counts["accepted"] == 150
        assert looked == doubt
    done = t1.resume(client, run.id, data=frame)
    assert done.counts["accepted"] == 150
    wanted = frame.astype(object).where(frame.notna(), None)
    assert on_the_server(client) == Counter(wanted.itertuples(index=False, name=None))
    assert done.codes["integration_id"].tolist() == frame["integration_id"].tolist()
    assert done.codes["usage_limit"].tolist() == frame["usage_limit"].tolist()
    assert t1.open_run(run.id, data=frame).codes.equals(done.codes)


def test_one_code_among_those_that_are_looked_at_first_makes_all_be_looked_for(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    advocates = [f"a{n}" for n in range(20)]
    for advocate in advocates:
        client.update_customer_profile_v2(advocate, {})
    sandbox.faults.add(Reset("before"), on=MANY, first=1)
    run = t1.create_referrals(client, advocates, campaign_id=45)
    for advocate in (advocates[3], advocates[-1]):  # as if the server had made some of them
        client.create_referral({"campaignId": 45, "advocateProfileIntegrationId": advocate, "usageLimit": 1})
    settled = t1.reconcile(client, run.id, data=advocates)
    assert (settled.counts["accepted"], settled.counts["unsent"]) == (2, 18)


def test_a_code_with_other_dates_or_another_friend_is_not_taken_for_ours(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    sandbox.faults.add(Reset("before"), on=MANY, first=1)
    frame = pd.DataFrame({"integration_id": ["a", "a"], "expiry_date": ["2098-01-01T00:00:00Z", None]})
    run = t1.create_referrals(client, frame, campaign_id=45, connections=1)
    assert run.counts["in_doubt"] == 1
    like_it = {"campaignId": 45, "advocateProfileIntegrationId": "a", "usageLimit": 1}
    client.create_referral(like_it | {"expiryDate": "2097-01-01T00:00:00Z"})
    client.create_referral(like_it | {"expiryDate": "2098-01-01T00:00:00Z", "friendProfileIntegrationId": "x"})
    settled = t1.reconcile(client, run.id, data=frame, application_id=1)
    assert settled.counts["unsent"] == 1


def test_a_resume_goes_on_by_the_clock_of_the_first_day(
    sandbox: t1.Sandbox, client: t1.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame({"integration_id": ["a"], "expiry_date": ["2098-01-01T00:00:00Z"]})
    with t1.Client(sandbox.base_url, "another-key-0123456789", rate=None) as stranger:
        run = t1.create_referrals(stranger, frame, campaign_id=45)
    assert run.counts["unsent"] == 1
    monkeypatch.setattr("t1data.referrals.create.clock", lambda: pd.Timestamp("2098-06-01", tz="UTC").to_pydatetime())
    assert t1.plan_referrals(client, frame, campaign_id=45).reasons == {"expired": 1}
    assert t1.resume(client, run.id, data=frame).counts["accepted"] == 1


def test_a_single_answer_of_another_advocate_is_in_doubt_and_kept() -> None:
    told = {"code": "CODE1", "advocateProfileIntegrationId": "z"}
    frame = pd.DataFrame({"integration_id": ["a"], "friend_integration_id": ["x"]})
    with FaultServer(answer(201, told)) as server, t1.Client(server.url, "a-key-of-16-letters") as client:
        run = t1.create_referrals(client, frame, campaign_id=45)
    assert run.failures["reason"].tolist() == ["not_in_answer"]
    assert [json.loads(body)["code"] for _, body in run.raw_answers()] == ["CODE1"]
    assert len(server.ledger) == 1


def test_other_columns_of_terms_are_another_job(client: t1.Client, tmp_path: Path) -> None:
    frame = pd.DataFrame({"integration_id": ["a"], "usage_limit": [1]})
    t1.create_referrals(client, frame, campaign_id=45, journal=tmp_path / "j.sqlite")
    with pytest.raises(t1.errors.JournalError, match="the mapping"):
        t1.create_referrals(
            client, frame, campaign_id=45, duplicates="first", journal=tmp_path / "j.sqlite", progress=False
        )


def test_a_reconcile_with_nothing_in_doubt_asks_nothing(sandbox: t1.Sandbox, client: t1.Client) -> None:
    run = t1.create_referrals(client, ["a", "b"], campaign_id=45)
    before = len(sandbox.requests)
    assert t1.reconcile(client, run.id, data=["a", "b"], application_id=1).counts["accepted"] == 2
    assert len(sandbox.requests) == before


def test_a_code_that_an_answer_tells_twice_is_the_code_of_one_row() -> None:
    told = {"advocateProfileIntegrationId": "ada", "code": "A1234"}
    with (
        FaultServer(answer(201, {"data": [told, told]})) as server,
        t1.Client(server.url, "a-key-of-16-letters") as one,
    ):
        run = t1.create_referrals(one, ["ada", "ada"], campaign_id=45, progress=False)
    assert run.codes["code"].tolist() == ["A1234"]
    assert run.outcomes["outcome"].tolist() == ["accepted", "in_doubt"]
