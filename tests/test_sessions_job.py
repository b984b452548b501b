"""Sessions and carts from two flat inputs: order, grouping and effects, judged by a ledger and by a sum done apart."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
from fault_server import Caller, Entry, FaultServer, answer, hang_up, head
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.bulk.effects import COLUMNS
from t1data.sandbox import Half, Reset, Status
from t1data.sessions.effects import CAMPAIGNS, TOTALS
from t1data.transport.retry import Limits

ROOT = Path(__file__).parents[1]
UPDATE = "update_customer_session_v2"
QUICK = Limits(attempts=2, first_backoff=0.01, last_backoff=0.01)
NOTHING = {"effects": [], "createdCoupons": [], "createdReferrals": []}


@pytest.fixture(scope="module")
def _running() -> Iterator[t1.Sandbox]:
    with t1.Sandbox(seed=7) as running:
        yield running


@pytest.fixture
def sandbox(_running: t1.Sandbox) -> t1.Sandbox:
    _running.reset()
    _running.faults.clear()
    _running.load(ROOT / "sample_data")
    return _running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None, limits=QUICK) as made:
        yield made


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))


def orders(count: int) -> pd.DataFrame:
    return pd.read_parquet(ROOT / "sample_data" / "orders.parquet").head(count)


def replayed(count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Real purchases as closed sessions with a coupon, each with one item."""
    found = orders(count)
    sessions = found[["order_id", "integration_id"]].assign(state="closed", coupon_code="SUMMER25%OFF")
    items = found[["order_id", "amount"]].rename(columns={"amount": "price"}).assign(sku="CDs", quantity=1)
    return sessions, items


