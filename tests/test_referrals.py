"""Codes are worth money: none is lost, none is made twice without being told. Judged by the sandbox."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import t1data as t1
from t1data.sandbox import Half, Raw, Reset, Status

CREATE = "create_referrals_for_multiple_advocates"
SEED = {"campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"]}]}
ADVOCATES = [f"advocate-{n:04}" for n in range(2500)]


@pytest.fixture
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox(seed=7) as running:
        running.load(SEED)
        yield running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key, rate=None) as made:
        yield made


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))


def on_the_server(client: t1.Client) -> dict[str, list[str]]:
    """Every code that exists, by advocate."""
    assert client.management is not None
    found: dict[str, list[str]] = {}
    for referral in client.management.list_referrals(1, 45):
        found.setdefault(referral["advocateProfileIntegrationId"], []).append(referral["code"])
    return found


def codes(run: t1.Run) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for advocate, code in zip(run.codes["integration_id"], run.codes["code"], strict=True):
        found.setdefault(advocate, []).append(code)
    return found


def test_every_advocate_gets_one_code_and_it_is_the_one_on_the_server(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = pd.DataFrame({"integration_id": ADVOCATES}, index=[f"r{n}" for n in range(2500)])
    run = t1.create_referrals(client, frame, campaign_id=45, usage_limit=3)
    assert run.counts["accepted"] == 2500
    assert codes(run) == on_the_server(client)
    assert run.codes.index.tolist() == frame.index.tolist()
    assert set(run.codes["usage_limit"]) == {3}
    assert str(run.codes["created"].dtype) == "datetime64[us, UTC]"
    assert len(sandbox.requests.of(CREATE)) == 3
    assert {request.query for request in sandbox.requests.of(CREATE)} == {"silent=no"}


@pytest.mark.parametrize("form", ["list", "series", "csv"])
def test_advocates_come_as_a_list_a_column_or_a_file(client: t1.Client, tmp_path: Path, form: str) -> None:
    (tmp_path / "a.csv").write_text("integration_id,other\n007,x\n008,y\n")
    data: Any = {"list": ["007", "008"], "series": pd.Series(["007", "008"]), "csv": tmp_path / "a.csv"}[form]
    run = t1.create_referrals(client, data, campaign_id=45)
    assert run.codes["integration_id"].tolist() == ["007", "008"]


def test_an_advocate_in_two_rows_gets_two_codes(client: t1.Client) -> None:
    run = t1.create_referrals(client, ["a", "b", "a"], campaign_id=45)
    assert len(set(run.codes["code"])) == 3
    assert {name: sorted(found) for name, found in codes(run).items()} == {
        name: sorted(found) for name, found in on_the_server(client).items()
    }


def test_terms_reach_the_server_as_they_were_given(sandbox: t1.Sandbox, client: t1.Client) -> None:
    run = t1.create_referrals(
        client,
        ["a"],
        campaign_id=45,
        usage_limit=0,
        start_date="2026-01-01T00:00:00+01:00",
        expiry_date="2099-12-31T00:00:00Z",
        pattern="HI-####-##",
        valid_characters="AB",
    )
    sent = json.loads(sandbox.requests.of(CREATE)[0].body or b"")
    assert sent == {
        "campaignId": 45,
        "usageLimit": 0,
        "startDate": "2026-01-01T00:00:00+01:00",
        "expiryDate": "2099-12-31T00:00:00Z",
        "referralPattern": "HI-####-##",
        "validCharacters": ["A", "B"],
        "advocateProfileIntegrationIds": ["a"],
    }
    assert run.codes["code"].str.fullmatch("HI-[AB]{4}-[AB]{2}").all()


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"campaign_id": 0}, "campaign_id"),
        ({"usage_limit": 1_000_000}, "valid are 0 .no limit. to 999,999"),
        ({"expiry_date": "2020-01-01T00:00:00Z"}, "past already"),
        ({"start_date": "2099-01-02T00:00:00Z", "expiry_date": "2099-01-01T00:00:00Z"}, "before the start"),
        ({"expiry_date": "2099-01-01T00:00:00"}, "no zone"),
        ({"expiry_date": "tomorrow"}, "no time in RFC 3339"),
        ({"pattern": "A#"}, "valid are 4 to 100"),
        ({"pattern": "ABC#"}, "room for 36 codes"),
        ({"valid_characters": ["AB"]}, "single characters"),
    ],
)
def test_terms_that_cannot_be_meant_are_refused_before_anything_is_sent(
    sandbox: t1.Sandbox, client: t1.Client, terms: dict[str, Any], said: str
) -> None:
    with pytest.raises(t1.errors.InputError, match=said):
        t1.create_referrals(client, ["a", "b", "c", "d"], **{"campaign_id": 45, **terms})
    assert not sandbox.requests


def test_an_unknown_campaign_is_the_servers_no_for_every_row_and_nothing_is_tried_again(sandbox: t1.Sandbox) -> None:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as client:  # without a key to look it up beforehand
        run = t1.create_referrals(client, ADVOCATES[:50], campaign_id=99)
    assert run.counts["refused"] == 50
    assert len(sandbox.requests.of(CREATE)) == 1
    assert run.codes.empty


@pytest.mark.parametrize("fault", [Reset("after"), Half(0.5)])
def test_a_lost_answer_is_never_sent_again_by_itself_and_reconcile_finds_the_codes(
    sandbox: t1.Sandbox, client: t1.Client, fault: Any
) -> None:
    sandbox.faults.add(fault, on=CREATE, nth=2)
    first = t1.create_referrals(client, ADVOCATES, campaign_id=45, connections=1)
    assert (first.counts["accepted"], first.counts["in_doubt"]) == (1500, 1000)
    assert len(sandbox.requests.of(CREATE)) == 3
    again = t1.resume(client, first.id, data=ADVOCATES)
    assert again.counts == first.counts, "a resume must not touch what is in doubt"
    assert len(sandbox.requests.of(CREATE)) == 3
    settled = t1.reconcile(client, first.id, data=ADVOCATES, application_id=1)
    assert settled.counts["accepted"] == 2500
    assert codes(settled) == on_the_server(client)
    assert set(map(len, on_the_server(client).values())) == {1}


def test_an_answer_that_no_server_of_the_api_gives_stops_the_run(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.faults.add(Raw(b"HTTP/1.1 701 Hello\r\nContent-Length: 0\r\n\r\n"), on=CREATE, nth=2)
    run = t1.create_referrals(client, ADVOCATES, campaign_id=45, connections=1)
    assert (run.counts["accepted"], run.counts["in_doubt"], run.counts["unsent"]) == (1000, 1000, 500)
    assert len(sandbox.requests.of(CREATE)) == 2


def test_what_certainly_was_not_made_is_unsent_after_reconcile_and_a_resume_makes_it(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    sandbox.faults.add(Reset("before"), on=CREATE, nth=1)
    first = t1.create_referrals(client, ADVOCATES[:1500], campaign_id=45, connections=1)
    assert first.counts["in_doubt"] == 1000
    settled = t1.reconcile(client, first.id, data=ADVOCATES[:1500], application_id=1)
    assert (settled.counts["accepted"], settled.counts["unsent"]) == (500, 1000)
    done = t1.resume(client, first.id, data=ADVOCATES[:1500])
    assert done.counts["accepted"] == 1500
    assert codes(done) == on_the_server(client)
    assert set(map(len, on_the_server(client).values())) == {1}


def test_reconcile_by_inventories_leaves_in_doubt_what_no_inventory_can_show(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    for advocate in ("a", "b"):
        client.update_customer_profile_v2(advocate, {})
    sandbox.faults.add(Reset("after"), on=CREATE, first=1)
    first = t1.create_referrals(client, ["a", "ghost", "b"], campaign_id=45)
    assert first.counts["in_doubt"] == 3
    settled = t1.reconcile(client, first.id, data=["a", "ghost", "b"])
    assert settled.outcomes["outcome"].tolist() == ["accepted", "in_doubt", "accepted"]
    assert set(codes(settled)) == {"a", "b"}


@pytest.mark.parametrize("application_id", [None, 1])
@pytest.mark.parametrize("when", ["before", "after"])
def test_reconcile_never_credits_a_run_with_the_codes_of_another(
    sandbox: t1.Sandbox, client: t1.Client, application_id: int | None, when: Any
) -> None:
    advocates = ["a", "b", "c"]
    for advocate in advocates:
        client.update_customer_profile_v2(advocate, {})
    earlier = codes(t1.create_referrals(client, advocates, campaign_id=45))
    sandbox.faults.add(Reset(when), on=CREATE, first=1)
    run = t1.create_referrals(client, advocates, campaign_id=45)
    settled = t1.reconcile(client, run.id, data=advocates, application_id=application_id)
    assert not set(settled.codes["code"]) & {code for found in earlier.values() for code in found}
    expected = "unsent" if when == "before" else "accepted"
    assert settled.counts[expected] == 3


def test_a_code_of_the_same_letters_in_a_rehearsal_is_not_the_one_that_is_looked_for(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    with t1.Sandbox(seed=7) as elsewhere:
        elsewhere.load(SEED)
        with t1.Client(elsewhere.base_url, elsewhere.api_key, rate=None) as other:
            rehearsed = codes(t1.create_referrals(other, ["a"], campaign_id=45))
    client.update_customer_profile_v2("a", {})
    sandbox.faults.add(Reset("after"), on=CREATE, first=1)
    run = t1.create_referrals(client, ["a"], campaign_id=45)
    assert on_the_server(client) == rehearsed, "both make their codes from the same seed"
    settled = t1.reconcile(client, run.id, data=["a"])
    assert settled.counts["accepted"] == 1
    assert codes(settled) == rehearsed


@pytest.mark.parametrize(("campaign_id", "outcome"), [(46, "accepted"), (45, "unsent"), (None, "unsent")])
def test_a_code_that_another_run_of_the_same_campaign_made_is_taken_and_one_of_another_campaign_is_not(
    sandbox: t1.Sandbox, client: t1.Client, campaign_id: int | None, outcome: str
) -> None:
    client.update_customer_profile_v2("a", {})
    sandbox.faults.add(Reset("after"), on=CREATE, first=1)
    run = t1.create_referrals(client, ["a"], campaign_id=45)
    ((code,),) = on_the_server(client).values()
    body = {"data": [{"advocateProfileIntegrationId": "a", "code": code, "campaignId": campaign_id}]}
    sandbox.load({"campaigns": [{"id": 46, "name": "Others", "features": ["referrals"]}]})
    sandbox.faults.add(Status(201, body=body), on=CREATE, first=1)
    assert codes(t1.create_referrals(client, ["a"], campaign_id=46)) == {"a": [code]}
    assert t1.reconcile(client, run.id, data=["a"]).counts[outcome] == 1


def test_a_code_of_other_terms_is_not_taken_for_ours(sandbox: t1.Sandbox, client: t1.Client) -> None:
    client.update_customer_profile_v2("a", {})
    sandbox.faults.add(Reset("before"), on=CREATE, first=1)
    run = t1.create_referrals(client, ["a"], campaign_id=45, pattern="XX-######")
    client.create_referral({"campaignId": 45, "advocateProfileIntegrationId": "a", "usageLimit": 1})
    settled = t1.reconcile(client, run.id, data=["a"])
    assert settled.counts["unsent"] == 1
    assert settled.codes.empty


def test_a_code_from_about_the_time_of_the_request_leaves_the_row_in_doubt(
    sandbox: t1.Sandbox, client: t1.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.update_customer_profile_v2("a", {})
    client.create_referral({"campaignId": 45, "advocateProfileIntegrationId": "a", "usageLimit": 1})
    sandbox.faults.add(Reset("before"), on=CREATE, first=1)
    run = t1.create_referrals(client, ["a"], campaign_id=45)
    with sqlite3.connect(run.journal) as db:
        db.execute("UPDATE batch SET started_at = started_at + 30")
    db.close()
    settled = t1.reconcile(client, run.id, data=["a"])
    assert settled.counts["in_doubt"] == 1
    assert "not certain that it is this one" in settled.outcomes["message"][1]


def test_a_row_that_an_answer_left_out_is_not_given_an_older_code(sandbox: t1.Sandbox, client: t1.Client) -> None:
    for advocate in ("a", "b"):
        client.update_customer_profile_v2(advocate, {})
    older = client.create_referral({"campaignId": 45, "advocateProfileIntegrationId": "b", "usageLimit": 1})
    sandbox.faults.add(Status(201, body=json.loads(_answer("a")), when="before"), on=CREATE)
    run = t1.create_referrals(client, ["a", "b"], campaign_id=45)
    assert run.outcomes["outcome"].tolist() == ["accepted", "in_doubt"]
    with sqlite3.connect(run.journal) as db:
        db.execute("UPDATE batch SET started_at = started_at + 30")  # the older code was made well before
    db.close()
    settled = t1.reconcile(client, run.id, data=["a", "b"])
    assert settled.counts["in_doubt"] == 1
    assert older["code"] not in set(settled.codes["code"])


def test_an_advocate_that_no_inventory_can_show_is_told_what_to_do(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.faults.add(Reset("after"), on=CREATE, first=1)
    run = t1.create_referrals(client, ["ghost"], campaign_id=45)
    settled = t1.reconcile(client, run.id, data=["ghost"])
    assert settled.counts["in_doubt"] == 1
    assert "application_id=" in settled.outcomes["message"][1]
    assert t1.reconcile(client, run.id, data=["ghost"], application_id=1).counts["accepted"] == 1


def test_resending_what_is_in_doubt_needs_the_users_word_and_then_makes_second_codes(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    sandbox.faults.add(Reset("after"), on=CREATE, first=1)
    first = t1.create_referrals(client, ["a", "b"], campaign_id=45)
    assert first.counts["in_doubt"] == 2
    second = t1.resume(client, first.id, data=["a", "b"], resend_in_doubt=True)
    assert second.counts["accepted"] == 2
    assert Counter(map(len, on_the_server(client).values())) == {2: 2}


def _answer(*advocates: str) -> bytes:
    data = [
        {
            "id": n,
            "campaignId": 45,
            "code": f"CODE{n}",
            "advocateProfileIntegrationId": name,
            "created": "0001-01-01T00:00:00Z",
        }
        for n, name in enumerate(advocates)
    ]
    return json.dumps({"totalResultSize": len(data), "data": data, "surprise": 1}).encode()


@pytest.mark.parametrize(
    ("answered", "outcomes", "reasons"),
    [
        (["c", "a", "b"], ["accepted"] * 3, []),
        (["b", "a"], ["accepted", "accepted", "in_doubt"], ["not_in_answer"]),
        (["a", "b", "c", "x", "a"], ["accepted"] * 3, []),
        ([], ["in_doubt"] * 3, ["not_in_answer"]),
    ],
)
def test_an_answer_with_fewer_more_or_other_advocates_loses_no_code(
    sandbox: t1.Sandbox, client: t1.Client, answered: list[str], outcomes: list[str], reasons: list[str]
) -> None:
    sandbox.faults.add(Status(201, body=json.loads(_answer(*answered)), when="after"), on=CREATE)
    run = t1.create_referrals(client, ["a", "b", "c"], campaign_id=45)
    assert run.outcomes["outcome"].tolist() == outcomes
    assert run.failures["reason"].unique().tolist() == reasons
    assert set(codes(run)) == {"a", "b", "c"} & set(answered)
    kept = [body for _, body in run.raw_answers()]
    assert len(kept) == 1
    assert {item["code"] for item in json.loads(kept[0])["data"]} == {f"CODE{n}" for n in range(len(answered))}


@pytest.mark.parametrize(
    "fault",
    [
        Status(204, when="after"),
        Status(201, body="<html>hello</html>", when="after"),
        Status(201, body={"data": "soon"}, when="after"),
        Status(500, when="after"),
        Status(503, when="after"),
    ],
)
def test_an_answer_without_codes_is_in_doubt_and_its_bytes_are_kept(
    sandbox: t1.Sandbox, client: t1.Client, fault: Status
) -> None:
    sandbox.faults.add(fault, on=CREATE)
    run = t1.create_referrals(client, ["a", "b"], campaign_id=45)
    assert run.counts["in_doubt"] == 2
    assert len(sandbox.requests.of(CREATE)) == 1
    assert len(on_the_server(client)) == 2
    if fault.code != 204:
        assert len(run.raw_answers()) == 1


def test_a_refused_key_leaves_rows_unsent_and_a_mended_one_goes_on(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.faults.add(Status(401), on=CREATE, nth=2)
    first = t1.create_referrals(client, ADVOCATES, campaign_id=45, connections=1)
    assert (first.counts["accepted"], first.counts["unsent"]) == (1000, 1500)
    done = t1.resume(client, first.id, data=ADVOCATES)
    assert done.counts["accepted"] == 2500
    assert codes(done) == on_the_server(client)


def test_a_run_read_again_has_its_codes(client: t1.Client, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("integration_id\n007\n008\n")
    run = t1.create_referrals(client, tmp_path / "a.csv", campaign_id=45)
    pd.testing.assert_frame_equal(t1.open_run(run.id).codes, run.codes)


def test_other_terms_are_another_job(client: t1.Client, tmp_path: Path) -> None:
    t1.create_referrals(client, ["a"], campaign_id=45, journal=tmp_path / "j.sqlite")
    with pytest.raises(t1.errors.JournalError, match=r"the mapping \(terms\)"):
        t1.create_referrals(client, ["a"], campaign_id=45, usage_limit=2, journal=tmp_path / "j.sqlite")


def test_a_run_without_codes_says_so(client: t1.Client) -> None:
    run = t1.upsert_profiles(client, pd.DataFrame({"integration_id": ["a"], "Name": ["Ada"]}))
    with pytest.raises(AttributeError, match="brings no codes"):
        _ = run.codes


def test_an_upsert_is_resumed_and_not_reconciled(client: t1.Client) -> None:
    run = t1.upsert_profiles(client, pd.DataFrame({"integration_id": ["a"], "Name": ["Ada"]}))
    with pytest.raises(t1.errors.JournalError, match="resume it instead"):
        t1.reconcile(client, run.id)


def test_a_campaign_that_is_not_there_or_gives_no_codes_is_told_before_anything_is_sent(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    sandbox.load({"campaigns": [{"id": 46, "name": "Coupons only", "features": ["coupons"]}]})
    for campaign_id, words in ((9999, "no campaign 9999"), (46, "Coupons only.*does not give referral codes")):
        with pytest.raises(t1.errors.InputError, match=words):
            t1.create_referrals(client, ["ada"], campaign_id=campaign_id)
        with pytest.raises(t1.errors.InputError, match=words):
            t1.plan_referrals(client, ["ada"], campaign_id=campaign_id)
    assert CREATE not in {request.operation for request in sandbox.requests}


def test_numbers_out_of_a_frame_are_numbers(client: t1.Client) -> None:
    numbers = pd.DataFrame({"campaign": [45], "uses": [3]})
    run = t1.create_referrals(client, ["ada"], campaign_id=numbers["campaign"][0], usage_limit=numbers["uses"][0])
    assert run.codes["usage_limit"].tolist() == [3]


def test_a_sheet_of_a_workbook_is_read_again_by_those_who_look_for_its_codes(client: t1.Client, tmp_path: Path) -> None:
    path = tmp_path / "advocates.xlsx"
    with pd.ExcelWriter(path, engine="xlsxwriter") as book:
        pd.DataFrame({"integration_id": ["nobody"]}).to_excel(book, sheet_name="Old", index=False)
        pd.DataFrame({"integration_id": ["ada", "eve"]}).to_excel(book, sheet_name="New", index=False)
    with pytest.raises(t1.errors.InputError, match="Say which one is meant: sheet="):
        t1.plan_referrals(client, path, campaign_id=45)
    run = t1.create_referrals(client, path, campaign_id=45, sheet="New")
    assert t1.open_run(run.id).goods("codes")["integration_id"].tolist() == ["ada", "eve"]


def test_a_text_file_of_another_encoding_is_read_when_it_is_said(client: t1.Client, tmp_path: Path) -> None:
    path = tmp_path / "advocates.csv"
    path.write_bytes("integration_id|x\nJürgen|1\n".encode("cp1252"))
    words = {"encoding": "cp1252", "delimiter": "|"}
    assert list(codes(t1.create_referrals(client, path, campaign_id=45, **words))) == ["Jürgen"]
