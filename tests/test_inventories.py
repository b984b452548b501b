"""What customers hold, as tidy frames: nothing dropped, nothing bent, the same columns when there is nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
from fault_server import Caller, FaultServer, answer
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.bulk.cells import to_frame
from t1data.inventories.columns import PARTS, SCHEMAS
from t1data.inventories.tidy import Tidy, is_inventory

KEY = "a-key-of-16-letters"
LEDGER = {"currentBalance": 12.5, "pendingBalance": 0, "expiredBalance": 1, "spentBalance": 2, "newerField": [1]}
ADA: dict[str, Any] = {
    "profile": {
        "id": 6,
        "created": "2020-06-10T09:05:27.993483Z",
        "integrationId": "ada",
        "attributes": {"Age": 36, "Score": 1.5, "Tags": ["a", "b"], "Born": "1815-12-10T00:00:00Z", "Odd": {"x": 1}},
        "accountId": 31,
        "closedSessions": 3,
        "totalSales": 299.99,
        "lastActivity": "0001-01-01T00:00:00Z",
        "audienceMemberships": [{"id": 1, "name": "VIP"}, {"id": 2, "name": "New"}],
        "sandbox": False,
    },
    "referrals": [{"id": 4, "code": "ADA-1", "campaignId": 45, "usageLimit": 0, "referredCustomers": ["bob", "eve"]}],
    "coupons": [
        {
            "id": 7,
            "value": "SUMMER25%OFF",
            "state": "active",
            "discountLimit": 10**17,
            "limits": [{"action": "redemption", "limit": 1, "period": "daily", "entities": ["Coupon", "Profile"]}],
        }
    ],
    "loyalty": {
        "programs": {
            "5": {
                "id": 5,
                "name": "notes",
                "title": "Notes",
                "ledger": {**LEDGER, "currentTier": {"id": 1, "name": "Gold"}},
                "subLedgers": {"gifts": LEDGER},
            }
        },
        "cards": [{"id": 9, "identifier": "CARD-1", "programID": 5, "ledger": LEDGER, "profiles": [{"x": 1}]}],
    },
    "giveaways": [{"id": 1, "code": "TICKET", "poolId": 3, "used": True}],
    "achievements": [{"achievementId": 2, "name": "Three", "progress": 1, "target": 3, "status": "inprogress"}],
}


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))


def holding(stock: dict[str, Any]) -> Callable[[Caller], bool]:
    """Answer with the inventory of whom the path names."""

    def act(caller: Caller) -> bool:
        name = unquote(caller.entry.target.split("?")[0].split("/")[3])
        if name in stock:
            return answer(200, stock[name])(caller)
        return answer(404, {"message": "not found", "StatusCode": 404})(caller)

    return act


@pytest.fixture
def stock() -> Iterator[t1.Inventories]:
    with FaultServer(holding({"ada": ADA, "bob": {"profile": None}})) as server, client_of(server) as client:
        yield t1.fetch_inventories(client, ["ada", "bob", "nobody"])


def client_of(server: FaultServer) -> t1.Client:
    return t1.Client(server.url, KEY, rate=None)


def test_each_thing_is_a_row_under_the_customers_id(stock: t1.Inventories) -> None:
    sizes = {name: len(stock.frame(name)) for name in PARTS}
    assert sizes == {
        "profiles": 1,
        "audiences": 2,
        "referrals": 1,
        "referred_customers": 2,
        "coupons": 1,
        "coupon_limits": 1,
        "loyalty": 2,
        "loyalty_cards": 1,
        "giveaways": 1,
        "achievements": 1,
    }
    assert all(stock.frame(name)["integration_id"].eq("ada").all() for name in PARTS)
    assert stock.referred_customers["referred_integration_id"].tolist() == ["bob", "eve"]
    assert stock.coupon_limits.loc[0, "entities"] == "Coupon, Profile"
    assert stock.loyalty["ledger"].tolist() == ["", "gifts"]
    assert stock.loyalty["tier_name"].fillna("-").tolist() == ["Gold", "-"]
    assert stock.loyalty_cards.loc[0, "current_balance"] == 12.5


def test_a_customer_whom_nobody_knows_is_a_row_of_the_outcomes(stock: t1.Inventories) -> None:
    assert stock.outcomes["outcome"].tolist() == ["accepted", "accepted", "refused"]
    assert stock.outcomes.loc[3, "reason"] == "not_found"
    assert stock.outcomes["integration_id"].tolist() == ["ada", "bob", "nobody"]


def test_a_year_1_date_and_microseconds_survive(stock: t1.Inventories) -> None:
    profile = stock.profiles.iloc[0]
    assert profile["last_activity"].to_pydatetime() == datetime(1, 1, 1, tzinfo=UTC)
    assert profile["created"].microsecond == 993483


def test_unknown_fields_and_values_of_another_type_are_kept_beside_the_columns(stock: t1.Inventories) -> None:
    assert json.loads(stock.loyalty.loc[1, "extra"]) == {"ledger.newerField": [1]}
    assert json.loads(stock.coupons.loc[0, "extra"]) == {"discountLimit": 10**17}  # no floating point number holds it
    assert pd.isna(stock.coupons.loc[0, "discount_limit"])
    assert json.loads(stock.loyalty_cards.loc[0, "extra"])["profiles"] == [{"x": 1}]


def test_attributes_are_columns_of_the_type_that_their_values_have(stock: t1.Inventories) -> None:
    profile = stock.profiles.iloc[0]
    assert profile["attributes.Age"] == 36
    assert profile["attributes.Score"] == 1.5
    assert list(profile["attributes.Tags"]) == ["a", "b"]
    assert profile["attributes.Odd"] == '{"x": 1}'
    assert profile["attributes.Born"] == "1815-12-10T00:00:00Z"  # text, as nobody said that it is a time
    assert str(stock.profiles["attributes.Age"].dtype) == "Int64"


def test_an_empty_frame_has_the_columns_and_types_of_a_full_one(stock: t1.Inventories) -> None:
    with FaultServer(holding({"bob": {}})) as server, client_of(server) as client:
        empty = t1.fetch_inventories(client, ["bob"])
    for name in PARTS:
        full = stock.frame(name)[SCHEMAS[name].names]
        pd.testing.assert_series_equal(empty.frame(name).dtypes, full.dtypes)
        assert empty.frame(name).empty


def test_files_hold_what_the_frames_hold(stock: t1.Inventories, tmp_path: Path) -> None:
    written = stock.write(tmp_path / "stock")
    for name in PARTS:
        pd.testing.assert_frame_equal(written.frame(name), stock.frame(name))
    assert len(pd.read_parquet(tmp_path / "stock" / "outcomes.parquet")) == 3


def test_files_are_never_replaced_unasked_and_that_is_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "coupons.parquet").write_bytes(b"mine")
    with FaultServer(holding({})) as server, client_of(server) as client:
        with pytest.raises(t1.errors.InputError, match="is there already"):
            t1.fetch_inventories(client, ["ada"], to=tmp_path)
        assert not server.ledger
    assert (tmp_path / "coupons.parquet").read_bytes() == b"mine"


def test_each_customer_is_read_once_and_only_the_sections_that_are_wanted() -> None:
    with FaultServer(holding({"ada": ADA, "a/b c%": {}})) as server, client_of(server) as client:
        t1.fetch_inventories(client, ["ada", "a/b c%", "ada"], include=["loyalty", "profile"], connections=1)
        assert [entry.target for entry in server.ledger] == [
            "/v1/customer_profiles/ada/inventory?profile=true&loyalty=true",
            "/v1/customer_profiles/a%2Fb%20c%25/inventory?profile=true&loyalty=true",
        ]


def test_a_run_that_was_cut_short_goes_on_without_reading_anybody_twice(tmp_path: Path) -> None:
    journal = tmp_path / "run.sqlite"
    good = holding({f"c{n}": {"giveaways": [{"id": n, "code": f"G{n}"}]} for n in range(6)})
    ids = [f"c{n}" for n in range(6)]
    with FaultServer(good, good, good, answer(401, {"message": "no"}), good) as server, client_of(server) as client:
        first = t1.fetch_inventories(client, ids, journal=journal, connections=1)
        assert first.run.counts["accepted"] == 3
        assert len(first.giveaways) == 3
        second = t1.fetch_inventories(client, ids, journal=journal, connections=1)
        asked = [entry.target.split("/")[3] for entry in server.ledger]
    assert asked == ["c0", "c1", "c2", "c3", "c3", "c4", "c5"]
    assert second.giveaways["code"].tolist() == [f"G{n}" for n in range(6)]


def test_an_answer_that_is_no_inventory_is_told_and_kept(tmp_path: Path) -> None:
    with FaultServer(answer(200, {"coupons": "all of them"})) as server, client_of(server) as client:
        stock = t1.fetch_inventories(client, ["ada"])
    assert not stock.run.complete
    assert "not built as an inventory" in stock.outcomes.loc[1, "message"]
    assert stock.coupons.empty
    assert stock.run.raw_answers()[0][1] == b'{"coupons": "all of them"}'


@pytest.mark.parametrize(
    ("ids", "words"),
    [([], "has no rows"), ([1, 2], "text only"), (["1.23E+10"], "spreadsheet"), (pd.DataFrame({"x": ["a"]}), "x")],
)
def test_ids_that_cannot_be_meant_are_refused_before_anything_is_read(ids: Any, words: str) -> None:
    with FaultServer(holding({})) as server, client_of(server) as client:
        with pytest.raises(t1.errors.InputError, match=words):
            t1.fetch_inventories(client, ids)
        assert not server.ledger


def test_an_id_that_no_url_can_name_is_invalid() -> None:
    with FaultServer(holding({})) as server, client_of(server) as client:
        stock = t1.fetch_inventories(client, ["..", "."])
        assert not server.ledger
    assert stock.outcomes["reason"].tolist() == ["id_not_in_url", "id_not_in_url"]


@pytest.mark.parametrize("include", [[], ["coupon"], "profiles"])
def test_sections_that_do_not_exist_are_refused_in_words(include: Any) -> None:
    with t1.Client("http://127.0.0.1:9", KEY) as client, pytest.raises(t1.errors.InputError, match="include"):
        t1.fetch_inventories(client, ["ada"], include=include)


def test_the_account_says_which_attributes_are_times() -> None:
    with t1.Sandbox(seed=1) as sandbox:
        sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": "Born", "type": "time"}]})
        with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key, rate=None) as client:
            client.update_customer_profile_v2("ada", {"attributes": {"Born": "1815-12-10T00:00:00Z"}})
            stock = t1.fetch_inventories(client, ["ada"], include=["profile"])
    assert stock.profiles.loc[0, "attributes.Born"] == pd.Timestamp("1815-12-10", tz="UTC").as_unit("us")


def test_half_a_surrogate_pair_is_kept_where_a_column_can_hold_it() -> None:
    tidy = Tidy()
    tidy.add("ada", {"coupons": [{"value": "a\ud800", "attributes": {"Note": "b\udfff"}}, {"value": "ok"}]})
    row, other = tidy.tables()["coupons"].to_pylist()
    assert json.loads(row["extra"]) == {"value": "a\ud800"}
    assert json.loads(row["attributes.Note"]) == "b\udfff"
    assert other["coupon"] == "ok"


def test_half_a_surrogate_pair_in_a_list_or_in_a_name_takes_no_frame_away() -> None:
    tidy = Tidy()
    tidy.add("ada", {"profile": {"attributes": {"Tags": ["a\ud800", "b"], "N\ud800": 1}}})
    row = tidy.tables()["profiles"].to_pylist()[0]
    assert json.loads(row["attributes.Tags"]) == ["a\ud800", "b"]
    assert row["attributes.N\\ud800"] == 1


def test_what_is_null_in_a_list_is_no_thing_and_takes_no_frame_away() -> None:
    tidy = Tidy()
    holes = {
        "profile": {"audienceMemberships": [None, {"id": 1}]},
        "referrals": [None, {"code": "C", "referredCustomers": None}],
        "coupons": [None, {"value": "C", "limits": [None, {"limit": 1, "entities": None}]}],
        "loyalty": {"programs": {"5": None, "6": {"id": 6, "subLedgers": {"gifts": None}}}, "cards": [None]},
        "giveaways": [None],
        "achievements": [None, {"name": "Three"}],
    }
    assert is_inventory(holes)
    tidy.add("ada", holes)
    tables = tidy.tables()
    sizes = {name: table.num_rows for name, table in tables.items() if table.num_rows}
    assert sizes == {
        "profiles": 1, "audiences": 1, "referrals": 1, "coupons": 1, "coupon_limits": 1, "loyalty": 3,
        "achievements": 1,
    }  # fmt: skip
    assert tables["loyalty"]["ledger"].to_pylist() == ["", "", "gifts"]


def test_ledgers_without_a_name_and_programs_without_an_id_are_kept_apart() -> None:
    tidy = Tidy()
    ledgers = {"ledger": {"currentBalance": 1}, "subLedgers": {"": {"currentBalance": 2}}}
    tidy.add("ada", {"loyalty": {"programs": {"5": {"id": 5, **ledgers}, "6": {"name": "notes"}}}})
    loyalty = tidy.tables()["loyalty"]
    assert loyalty["current_balance"].to_pylist() == [1, 2, None]
    assert loyalty["extra"].to_pylist() == [None, None, '{"key": "6"}']


def test_a_truth_value_among_numbers_is_not_made_one_of_them() -> None:
    tidy = Tidy()
    tidy.add("ada", {"coupons": [{"discountLimit": 1.5}, {"discountLimit": False}]})
    row = tidy.tables()["coupons"].to_pylist()[1]
    assert row["discount_limit"] is None
    assert json.loads(row["extra"]) == {"discountLimit": False}


@pytest.mark.parametrize("edge", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", "0000-01-01T00:00:00Z"])
def test_a_time_beyond_all_years_stands_beside_the_column_and_the_frame_can_be_shown(edge: str) -> None:
    tidy = Tidy()
    tidy.add("ada", {"coupons": [{"startDate": edge}, {"startDate": "9999-12-31T23:59:59Z"}]})
    coupons = to_frame(tidy.tables()["coupons"])
    assert json.loads(coupons.loc[0, "extra"]) == {"startDate": edge}
    assert pd.isna(coupons["start_date"].tolist()[0])
    assert "9999" in repr(coupons["start_date"])


def test_a_time_finer_than_the_column_is_kept_whole_beside_it() -> None:
    tidy = Tidy()
    tidy.add("ada", {"coupons": [{"startDate": "2026-01-01T00:00:00.1234567Z"}, {"startDate": "2026-01-01T00:00:00Z"}]})
    row, other = tidy.tables()["coupons"].to_pylist()
    assert json.loads(row["extra"]) == {"startDate": "2026-01-01T00:00:00.1234567Z"}
    assert row["start_date"] is None
    assert other["start_date"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_who_is_purged_is_gone_from_the_frames_of_an_older_run(tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text("integration_id\nada\nbob\n")
    coupons_of = {name: {"coupons": [{"value": f"COUPON-OF-{name}"}]} for name in ("ada", "bob")}
    with FaultServer(holding(coupons_of)) as server, client_of(server) as client:
        stock = t1.fetch_inventories(client, tmp_path / "ids.csv")
    t1.purge_people(["ada"])
    assert b"COUPON-OF-ada" not in stock.run.journal.read_bytes()
    coupons = t1.open_run(stock.run.journal).goods("coupons")
    assert coupons["integration_id"].tolist() == ["bob"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    coupon=st.dictionaries(
        st.sampled_from(["id", "value", "startDate", "reservation", "discountLimit", "new"]), json_values
    ),
    attributes=st.dictionaries(st.sampled_from(["a", "b"]), json_values),
)
def test_whatever_a_thing_says_stands_in_a_column_or_in_extra(
    coupon: dict[str, Any], attributes: dict[str, Any]
) -> None:
    tidy = Tidy()
    tidy.add("ada", {"coupons": [{**coupon, "attributes": attributes}, {"attributes": {}}]})
    row = tidy.tables()["coupons"].to_pylist()[0]
    extra = json.loads(row["extra"] or "{}")
    wires = {field.wire: field.column for part in PARTS["coupons"] for field in part}
    for wire, value in coupon.items():
        if value is not None:
            held = row[wires[wire]] if wire in wires and wire not in extra else extra[wire]
            assert (held if not isinstance(held, datetime) else value) == value
    for name, value in attributes.items():
        held = row[f"attributes.{name}"] if value is not None else None
        assert held == value or json.loads(held) == value