def lines(*told: tuple[str, str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(told, columns=["session_id", "integration_id", "state"], dtype="string")


def carts(*told: tuple[str, str, object, object]) -> pd.DataFrame:
    return pd.DataFrame(told, columns=["session_id", "sku", "quantity", "price"])


def unreachable() -> t1.Client:
    """A client that could not send anything, for what is found before."""
    return t1.Client("http://127.0.0.1:9", "a-key-of-16-letters", rate=None)


def session_of(entry: Entry) -> str:
    return unquote(entry.target.partition("?")[0].rsplit("/", 1)[1])


def on_server(client: t1.Client, session: str) -> Any:
    return client.get_customer_session(session)["customerSession"]


# --- effects ------------------------------------------------------------------------------------------------


def test_a_thousand_real_carts_get_what_a_calculation_done_apart_says(client: t1.Client) -> None:
    sessions, items = replayed(1000)
    run = t1.update_sessions(client, sessions, items, id="order_id", dry=True)
    assert run.counts["accepted"] == 1000
    paid = {row.order_id: row.amount for row in orders(1000).itertuples()}
    due = {order: amount * 25 / 100 if amount >= 20 else Decimal(0) for order, amount in paid.items()}

    effects = run.effects
    granted = effects[effects["effect_type"] == "setDiscount"].set_index("session_id")["value"].to_dict()
    assert granted == {order: float(discount) for order, discount in due.items() if discount}
    points = effects[effects["effect_type"] == "addLoyaltyPoints"].set_index("session_id")["value"].to_dict()
    assert points == {order: float(amount) for order, amount in paid.items() if amount}
    refused = effects[effects["effect_type"] == "rejectCoupon"]
    assert set(refused["session_id"]) == {order for order, amount in paid.items() if amount < 20}
    assert set(refused["code"]) == {"SUMMER25%OFF"}

    totals = run.totals.set_index("session_id")
    assert totals["total"].to_dict() == {order: float(amount) for order, amount in paid.items()}
    assert totals["net"].to_dict() == {order: float(paid[order] - due[order]) for order in paid}

    (campaign,) = t1.summarise_effects(run).to_dict("records")
    assert campaign["discount"] == float(sum(due.values()))
    assert campaign["revenue"] == float(sum(paid.values()))
    assert campaign["sessions"] == sum(bool(amount) for amount in paid.values())
    assert campaign["share_of_revenue"] == 1.0
    assert campaign["discount_rate"] == float(sum(due.values()) / sum(paid.values()))


def test_a_what_if_run_changes_nothing_and_leaves_nothing_in_doubt(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.faults.add(Status(500), on=UPDATE, nth=3)
    sessions, items = replayed(20)
    run = t1.update_sessions(client, sessions, items, id="order_id", dry=True)
    assert (run.counts["accepted"], run.counts["in_doubt"]) == (20, 0)
    assert {request.query for request in sandbox.requests.of(UPDATE)} == {"dry=true"}
    for session in sessions["order_id"]:
        with pytest.raises(t1.errors.NotFoundError):
            client.get_customer_session(session)
    with pytest.raises(t1.errors.NotFoundError):
        client.get_customer_inventory("00005", profile=True)


def test_a_what_if_run_looks_at_campaigns_of_the_future(sandbox: t1.Sandbox, client: t1.Client) -> None:
    rule = {"name": "later", "when": {}, "then": [{"effect": "setDiscount", "name": "LATER", "amount": 3}]}
    sandbox.load({"campaigns": [{"id": 9, "name": "Later", "start_time": "2098-01-01T00:00:00Z", "rules": [rule]}]})
    data = lines(("s", "ada", "open")), carts(("s", "a", 1, 10))
    now = t1.update_sessions(client, *data, dry=True)
    then = t1.update_sessions(client, *data, dry=True, now="2098-06-01T12:00:00+02:00")
    assert now.effects.empty
    assert then.effects[["campaign", "value"]].to_numpy().tolist() == [["Later", 3.0]]
    assert sandbox.requests.of(UPDATE)[-1].query == "dry=true&now=2098-06-01T10%3A00%3A00Z"


def test_effects_stand_on_the_rows_of_the_input_and_are_the_same_when_read_again(client: t1.Client) -> None:
    sessions, items = replayed(8)
    sessions.index = pd.Index([f"row {n}" for n in range(8)], name="label")
    run = t1.update_sessions(client, sessions, items, id="order_id")
    assert set(run.effects.index) == set(sessions.index)
    assert (sessions["order_id"][run.effects.index] == run.effects["session_id"]).all()
    again = t1.open_run(run.id, data=(sessions, items))
    pd.testing.assert_frame_equal(again.effects, run.effects)
    pd.testing.assert_frame_equal(again.totals, run.totals)
    without = t1.open_run(run.id).effects  # by what the answers tell
    assert without["session_id"].tolist() == run.effects["session_id"].tolist()
    assert without["integration_id"].tolist() == run.effects["integration_id"].tolist()


def test_frames_without_a_line_have_the_same_columns(client: t1.Client) -> None:
    run = t1.update_sessions(client, lines(("s", "ada", "open")))
    assert run.effects.dtypes.map(str).to_dict() == COLUMNS
    assert run.totals.dtypes.map(str).to_dict() == TOTALS
    assert t1.summarise_effects(run).dtypes.map(str).to_dict() == CAMPAIGNS
    with FaultServer(answer(400, {"message": "no"})) as server, t1.Client(server.url, "a-key-of-16-letters") as other:
        refused = t1.update_sessions(other, lines(("s", "ada", "open")))
    assert refused.totals.empty
    assert refused.totals.dtypes.map(str).to_dict() == TOTALS


def test_a_session_counts_once_as_it_stands_after_its_last_line(client: t1.Client) -> None:
    told = lines(("s", "ada", "open"), ("t", "ada", "closed"), ("s", "ada", "closed"), ("t", "ada", "cancelled"))
    run = t1.update_sessions(client, told, carts(("s", "a", 2, 10.5), ("t", "b", 1, 5)))
    assert run.counts["accepted"] == 4
    assert run.totals[["session_id", "state", "points"]].to_numpy().tolist() == [
        ["s", "closed", 21],
        ["t", "cancelled", 0],
    ]
    (campaign,) = t1.summarise_effects(run).to_dict("records")
    assert (campaign["sessions"], campaign["points"], campaign["revenue"]) == (1, 21.0, 21.0)


@pytest.mark.parametrize("body", [{}, {"effects": "none"}, [1]])
def test_an_answer_without_effects_is_in_doubt_and_its_bytes_are_kept(body: Any) -> None:
    with FaultServer(answer(200, body)) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        run = t1.update_sessions(client, lines(("s", "ada", "open")))
    assert run.failures["reason"].tolist() == ["not_in_answer"]
    assert [json.loads(kept) for _, kept in run.raw_answers()] == [body]
    assert run.effects.empty


# --- what is sent, and in which order -----------------------------------------------------------------------


def test_every_line_goes_out_once_with_its_cart_and_no_value_is_changed() -> None:
    told = pd.DataFrame(
        {
            "session_id": ["a/b %", "2"],
            "integration_id": ["007", None],
            "state": ["open", None],
            "coupon_codes": [["X", "Y"], []],
            "attributes.Note": ['say "hi"', None],
            "additional_costs.shipping": [Decimal("4.90"), None],
        }
    )
    items = pd.DataFrame(
        {
            "session_id": ["2", "a/b %", "2"],
            "sku": ["x", "y", "z"],
            "quantity": [1, 10_000, 3],
            "price": ["0.10", "123456789012.345678", "5"],
            "product": ["Album", None, None],
            "attributes.Genre": ["Jazz", None, "Rock"],
        }
    )
    before = told.copy(deep=True), items.copy(deep=True)
    with FaultServer(answer(200, NOTHING)) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        run = t1.update_sessions(client, told, items, connections=1)
    assert run.counts["accepted"] == 2
    assert [entry.target for entry in server.ledger] == ["/v2/customer_sessions/a%2Fb%20%25", "/v2/customer_sessions/2"]
    first, second = (json.loads(entry.body, parse_float=str)["customerSession"] for entry in server.ledger)
    assert first == {
        "profileId": "007",
        "state": "open",
        "couponCodes": ["X", "Y"],
        "attributes": {"Note": 'say "hi"'},
        "additionalCosts": {"shipping": {"price": "4.90"}},
        "cartItems": [{"sku": "y", "quantity": 10_000, "price": "123456789012.345678"}],
    }
    assert second["couponCodes"] == []
    assert [item["sku"] for item in second["cartItems"]] == ["x", "z"]
    assert second["cartItems"][0] == {
        "sku": "x",
        "quantity": 1,
        "price": "0.10",
        "product": {"name": "Album"},
        "attributes": {"Genre": "Jazz"},
    }
    assert second.keys() == {"couponCodes", "cartItems"}
    pd.testing.assert_frame_equal(told, before[0])
    pd.testing.assert_frame_equal(items, before[1])


class Watched:
    """A server's act that counts how many requests of one customer are in it at once."""

    def __init__(self) -> None:
        self.most = 0
        self._now: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def __call__(self, caller: Caller) -> bool:
        caller.read_body()
        customer = caller.entry.json()["customerSession"].get("profileId", session_of(caller.entry))
        with self._lock:
            self._now[customer] += 1
            self.most = max(self.most, self._now[customer])
        caller.closing.wait(0.003)
        with self._lock:
            self._now[customer] -= 1
        content = json.dumps(NOTHING).encode()
        caller.send(head(200, {"Content-Type": "application/json", "Content-Length": str(len(content))}) + content)
        return True


def test_requests_of_one_customer_go_one_after_the_other_and_in_order() -> None:
    told = lines(
        *((f"{n % 5}-{n}", f"c{n % 5}", "closed") for n in range(60)), ("x", None, "open"), ("x", "c1", "closed")
    )
    act = Watched()
    with FaultServer(act) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        run = t1.update_sessions(client, told, connections=8)
    assert run.counts["accepted"] == 62
    assert act.most == 1
    arrived = [session_of(entry) for entry in server.ledger]
    assert sorted(arrived) == sorted(told["session_id"])
    for customer, sessions in told.groupby("integration_id")["session_id"]:
        mine = [name for name in arrived if name in set(sessions) - {"x"}]
        assert mine == [name for name in sessions if name != "x"], customer
    assert [json.loads(e.body)["customerSession"]["state"] for e in server.ledger if session_of(e) == "x"] == [
        "open",
        "closed",
    ]


def test_a_line_without_a_clear_answer_holds_back_the_later_ones_of_its_customer(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    told = lines(("s", "ada", "open"), ("t", "bob", "open"), ("s", "ada", "closed"))
    sandbox.faults.add(Status(500), on=UPDATE, first=2)  # as often as one request is tried
    run = t1.update_sessions(client, told, connections=1)
    assert run.outcomes["outcome"].tolist() == ["in_doubt", "accepted", "unsent"]
    done = t1.resume(client, run.id, data=told)
    assert done.counts["accepted"] == 3
    assert on_server(client, "s")["state"] == "closed"


SKUS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
CARTS = st.lists(
    st.tuples(st.integers(0, 3), SKUS, st.integers(1, 10), st.decimals("0", "1000", places=2)), max_size=12, unique=True
)


@settings(max_examples=12, deadline=None)
@given(CARTS, st.integers(1, 5))
def test_every_item_arrives_in_the_cart_of_its_session_in_order_and_as_it_was(
    told: list[tuple[int, str, int, Decimal]], connections: int
) -> None:
    sessions = lines(*((f"s{n}", f"c{n % 2}", "open") for n in range(4)))
    items = pd.DataFrame(told, columns=["session_id", "sku", "quantity", "price"]).astype({"price": "string"})
    items = items.assign(session_id="s" + items["session_id"].astype("string"))
    with FaultServer(answer(200, NOTHING)) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        run = t1.update_sessions(client, sessions, items if told else None, connections=connections, progress=False)
    assert run.counts["accepted"] == 4
    arrived = {session_of(entry): json.loads(entry.body, parse_float=str)["customerSession"] for entry in server.ledger}
    assert len(server.ledger) == 4
    for n in range(4):
        mine = [{"sku": sku, "quantity": units, "price": str(price)} for at, sku, units, price in told if at == n]
        assert arrived[f"s{n}"].get("cartItems", []) == mine


# --- what cannot be sent ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "codes"),
    [
        (["open", "open", "closed", "cancelled"], [None, "same_row", None, None]),
        (["cancelled", "closed"], [None, "bad_transition"]),
        (["closed", "open", "closed"], [None, "bad_transition", "earlier_line"]),
        (["open", "cancelled", "open"], [None, None, "bad_transition"]),
        (["closed", "closed"], [None, "same_row"]),
        (["partially_returned", "closed"], ["bad_state", "earlier_line"]),
        (["Open"], ["bad_state"]),
        ([None, "closed"], [None, None]),
        (["closed", None], [None, "bad_transition"]),
    ],
)
def test_the_states_of_a_session_are_held_against_each_other(states: list[str | None], codes: list[str | None]) -> None:
    with FaultServer(answer(200, NOTHING)) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        told = lines(*(("s", "ada", state) for state in states))
        run = t1.update_sessions(client, told)
    expected = ["accepted" if code in (None, "same_row") else "invalid" for code in codes]
    assert run.outcomes["outcome"].tolist() == expected
    assert [code for code in run.outcomes["reason"] if isinstance(code, str)] == [
        code for code in codes if code not in (None, "same_row")
    ]
    assert len(server.ledger) == codes.count(None)


@pytest.mark.parametrize(
    ("column", "cells", "code"),
    [
        ("coupon_codes", [["a", "b"], [], None, ["x" * 100, "x" * 101]], "bad_codes"),
        ("coupon_codes", ['["a"]', "[]", "", json.dumps(["x" * 101])], "bad_codes"),
        ("identifiers", [list("abcde"), [], None, list("abcdef")], "bad_identifiers"),
        ("identifiers", ["[]", '["a"]', "", "[" * 100_000], "bad_json"),
        ("loyalty_cards", [["a"], [], None, ["a", "b"]], "bad_cards"),
        ("evaluable_campaign_ids", ["[1, 2]", "[]", "", "[1.5]"], "bad_campaigns"),
        ("store_integration_id", ["x" * 1000, "", None, "x" * 1001], "id_too_long"),
    ],
)
def test_a_session_holds_no_more_than_the_api_takes(column: str, cells: list[Any], code: str) -> None:
    frame = pd.DataFrame({"session_id": list("abcd"), "integration_id": list("abcd"), column: cells})
    with FaultServer(answer(200, NOTHING)) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        run = t1.update_sessions(client, frame, progress=False)
        assert len(server.ledger) == 3
    assert run.outcomes["reason"].fillna("").tolist() == ["", "", "", code]


def test_a_transition_that_is_not_possible_is_told_with_its_rows() -> None:
    told = lines(("s", "ada", "cancelled"), ("t", "bob", "open"), ("s", "ada", "closed"))
    (message,) = t1.plan_sessions(unreachable(), told).problems["message"]
    assert message == "The session cannot go from cancelled (row 0) to closed."


def test_a_what_if_run_sees_each_line_alone() -> None:
    told = lines(("s", "ada", "closed"), ("s", "ada", "open"), ("s", "ada", "cancelled"))
    problems = t1.plan_sessions(unreachable(), told, dry=True).problems
    assert problems["code"].tolist() == ["bad_transition"]
    assert "which sees each line by itself" in problems["message"][0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("st"), st.sampled_from(["open", "closed", "cancelled"])), max_size=8))
def test_what_is_sent_of_a_session_is_always_a_way_it_can_go(told: list[tuple[str, str]]) -> None:
    from t1data.sessions.order import NEXT, Histories, Said

    histories, sent = Histories(), defaultdict(list)
    for row, (session, state) in enumerate(told):
        if histories.judge(session, Said(row, None, state, state.encode())) is None:
            sent[session].append(state)
    for states in sent.values():
        assert all(after in NEXT[before] for before, after in pairwise(states))
    assert {session: states[0] for session, states in sent.items()} == {s: state for s, state in reversed(told)}


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (("s", "a", 0, 1), "bad_quantity"),
        (("s", "a", 10_001, 1), "bad_quantity"),
        (("s", "a", 1.5, 1), "bad_quantity"),
        (("s", "a", 1, -0.01), "bad_price"),
        (("s", "a", 1, 1e16), "bad_price"),
        (("s", "a", 1, float("inf")), "not_finite"),
        (("s", "", 1, 1), "missing_value"),
        (("s", "a", None, 1), "missing_value"),
        (("s", "fine", 1, 1), "same_item"),
    ],
)
def test_an_item_that_cannot_be_sent_keeps_its_session_back_and_no_other(item: Any, code: str) -> None:
    told = lines(("s", "ada", "open"), ("t", "bob", "open"), ("s", "ada", "closed"))
    items = carts(("s", "fine", 1, 1), ("t", "fine", 1, 1), item)
    plan = t1.plan_sessions(unreachable(), told, items)
    assert (plan.ready, plan.invalid, plan.reasons) == (1, 2, {"bad_cart": 2})
    found = plan.problems[plan.problems["input"] == "items"]
    assert found[["row", "code"]].to_numpy().tolist() == [[2, code]]
    (first, _) = plan.problems[plan.problems["input"] == "sessions"]["message"]
    assert first.startswith("The session's cart cannot be sent: the item in row 2. ")
    assert f"({code}" not in first


