"""Reservations of coupons: made, taken back and read, one outcome a row. Judged by the sandbox and another ledger."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pandas as pd
import pytest
from fault_server import Caller, FaultServer, answer, head
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.sandbox import Options, Reset, Status

RESERVE, RELEASE, HOLDERS = "create_coupon_reservation", "delete_coupon_reservation", "get_reserved_customers"
ODD = ["SUMMER25%OFF", "a/b?c#d", "zwei Wörter", "ÄÖÜ-ß", "100%25", "+&=;"]
SEED = {
    "campaigns": [
        {
            "id": 46,
            "name": "Coupons",
            "features": ["coupons"],
            "coupons": [{"value": code} for code in ("SUMMER", *ODD)],
        }
    ],
    "attributes": [{"entity": "CustomerProfile", "name": "Tier", "type": "string"}],
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
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
        yield made


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))


def pairs(*rows: tuple[Any, Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["coupon", "integration_id"], dtype="string")


def reserved(client: t1.Client, code: str) -> int:
    """How many customers hold a coupon: the sandbox counts them where it answers a reservation."""
    return int(client.create_coupon_reservation(code, {"integrationIDs": []})["reservationCounter"])


# --- grouping, order and repeats, by another server's ledger ------------------------------------------------


class Reservations:
    """A server that keeps who holds what, and says no to codes that it does not have."""

    def __init__(self, *codes: str) -> None:
        self.held: dict[str, set[str]] = {code: set() for code in codes}
        self.sizes: dict[str, list[int]] = defaultdict(list)
        self._lock = threading.Lock()

    def __call__(self, caller: Caller) -> bool:
        caller.read_body()
        code = unquote(caller.entry.target.rpartition("/")[2])
        with self._lock:
            if code not in self.held:
                return say(caller, 404, {"message": "no such coupon"})
            if caller.entry.method == "GET":
                return say(caller, 200, {"data": [{"integrationId": who} for who in sorted(self.held[code])]})
            ids = caller.entry.json()["integrationIDs"]
            self.sizes[code].append(len(ids))
            self.held[code] = (
                self.held[code] - set(ids) if caller.entry.method == "DELETE" else self.held[code] | set(ids)
            )
        return say(caller, 204, None) if caller.entry.method == "DELETE" else say(caller, 201, {"value": code})


def say(caller: Caller, status: int, body: Any) -> bool:
    content = b"" if body is None else json.dumps(body).encode()
    length = {} if status == 204 else {"Content-Type": "application/json", "Content-Length": str(len(content))}
    caller.send(head(status, length) + content)
    return True


CODES = st.sampled_from(["A", "25%/ä b", "C"])


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.tuples(CODES, st.sampled_from("abcd")), min_size=1, max_size=30), taken=st.data())
def test_a_coupon_has_one_request_and_holds_exactly_its_customers_and_gives_up_exactly_those_released(
    rows: list[tuple[str, str]], taken: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    given_back = taken.draw(st.lists(st.sampled_from(rows), max_size=10))
    account = Reservations("A", "25%/ä b", "C")
    with FaultServer(account) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        plan = t1.plan_reservations(client, pairs(*rows))
        assert not server.ledger
        run = t1.reserve_coupons(client, pairs(*rows), journal=folder / "a.sqlite", progress=False)
        assert account.held == {code: {who for of, who in rows if of == code} for code in account.held}
        assert plan.requests == len(server.ledger) == len({code for code, _ in rows})
        assert (plan.ready, plan.collapsed) == (len(set(rows)), len(rows) - len(set(rows)))
        assert sum(map(sum, account.sizes.values())) == len(set(rows)), "a pair that stands twice goes out once"
        assert run.counts["accepted"] == len(rows)
        assert run.outcomes["integration_id"].tolist() == [who for _, who in rows]
        if given_back:
            t1.release_coupons(client, pairs(*given_back), journal=folder / "b.sqlite", progress=False)
    left = set(rows) - set(given_back)
    assert account.held == {code: {who for of, who in left if of == code} for code in account.held}


def test_a_coupon_of_many_customers_is_cut_at_a_thousand(client: t1.Client) -> None:
    account = Reservations("A", "B")
    rows = [("AB"[n % 2], f"c{n}") for n in range(4600)]
    with FaultServer(account) as server, t1.Client(server.url, "a-key-of-16-letters", rate=10) as paced:
        plan = t1.plan_reservations(paced, pairs(*rows))
        paced.close()
        with t1.Client(server.url, "a-key-of-16-letters", rate=None) as fast:
            run = t1.reserve_coupons(fast, pairs(*rows))
    assert {code: sorted(sizes) for code, sizes in account.sizes.items()} == {c: [300, 1000, 1000] for c in "AB"}
    assert (plan.requests, plan.coupons, plan.seconds) == (6, 2, 0.6)
    assert run.counts["accepted"] == 4600


def test_codes_reach_the_server_as_they_stand_percent_encoded_once(sandbox: t1.Sandbox, client: t1.Client) -> None:
    run = t1.reserve_coupons(client, pairs(*((code, "ada") for code in ODD)))
    assert run.counts["accepted"] == len(ODD)
    seen = {request.path for request in sandbox.requests.of(RESERVE)}
    assert seen == {f"/v1/coupon_reservations/{quote(code, safe='')}" for code in ODD}
    assert [reserved(client, code) for code in ODD] == [1] * len(ODD)


# --- outcomes -----------------------------------------------------------------------------------------------


def test_a_coupon_that_is_not_there_costs_its_own_rows_only(sandbox: t1.Sandbox, client: t1.Client) -> None:
    rows = [("NONE", f"c{n}") for n in range(30)] + [("SUMMER", "ada"), ("NONE", "ada")]
    run = t1.reserve_coupons(client, pairs(*rows))
    assert run.counts == {"accepted": 1, "invalid": 0, "refused": 31, "unsent": 0, "in_doubt": 0}
    assert run.failures["reason"].unique().tolist() == ["not_found"]
    assert len(sandbox.requests.of(RESERVE)) == 2
    assert t1.release_coupons(client, pairs(("NONE", "ada"))).failures["reason"].tolist() == ["not_found"]


def test_a_404_about_one_customer_costs_that_customer_only(tmp_path: Path) -> None:
    with t1.Sandbox(seed=1, options=Options(unknown_reservation_profile="reject")) as strict:
        strict.load(SEED)
        with t1.Client(strict.base_url, strict.api_key, rate=None) as client:
            good = [f"c{n}" for n in range(40)]
            t1.upsert_profiles(client, pd.DataFrame({"integration_id": good}), progress=False)
            rows = [("SUMMER", who) for who in (*good[:17], "ghost", *good[17:])]
            run = t1.reserve_coupons(client, pairs(*rows), progress=False)
            assert reserved(client, "SUMMER") == 40
            assert len(strict.requests.of(RESERVE)) < 20
    assert run.counts["accepted"] == 40
    assert run.failures[["integration_id", "outcome", "reason"]].values.tolist() == [["ghost", "refused", "not_found"]]
    assert "ghost" not in run.failures["message"].tolist()[0]


def test_what_no_url_can_name_and_what_is_missing_is_told_before_anything_is_sent(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    rows = [
        (".", "a"),
        ("..", "a"),
        (None, "a"),
        ("", "a"),
        (" X", "a"),
        ("SUMMER", None),
        ("SUMMER", "a\n"),
        ("X", "y"),
    ]
    plan = t1.plan_reservations(client, pairs(*rows))
    assert plan.problems["code"].tolist() == [
        "id_not_in_url", "id_not_in_url", "missing_code", "missing_code", "id_whitespace", "missing_id",
        "id_whitespace", "id_control_character",
    ]  # fmt: skip
    messages = plan.problems["message"].tolist()
    assert [message.split(" in column ")[0] for message in messages[:5]] == ["The code"] * 2 + [
        "The row has no code",
        "The row has no code",
        "The code",
    ]
    assert messages[6].startswith("The id in column integration_id begins or ends with a blank")
    assert (plan.ready, plan.invalid, plan.coupons) == (1, 7, 1)
    run = t1.reserve_coupons(client, pairs(*rows))
    assert (run.counts["invalid"], run.counts["refused"]) == (7, 1)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (
            pd.DataFrame({"coupon": [1.5], "integration_id": ["a"]}),
            {},
            "coupon: column 'coupon' .double. holds no codes",
        ),
        (pd.DataFrame({"coupon": ["A"], "integration_id": [1.5]}), {}, "id: column 'integration_id' holds floating"),
        (pd.DataFrame({"coupon": ["1.5E+10"], "integration_id": ["a"]}), {}, "coupon: .*allow_suspect_ids=True"),
        (pd.DataFrame({"code": ["A"], "integration_id": ["a"]}), {}, "coupon: there is no such column.*'code'"),
        (pd.DataFrame({"coupon": ["A"], "who": ["a"]}), {}, "id: there is no column 'integration_id'"),
        (pd.DataFrame({"coupon": ["A"]}), {"id": "coupon"}, "both are column 'coupon'"),
        (pd.DataFrame({"coupon": [], "integration_id": []}), {}, "no row"),
        ("nowhere.csv", {}, "nowhere.csv"),
    ],
)
def test_an_input_that_cannot_be_used_is_refused_in_words(
    sandbox: t1.Sandbox, client: t1.Client, data: Any, options: dict[str, Any], said: str
) -> None:
    for job in (t1.plan_reservations, t1.reserve_coupons, t1.release_coupons):
        with pytest.raises(t1.errors.InputError, match=said):
            job(client, data, **options)
    assert not sandbox.requests


def test_a_file_with_columns_of_other_names_and_codes_of_digits(client: t1.Client, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("who;code\n007;SUMMER\n007;SUMMER\n")
    run = t1.reserve_coupons(client, tmp_path / "a.csv", coupon="code", id="who")
    assert run.outcomes.index.tolist() == [1, 2]
    assert "the same as row 1" in run.outcomes["message"].tolist()[1]
    assert reserved(client, "SUMMER") == 1
    assert t1.open_run(run.id).outcomes.equals(run.outcomes)


# --- faults and resume --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Reset("before"), Reset("after"), Status(503, when="after")])
def test_a_lost_answer_is_asked_again_since_a_reservation_is_a_set(
    sandbox: t1.Sandbox, client: t1.Client, fault: Any
) -> None:
    sandbox.faults.add(fault, on=RESERVE, nth=1)
    run = t1.reserve_coupons(client, pairs(*(("SUMMER", f"c{n}") for n in range(1500))), connections=1)
    assert run.counts["accepted"] == 1500
    assert reserved(client, "SUMMER") == 1500


def test_a_run_that_was_stopped_goes_on_and_sends_no_batch_twice(sandbox: t1.Sandbox, client: t1.Client) -> None:
    frame = pairs(*((["SUMMER", ODD[0]][n % 2], f"c{n}") for n in range(4000)))
    sandbox.faults.add(Status(401), on=RESERVE, nth=3)
    first = t1.reserve_coupons(client, frame, connections=1)
    assert (first.counts["accepted"], first.counts["unsent"]) == (2000, 2000)
    done = t1.resume(client, first.id, data=frame)
    assert done.counts["accepted"] == 4000
    assert len(sandbox.requests.of(RESERVE)) == 5
    assert [reserved(client, code) for code in ("SUMMER", ODD[0])] == [2000, 2000]
    with pytest.raises(t1.errors.JournalError, match="the operation"):
        t1.release_coupons(client, frame, journal=first.journal)


# --- holders ------------------------------------------------------------------------------------------------


def hold(client: t1.Client) -> None:
    people = pd.DataFrame({"integration_id": ["ada", "grace", "ü/1"], "Tier": ["gold", None, "x"]}, dtype="string")
    t1.upsert_profiles(client, people, progress=False)
    rows = [("SUMMER", "ada"), ("SUMMER", "grace"), (ODD[1], "ü/1")]
    t1.reserve_coupons(client, pairs(*rows), progress=False)


def test_holders_come_home_one_line_each_and_an_unknown_coupon_is_said(sandbox: t1.Sandbox, client: t1.Client) -> None:
    hold(client)
    before = len(sandbox.requests)
    run = t1.fetch_reservations(client, [ODD[1], "NONE", "SUMMER", ODD[0], "SUMMER"])
    assert len(sandbox.requests) == before + 4, "a coupon that stands twice is read once"
    holders = run.holders
    assert holders[["coupon", "integration_id"]].values.tolist() == [
        [ODD[1], "ü/1"],
        ["SUMMER", "ada"],
        ["SUMMER", "grace"],
    ]
    assert holders["attributes.Tier"].fillna("").tolist() == ["x", "gold", ""]
    assert str(holders["created"].dtype) == "datetime64[us, UTC]"
    assert str(holders["closed_sessions"].dtype) == "Int64"
    assert run.outcomes["outcome"].tolist() == ["accepted", "refused", "accepted", "accepted", "accepted"]
    assert run.failures["reason"].tolist() == ["not_found"]
    assert t1.open_run(run.id, data=[ODD[1], "NONE", "SUMMER", ODD[0], "SUMMER"]).holders.equals(holders)


def test_reading_holders_goes_on_where_it_ended_and_is_never_in_doubt(sandbox: t1.Sandbox, client: t1.Client) -> None:
    hold(client)
    codes = ["SUMMER", *ODD]
    sandbox.faults.add(Status(401), on=HOLDERS, nth=3)
    first = t1.fetch_reservations(client, codes, connections=1)
    assert (first.counts["accepted"], first.counts["unsent"], first.counts["in_doubt"]) == (2, 5, 0)
    done = t1.resume(client, first.id, data=codes)
    assert done.counts["accepted"] == 7
    assert len(sandbox.requests.of(HOLDERS)) == 8
    assert sorted(done.holders["integration_id"]) == ["ada", "grace", "ü/1"]


@pytest.mark.parametrize("body", [{"data": None}, {"data": [{"id": 1}]}, [], {"data": "x"}])
def test_an_answer_that_lists_no_holders_counts_as_none_read(body: Any) -> None:
    with FaultServer(answer(200, body)) as server, t1.Client(server.url, "a-key-of-16-letters") as client:
        run = t1.fetch_reservations(client, ["A"])
    assert run.counts["accepted"] == 0
    assert "not built as a list of holders" in run.outcomes["message"].tolist()[0]
    assert run.holders.empty
    assert len(run.raw_answers()) == 1


def test_an_answer_that_counts_more_holders_than_it_lists_says_so() -> None:
    short = {"totalResultSize": 5000, "data": [{"integrationId": "a", "attributes": {"N": 1, "L": ["x"]}}]}
    with FaultServer(answer(200, short)) as server, t1.Client(server.url, "a-key-of-16-letters") as client:
        run = t1.fetch_reservations(client, ["A"])
    assert run.outcomes["message"].tolist() == ["the answer counts 5,000 holders and lists 1"]
    assert run.holders[["attributes.L", "attributes.N"]].values.tolist() == [[["x"], 1]]


def test_values_of_odd_types_cost_no_holder() -> None:
    odd = {"integrationId": 7, "id": "x", "created": 5, "closedSessions": 2.5, "totalSales": "1.5", "attributes": []}
    whole = {"integrationId": "a", "id": 1, "created": "0001-01-01T00:00:00Z", "closedSessions": 3, "totalSales": 2}
    with (
        FaultServer(answer(200, {"data": [odd, whole]})) as server,
        t1.Client(server.url, "a-key-of-16-letters") as client,
    ):
        holders = t1.fetch_reservations(client, ["A"]).holders
    assert holders["integration_id"].tolist() == ["7", "a"]
    assert holders["total_sales"].tolist() == [1.5, 2.0]
    assert holders.loc[0, ["profile_id", "created", "closed_sessions", "last_activity"]].isna().all()
    assert holders.loc[1, ["profile_id", "closed_sessions"]].tolist() == [1, 3]
    assert str(holders["created"][1]) == "0001-01-01 00:00:00+00:00"


def test_a_run_without_holders_says_so(client: t1.Client) -> None:
    run = t1.reserve_coupons(client, pairs(("SUMMER", "ada")))
    with pytest.raises(AttributeError, match="brings no holders"):
        _ = run.holders
