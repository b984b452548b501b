"""The client as people type it: each operation's exact form on the wire, and the same against the sandbox."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fault_server import FaultServer, answer
from hypothesis import given
from hypothesis import strategies as st

from t1data.body import encode_body
from t1data.client import OPERATIONS, Client
from t1data.errors import AuthError, ConfigError, InputError, NotFoundError, ServerError
from t1data.sandbox import Sandbox
from t1data.transport.retry import Limits

KEY = "0123456789abcdef"
AUDIENCE = {"name": "VIP"}
IDS = {"integrationIDs": ["a", "b"]}
GOODS = answer(200, {"id": 7})
DONE = answer(204)


def client_of(server: FaultServer, **options: Any) -> Client:
    return Client(server.url, KEY, rate=None, **options)


# --- on the wire ------------------------------------------------------------------------------------------

Call = Callable[[Client], Any]
CALLS: list[tuple[Call, str, str, Any]] = [
    (lambda c: c.create_audience_v2(AUDIENCE), "POST", "/v2/audiences", AUDIENCE),
    (lambda c: c.update_audience_v2(748, AUDIENCE), "PUT", "/v2/audiences/748", AUDIENCE),
    (lambda c: c.delete_audience_v2(748), "DELETE", "/v2/audiences/748", None),
    (lambda c: c.delete_audience_memberships_v2(748), "DELETE", "/v2/audiences/748/memberships", None),
    (lambda c: c.update_customer_profile_audiences({"data": []}), "POST", "/v2/customer_audiences", {"data": []}),
    (
        lambda c: c.update_audience_customers_attributes(748, {"Tier": "gold"}),
        "PUT",
        "/v2/audience_customers/748/attributes",
        {"Tier": "gold"},
    ),
    (
        lambda c: c.update_customer_profile_v2("a/b ä", {"attributes": {}}, run_rule_engine=True, dry=False),
        "PUT",
        "/v2/customer_profiles/a%2Fb%20%C3%A4?runRuleEngine=true&dry=false",
        {"attributes": {}},
    ),
    (
        lambda c: c.update_customer_profiles_v2({"customerProfiles": []}),
        "PUT",
        "/v2/customer_profiles",
        {"customerProfiles": []},
    ),
    (
        lambda c: c.update_customer_profiles_v2({"customerProfiles": []}, silent="no"),
        "PUT",
        "/v2/customer_profiles?silent=no",
        {"customerProfiles": []},
    ),
    (
        lambda c: c.get_customer_inventory("00001", profile=True, coupons=False),
        "GET",
        "/v1/customer_profiles/00001/inventory?profile=true&coupons=false",
        None,
    ),
    (
        lambda c: c.get_customer_inventory(
            "1", profile=True, referrals=True, coupons=True, loyalty=True, giveaways=True, achievements=True
        ),
        "GET",
        "/v1/customer_profiles/1/inventory"
        "?profile=true&referrals=true&coupons=true&loyalty=true&giveaways=true&achievements=true",
        None,
    ),
    (lambda c: c.delete_customer_data("%2E%2E"), "DELETE", "/v1/customer_data/%252E%252E", None),
    (
        lambda c: c.create_coupon_reservation("SUMMER25%OFF/ä", IDS),
        "POST",
        "/v1/coupon_reservations/SUMMER25%25OFF%2F%C3%A4",
        IDS,
    ),
    (lambda c: c.delete_coupon_reservation("A+B", IDS), "DELETE", "/v1/coupon_reservations/A%2BB", IDS),
    (
        lambda c: c.get_reserved_customers("CODE"),
        "GET",
        "/v1/coupon_reservations/customerprofiles/CODE",
        None,
    ),
    (lambda c: c.create_referral({"campaignId": 45}), "POST", "/v1/referrals", {"campaignId": 45}),
    (
        lambda c: c.create_referrals_for_multiple_advocates({"campaignId": 45}, silent="no"),
        "POST",
        "/v1/referrals_for_multiple_advocates?silent=no",
        {"campaignId": 45},
    ),
    (
        lambda c: c.update_customer_session_v2(
            "s#1", {"customerSession": {}}, dry=True, now=datetime(2026, 11, 24, 8, tzinfo=UTC)
        ),
        "PUT",
        "/v2/customer_sessions/s%231?dry=true&now=2026-11-24T08%3A00%3A00Z",
        {"customerSession": {}},
    ),
    (lambda c: c.track_event({"type": "t"}, dry=True), "POST", "/v1/events?dry=true", {"type": "t"}),
    (
        lambda c: c.track_event_v2({"type": "t"}, silent="no", force_complete_evaluation=True),
        "POST",
        "/v2/events?silent=no&forceCompleteEvaluation=true",
        {"type": "t"},
    ),
    (lambda c: c.get_customer_session("s#1"), "GET", "/v2/customer_sessions/s%231", None),
    (lambda c: c.authping(), "GET", "/v2/authping", None),
]


@pytest.mark.parametrize(("call", "method", "target", "body"), CALLS, ids=[call[2] for call in CALLS])
def test_each_operation_has_this_form_on_the_wire(call: Call, method: str, target: str, body: Any):
    with FaultServer(GOODS) as server, client_of(server) as client:
        assert call(client) == {"id": 7}
    (entry,) = server.ledger
    assert (entry.method, entry.target) == (method, target)
    assert entry.header("Authorization") == [f"ApiKey-v1 {KEY}"]
    assert entry.header("Content-Type") == ([] if body is None else ["application/json"])
    assert (json.loads(entry.body) if entry.body else None) == body


def test_every_operation_of_the_table_is_tried_above():
    sent = [f"{method} {target.partition('?')[0]}" for _, method, target, _ in CALLS]
    for operation in OPERATIONS.values():
        form = f"{operation.method} {re.sub(r'{[a-zA-Z]+}', '[^/]+', operation.path)}"
        assert any(re.fullmatch(form, line) for line in sent), operation.name


def test_every_operation_has_a_method_of_its_name():
    assert [name for name in OPERATIONS if not callable(getattr(Client, name, None))] == []


def test_an_empty_answer_is_none():
    with FaultServer(DONE) as server, client_of(server) as client:
        assert client.delete_customer_data("1") is None


def test_an_option_left_out_is_not_sent():
    with FaultServer(GOODS) as server, client_of(server) as client:
        client.update_customer_profile_v2("1", {}, dry=None)
    assert server.ledger[0].target == "/v2/customer_profiles/1"


@pytest.mark.parametrize("flag", [True, np.True_])
def test_a_flag_is_a_truth_value_of_python_or_numpy(flag: Any):
    with FaultServer(GOODS) as server, client_of(server) as client:
        client.get_customer_inventory("1", profile=flag, coupons=False)
    assert server.ledger[0].target == "/v1/customer_profiles/1/inventory?profile=true&coupons=false"


@pytest.mark.parametrize("flag", ["false", "yes", "", 2, float("nan")])
def test_a_flag_that_is_no_truth_value_is_refused_and_nothing_is_sent(flag: Any):
    with FaultServer(GOODS) as server, pytest.raises(InputError, match="dry is True or False"):
        client_of(server).update_customer_profile_v2("1", {}, run_rule_engine=True, dry=flag)
    assert server.ledger == []


def test_the_id_of_an_audience_may_come_out_of_a_frame():
    with FaultServer(DONE) as server, client_of(server) as client:
        client.delete_audience_v2(pd.Series([748]).iloc[0])
    assert server.ledger[0].target == "/v2/audiences/748"


def test_an_option_that_is_no_unicode_is_refused_and_nothing_is_sent():
    with FaultServer(GOODS) as server, pytest.raises(InputError, match="not valid Unicode"):
        client_of(server).update_customer_session_v2("1", {}, now="\ud800")
    assert server.ledger == []


@pytest.mark.parametrize("silent", [True, False, "true", "No", ""])
def test_silent_is_yes_or_no(silent: Any):
    with FaultServer(GOODS) as server, pytest.raises(InputError, match='silent is "yes" or "no"'):
        client_of(server).update_customer_profiles_v2({"customerProfiles": []}, silent=silent)
    assert server.ledger == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("update_customer_profiles_v2", {"customerProfiles": [{}] * 1001}),
        ("update_customer_profile_audiences", {"data": [{}] * 1001}),
        ("create_referrals_for_multiple_advocates", {"advocateProfileIntegrationIds": ["a"] * 1001}),
        ("create_coupon_reservation", {"integrationIDs": ["a"] * 1001}),
        ("delete_coupon_reservation", {"integrationIDs": ["a"] * 1001}),
    ],
)
def test_more_than_a_thousand_items_are_refused_before_anything_is_sent(name: str, body: dict[str, Any]):
    values = ["CODE"] if "coupon" in name else []
    with FaultServer(GOODS) as server, pytest.raises(InputError, match=r"up to 1000 items at once, not 1001"):
        client_of(server).send(name, *values, body=body)
    assert server.ledger == []


def test_an_unknown_operation_names_those_that_there_are():
    with Client("https://shop.talon.one", KEY) as client, pytest.raises(InputError, match="create_audience_v2"):
        client.send("create_audience_v3")


# --- against the sandbox ----------------------------------------------------------------------------------


SHOP = {
    "attributes": [{"entity": "CustomerProfile", "name": "Spend", "type": "number"}],
    "campaigns": [
        {"id": 45, "name": "Bring a friend", "features": ["referrals"]},
        {"id": 7, "name": "Sale", "features": ["coupons"], "coupons": [{"value": "25%OFF/ü", "usage_limit": 0}]},
    ],
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.load(SHOP)
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key, rate=None) as made:
        yield made


def test_audiences_live_and_die(client: Client):
    audience = client.create_audience_v2({"name": "VIP"})
    member = {"action": "add", "profileIntegrationId": "00001", "audienceId": audience["id"]}
    assert client.update_customer_profile_audiences({"data": [member]}) is None
    assert client.update_audience_customers_attributes(audience["id"], {"Spend": 3}) is None
    profile = client.get_customer_inventory("00001", profile=True)["profile"]
    assert profile["audienceMemberships"] == [{"id": audience["id"], "name": "VIP"}]
    assert profile["attributes"]["Spend"] == 3
    assert client.update_audience_v2(audience["id"], {"name": "Gold"})["name"] == "Gold"
    assert client.delete_audience_memberships_v2(audience["id"]) is None
    assert client.delete_audience_v2(audience["id"]) is None
    with pytest.raises(NotFoundError):
        client.delete_audience_v2(audience["id"])


def test_customers_are_written_read_and_erased(client: Client):
    profiles = [{"integrationId": "0/1", "attributes": {"Spend": Decimal("11.10")}}]
    assert client.update_customer_profiles_v2({"customerProfiles": profiles}) is None
    states = client.update_customer_profiles_v2({"customerProfiles": profiles}, silent="no")["integrationStates"]
    assert [state["customerProfile"]["integrationId"] for state in states] == ["0/1"]
    answered = client.update_customer_profile_v2("0/1", {"attributes": {"Spend": 12}}, run_rule_engine=True)
    assert answered["createdCoupons"] == []
    assert client.get_customer_inventory("0/1", profile=True)["profile"]["attributes"]["Spend"] == 12
    assert client.delete_customer_data("0/1") is None
    assert "Spend" not in client.get_customer_inventory("0/1", profile=True)["profile"]["attributes"]


def test_coupons_are_reserved_and_released(client: Client):
    client.update_customer_profiles_v2({"customerProfiles": [{"integrationId": "a"}, {"integrationId": "b"}]})
    assert client.create_coupon_reservation("25%OFF/ü", IDS)["value"].casefold() == "25%off/ü"
    holders = client.get_reserved_customers("25%OFF/ü")["data"]
    assert {holder["integrationId"] for holder in holders} == {"a", "b"}
    assert client.delete_coupon_reservation("25%OFF/ü", {"integrationIDs": ["a"]}) is None
    assert client.get_reserved_customers("25%OFF/ü")["totalResultSize"] == 1


def test_referral_codes_are_made_and_listed(client: Client):
    one = client.create_referral({"campaignId": 45, "advocateProfileIntegrationId": "00001"})
    body = {"campaignId": 45, "advocateProfileIntegrationIds": ["00002", "00003"], "usageLimit": 1}
    many = client.create_referrals_for_multiple_advocates(body, silent="no")
    assert [code["advocateProfileIntegrationId"] for code in many["data"]] == ["00002", "00003"]
    assert client.create_referrals_for_multiple_advocates(body) is None
    listed = client.management.list_referrals(1, 45)
    assert len(listed) == 5
    assert {one["code"], *(code["code"] for code in many["data"])} <= {code["code"] for code in listed}
    assert [code["code"] for code in client.management.list_referrals(1, 45, advocate="00001")] == [one["code"]]


def test_sessions_and_events_run_the_rules(client: Client):
    session = {"profileId": "00001", "state": "closed", "cartItems": [{"sku": "cd", "quantity": 2, "price": 9.5}]}
    body = {"customerSession": session, "responseContent": ["customerSession"]}
    assert client.update_customer_session_v2("s/1", body, dry=True)["customerSession"]["total"] == 19
    assert client.update_customer_session_v2("s/1", body)["customerSession"]["state"] == "closed"
    event = {"profileId": "00001", "type": "visit", "attributes": {}}
    assert client.track_event_v2(event) is None
    assert client.track_event({**event, "sessionId": "s/2"})["profile"]["integrationId"] == "00001"
    assert client.authping() is not None


def test_a_wrong_key_is_told_as_that(sandbox: Sandbox):
    client = Client(sandbox.base_url, "not-the-right-key")
    with pytest.raises(AuthError, match="check that the key is right"):
        client.get_customer_inventory("1", profile=True)


# --- bodies -----------------------------------------------------------------------------------------------

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**60), 10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), plain, max_size=4))
def test_what_python_can_say_in_json_arrives_as_it_was(body: dict[str, Any]):
    assert json.loads(bytes(encode_body(body))) == body


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_arrives_with_every_digit(value: Decimal):
    encoded = bytes(encode_body({"v": value}))
    found = json.loads(encoded, parse_float=Decimal, parse_int=Decimal)["v"]
    assert found == value
    assert found.as_tuple().digits == value.as_tuple().digits or value == 0


@given(st.datetimes(timezones=st.timezones()))
def test_a_time_with_a_zone_arrives_as_the_same_instant(value: datetime):
    try:
        utc = value.astimezone(UTC)
    except OverflowError:
        return
    text = json.loads(bytes(encode_body({"v": value})))["v"]
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == utc


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.int64(2**62), str(2**62)),
        (np.uint64(2**64 - 1), str(2**64 - 1)),
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.1"),
        (np.bool_(True), "true"),
        (np.str_("a"), '"a"'),
        (pd.Timestamp("2026-01-02 03:04:05.6", tz="Europe/Berlin"), '"2026-01-02T02:04:05.600000Z"'),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=3))), '"2026-01-02T00:00:00Z"'),
        (-0.0, "-0.0"),
        (2**53 + 1, str(2**53 + 1)),
        ('\u2028"\\\n', '"\u2028\\"\\\\\\n"'),
    ],
)
def test_values_have_this_text(value: Any, text: str):
    assert bytes(encode_body({"v": value})).decode() == f'{{"v":{text}}}'


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


SECRET = "people's own words"


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        Decimal("NaN"),
        Decimal("Infinity"),
        np.float64("nan"),
        np.float32("inf"),
        pd.NA,
        pd.NaT,
        np.datetime64("2026-01-01"),
        pd.Timestamp("2026-01-01"),
        pd.Timestamp("2026-01-01 00:00:00.000000001", tz="UTC"),
        datetime(2026, 1, 1),  # noqa: DTZ001
        date(2026, 1, 1),
        SECRET.encode(),
        {SECRET},
        object(),
        np.array([1.0]),
        pd.Series([1]),
        {1: SECRET},
        {None: SECRET},
        "\ud800",
        10**5000,
        nested(60),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_without_an_exact_form_is_refused_by_its_place_and_nothing_is_sent(value: Any):
    with FaultServer(DONE) as server, client_of(server) as client, pytest.raises(InputError) as caught:
        client.update_customer_profile_v2("1", {"attributes": {"A": [value]}})
    assert server.ledger == []
    assert SECRET not in str(caught.value)


def test_a_body_that_holds_itself_is_refused():
    body: dict[str, Any] = {}
    body["again"] = body
    with pytest.raises(InputError, match="holds itself"):
        encode_body(body)


@pytest.mark.parametrize("body", ["{}", [1], 7])
def test_a_body_is_a_mapping_or_ready_bytes(body: Any):
    with pytest.raises(InputError, match="mapping or ready bytes"):
        encode_body(body)


def test_the_callers_body_is_left_as_it_was():
    body = {"attributes": {"Spend": Decimal("1.10"), "Tags": ("a", "b")}}
    encode_body(body)
    assert body == {"attributes": {"Spend": Decimal("1.10"), "Tags": ("a", "b")}}


# --- the client itself ------------------------------------------------------------------------------------


def test_a_client_says_where_it_points_and_hardly_anything_of_its_key():
    assert repr(Client("https://shop.talon.one/", KEY)) == "Client(https://shop.talon.one, key …cdef, 20/s)"
    assert repr(Client("https://shop.talon.one", "short", rate=None)) == (
        "Client(https://shop.talon.one, key …, no limit)"
    )


@pytest.mark.parametrize("key", ["", "has space", "line\n", "ключ", "nul\0", None, 7, b"bytes"])
def test_a_key_that_cannot_be_one_is_refused_without_being_repeated(key: Any):
    with pytest.raises(ConfigError, match=r"^The API key ") as caught:
        Client("https://shop.talon.one", key)
    assert not key or str(key) not in str(caught.value)


def test_a_client_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("T1DATA_BASE_URL", "https://shop.talon.one")
    monkeypatch.setenv("T1DATA_API_KEY", KEY)
    monkeypatch.delenv("T1DATA_MANAGEMENT_KEY", raising=False)
    client = Client.from_env()
    assert (client.base_url, client.key_hint, client.management) == ("https://shop.talon.one", "…cdef", None)
    monkeypatch.setenv("T1DATA_MANAGEMENT_KEY", "fedcba9876543210")
    assert repr(Client.from_env().management) == "Management(https://shop.talon.one, key …3210)"


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "Set T1DATA_BASE_URL and T1DATA_API_KEY in the environment."),
        ({"T1DATA_API_KEY": KEY}, "Set T1DATA_BASE_URL in the environment."),
        ({"T1DATA_BASE_URL": "https://shop.talon.one"}, "Set T1DATA_API_KEY in the environment."),
    ],
)
def test_what_is_missing_in_the_environment_is_named(environment: dict[str, str], sentence: str):
    with pytest.raises(ConfigError) as caught:
        Client.from_env(environment)
    assert str(caught.value) == sentence


def test_two_runs_can_tell_that_they_used_the_same_key():
    one, same = Client("https://a.example", KEY), Client("https://b.example", KEY)
    other = Client("https://a.example", KEY[::-1])
    assert one.key_fingerprint(b"salt") == same.key_fingerprint(b"salt") != other.key_fingerprint(b"salt")
    assert one.key_fingerprint(b"salt") != one.key_fingerprint(b"other salt")


def test_a_live_environment_is_read_freely_and_written_to_only_by_its_name():
    with FaultServer(GOODS) as server, client_of(server, live_name="shop-live", management_key=KEY) as client:
        client.get_customer_inventory("1", profile=True)
        for write in (
            lambda: client.delete_customer_data("1"),
            lambda: client.management.import_members(7, ["1"]),
        ):
            with pytest.raises(ConfigError, match=r"would change the live environment 'shop-live'"):
                write()
        with pytest.raises(ConfigError, match="not the name"):
            client.unlock("shop-test")
        assert [entry.method for entry in server.ledger] == ["GET"]
        client.unlock("shop-live")
        client.delete_customer_data("1")
        assert client.live_name == "shop-live"
    assert [entry.method for entry in server.ledger] == ["GET", "DELETE"]


def test_limits_are_the_callers_to_set():
    with FaultServer(answer(503)) as server:
        client = client_of(server, limits=Limits(attempts=2, first_backoff=0))
        with pytest.raises(ServerError, match="after 2 attempts"):
            client.get_reserved_customers("CODE")
    assert len(server.ledger) == 2