def test_carts_are_not_larger_than_the_api_takes() -> None:
    told = lines(("s", "ada", "open"), ("t", "bob", "open"), ("u", "eve", "open"))
    many = carts(
        *(("s", f"a{n}", 1, 1) for n in range(1001)), ("t", "x", 9000, 1), ("t", "y", 1001, 1), ("u", "z", 10_000, 1)
    )
    plan = t1.plan_sessions(unreachable(), told, many)
    assert plan.ready == 1
    said = " ".join(plan.problems["message"])
    assert "it has 1,001 items, and 1,000 are the most" in said
    assert "its quantities add up to 10,001, and 10,000 are the most" in said


@pytest.mark.parametrize("stranger", [("nobody", "a", 1, 1), (None, "a", 1, 1), ("nobody", "", 0, -1)])
def test_items_without_a_session_stop_everything_before_it_begins(stranger: Any) -> None:
    told, items = lines(("s", "ada", "open")), carts(("s", "a", 1, 1), stranger)
    with pytest.raises(t1.errors.InputError, match=r"items: 1 without a session among the sessions \(rows 1\)"):
        t1.update_sessions(unreachable(), told, items)
    assert "1 item without a session: nothing is sent" in str(t1.plan_sessions(unreachable(), told, items))


def test_items_twice_in_a_cart_are_kept_when_that_is_meant() -> None:
    told, items = lines(("s", "ada", "open")), carts(("s", "a", 1, 1), ("s", "a", 1, 1))
    assert t1.plan_sessions(unreachable(), told, items, same_items="keep").ready == 1


def test_a_session_belongs_to_one_customer_and_can_begin_as_nobodys() -> None:
    told = lines(("s", None, "open"), ("s", "ada", "open"), ("s", "bob", "closed"))
    plan = t1.plan_sessions(unreachable(), told)
    assert plan.problems[["row", "code"]].to_numpy().tolist() == [[2, "other_customer"]]
    assert "row 1 names that one" in plan.problems["message"][0]


@pytest.mark.parametrize("name", [".", "..", "", " s", "a\nb"])
def test_ids_that_no_address_can_name_are_told(name: str) -> None:
    plan = t1.plan_sessions(unreachable(), lines((name, "ada", "open"), ("good", "ada", "open")))
    assert (plan.ready, plan.invalid) == (1, 1)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        (
            {"sessions": pd.DataFrame({"session_id": ["s"], "integration_id": ["a"], "coupon": ["X"]})},
            "'coupon'.*would not be sent",
        ),
        ({"sessions": pd.DataFrame({"session_id": ["s"]})}, "profile: there is no column 'integration_id'"),
        ({"sessions": pd.DataFrame({"integration_id": ["a"]})}, "valid are 'integration_id'"),
        ({"sessions": lines()}, "has no rows"),
        ({"items": pd.DataFrame({"session_id": ["s"], "sku": ["a"]})}, "no column for 'quantity'"),
        (
            {"items": pd.DataFrame({"session_id": ["s"], "sku": ["a"], "quantity": ["two"]}), "types": {"q": "number"}},
            "types: got 'q'",
        ),
        ({"columns": [], "constants": {"state": "done"}}, "holds 'done'; a session is sent as"),
        ({"constants": {"colour": "red"}}, "got 'colour', valid are"),
        ({"item_columns": ["sku"], "item_constants": {"quantity": 0}}, "items: Column quantity holds '0'"),
        ({"columns": {"state": "price"}}, "got 'price', valid are"),
        ({"columns": {"state": "attributes.not a name"}}, "valid are names of letters"),
        ({"columns": "state"}, "valid are a list of columns or a mapping"),
        ({"columns": ["sate"]}, "did you mean 'state'"),
        ({"same_items": "perhaps"}, "valid are 'reject', 'keep'"),
        ({"now": "2098-01-01T00:00:00Z"}, "now: .*say dry=True"),
        ({"now": "2020-01-01T00:00:00Z", "dry": True}, "now: it is past"),
        ({"now": "2098-01-01T00:00:00", "dry": True}, "now: the time has no zone"),
        ({"now": "soon", "dry": True}, "now: 'soon' is no time"),
        ({"now": 5, "dry": True}, "now: got a int"),
        ({"now": "9999-12-31T23:59:59-12:00", "dry": True}, "now: in UTC it is no time"),
        ({"connections": 0}, "connections"),
        ({"connections": "4"}, "connections: got '4'"),
        ({"columns": 5}, "sessions: got 5, valid are a list of columns"),
        ({"constants": ["state"]}, "sessions: the constants are a list"),
        ({"constants": {"identifiers": list("abcdef")}}, "at most 5 identifiers"),
        ({"columns": {"state": "attributes.My State"}}, r'columns=\{"First Name": "attributes.FirstName"\}'),
        ({"sessions": lines(("s", "1.0", "open"), ("t", "2.0", "open"))}, "sessions: all 2 ids end in .0"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence_before_anything_is_sent(given_: dict[str, Any], said: str) -> None:
    arguments = {"sessions": lines(("s", "ada", "open")), "items": carts(("s", "a", 1, 1)), **given_}
    with FaultServer(answer(200, NOTHING)) as server, t1.Client(server.url, "a-key-of-16-letters") as client:
        with pytest.raises(t1.errors.InputError, match=said):
            t1.update_sessions(client, arguments.pop("sessions"), arguments.pop("items"), **arguments)
        assert not server.ledger


# --- files, and going on ------------------------------------------------------------------------------------


def test_two_files_are_read_as_they_are_written_and_a_resume_finds_both(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    sandbox.load({"attributes": [{"entity": "CustomerSession", "name": "Zip", "type": "string"}]})
    (tmp_path / "s.csv").write_text("no,who,state,attributes.Zip\ns1,007,open,01099\ns2,,closed,\n")
    (tmp_path / "i.csv").write_text("no,sku,quantity,amount\ns1,00a,2,1.10\ns1,b,1,7\ns2,c,1,0\n")
    sandbox.faults.add(Status(401), on=UPDATE)
    run = t1.update_sessions(
        client, tmp_path / "s.csv", tmp_path / "i.csv", id="no", profile="who",
        item_columns={"sku": "sku", "quantity": "quantity", "amount": "price"},
        item_constants={"category": "music"}, types={"attributes.Zip": "string"}, connections=1,
    )  # fmt: skip
    assert run.counts["unsent"] == 2
    sandbox.faults.clear()
    done = t1.resume(client, run.id)
    assert done.counts["accepted"] == 2
    sent = [json.loads(request.body or b"", parse_float=str) for request in sandbox.requests.of(UPDATE)][-2:]
    first = next(body["customerSession"] for body in sent if body["customerSession"].get("profileId") == "007")
    assert first["attributes"] == {"Zip": "01099"}
    assert first["cartItems"][0] == {"sku": "00a", "quantity": 2, "price": "1.10", "category": "music"}
    assert done.totals["total"].tolist() == [9.2, 0.0]
    assert done.outcomes["integration_id"].tolist()[0] == "007"


def test_a_resume_refuses_other_carts(client: t1.Client, sandbox: t1.Sandbox) -> None:
    sandbox.faults.add(Status(401), on=UPDATE)
    told, items = lines(("s", "ada", "open")), carts(("s", "a", 1, 1))
    run = t1.update_sessions(client, told, items)
    sandbox.faults.clear()
    for other in ((told, carts(("s", "a", 1, 2))), (lines(("s", "ada", "closed")), items), told):
        with pytest.raises(t1.errors.JournalError, match="changed"):
            t1.resume(client, run.id, data=other)
    assert t1.resume(client, run.id, data=(told, items)).counts["accepted"] == 1


@pytest.mark.parametrize("fault", [Reset("after"), Half(0.5)])
def test_a_lost_answer_is_asked_for_again_and_no_line_is_called_refused(
    sandbox: t1.Sandbox, client: t1.Client, fault: Any
) -> None:
    sandbox.faults.add(fault, on=UPDATE, nth=2)
    told = lines(*((f"s{n}", f"c{n}", "closed") for n in range(6)))
    items = carts(*((f"s{n}", "a", 1, 10 + n) for n in range(6)))
    run = t1.update_sessions(client, told, items, connections=1)
    if not run.complete:
        run = t1.resume(client, run.id, data=(told, items))
    assert run.counts["accepted"] == 6
    assert run.totals["total"].tolist() == [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]


def test_a_server_that_hangs_up_leaves_lines_in_doubt_and_the_input_as_it_was() -> None:
    told = lines(("s", "ada", "open"), ("t", "bob", "open"))
    with (
        FaultServer(hang_up()) as server,
        t1.Client(server.url, "a-key-of-16-letters", rate=None, limits=QUICK) as client,
    ):
        run = t1.update_sessions(client, told)
    assert run.counts["in_doubt"] + run.counts["unsent"] == 2
    assert run.effects.empty


def test_a_session_that_was_closed_though_nobody_said_so_is_found_closed_by_a_resume(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    sandbox.faults.add(Reset("after"), on=UPDATE, first=2)
    told, items = lines(("s", "ada", "closed")), carts(("s", "a", 1, 30))
    with t1.Client(sandbox.base_url, sandbox.api_key, limits=Limits(attempts=1)) as impatient:
        run = t1.update_sessions(impatient, told, items)
    assert run.counts["in_doubt"] == 1
    assert t1.resume(client, run.id, data=(told, items)).counts["accepted"] == 1
    assert t1.open_run(run.id).totals["total"].tolist() == [30.0]
    assert t1.open_run(run.id).effects["effect_type"].tolist() == ["addLoyaltyPoints"]


@pytest.mark.parametrize(
    ("stands", "outcome"),
    [
        (
            answer(200, {"customerSession": {"state": "closed", "profileId": "ada", "total": 3}, "effects": []}),
            "accepted",
        ),
        (answer(200, {"customerSession": {"state": "closed", "profileId": "bob"}, "effects": []}), "refused"),
        (answer(200, {"customerSession": {"state": "open", "profileId": "ada"}, "effects": []}), "refused"),
        (answer(404, {"message": "not found"}), "refused"),
        (answer(500, {"message": "no"}), "in_doubt"),
    ],
)
def test_a_refusal_after_a_lost_answer_is_held_against_the_session_as_it_stands(stands: Any, outcome: str) -> None:
    refusal = answer(400, {"message": "A session that is closed cannot become closed"})
    with FaultServer(hang_up(), refusal, stands) as server:
        client = t1.Client(server.url, "a-key-of-16-letters", rate=None, limits=QUICK)
        run = t1.update_sessions(client, lines(("s", "ada", "closed")))
        assert [entry.method for entry in server.ledger][:3] == ["PUT", "PUT", "GET"]
    assert run.outcomes["outcome"].tolist() == [outcome]


def test_a_line_that_the_server_does_not_take_is_refused_in_its_words(client: t1.Client) -> None:
    t1.update_sessions(client, lines(("s", "ada", "closed")))
    again = t1.update_sessions(client, lines(("s", "ada", "closed"), ("t", "ada", "open")))
    assert again.outcomes["outcome"].tolist() == ["refused", "accepted"]
    assert again.failures["field"].tolist() == ["state"]


def test_customers_that_a_blank_has_turned_into_floats_are_taken_when_that_is_said() -> None:
    told = pd.DataFrame({"session_id": ["s", "t"], "integration_id": [7.0, None]})
    with pytest.raises(t1.errors.InputError, match="ids_from_floats=True"):
        t1.plan_sessions(unreachable(), told)
    with FaultServer(answer(200, NOTHING)) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        run = t1.update_sessions(client, told, ids_from_floats=True, connections=1)
        assert [entry.json()["customerSession"] for entry in server.ledger] == [{"profileId": "7"}, {}]
    assert run.counts["accepted"] == 2


def test_sessions_of_nobody_need_no_column_of_customers() -> None:
    with FaultServer(answer(200, NOTHING)) as server, t1.Client(server.url, "a-key-of-16-letters", rate=None) as client:
        run = t1.update_sessions(client, pd.DataFrame({"session_id": ["s", "t"]}), profile=None)
        assert [entry.json()["customerSession"] for entry in server.ledger] == [{}, {}]
    assert run.counts["accepted"] == 2
    assert run.outcomes["integration_id"].isna().all()
    assert run.totals["session_id"].tolist() == ["s", "t"]
