import json
import sqlite3
import tomllib
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from door import NOON, Door, attribute

from t1data.sandbox import seed
from t1data.sandbox.core import Account
from t1data.sandbox.options import Options

SAMPLE = Path(__file__).parents[2] / "sample_data"


def load(source: Any, door: Door | None = None) -> Door:
    door = door or Door()
    seed.load(door.account, source)
    return door


def complaint(source: Any) -> str:
    with pytest.raises(ValueError, match=r"\w") as caught:
        load(source)
    return str(caught.value)


def tables(door: Door) -> str:
    return "".join(door.account.db.iterdump())


def test_the_sample_is_a_whole_record_shop() -> None:
    door = load(SAMPLE)
    found = door.call("get_attributes", entity="CustomerProfile")["data"]
    assert {each["name"]: each["type"] for each in found} == {
        "Name": "string",
        "Email": "string",
        "FirstPurchase": "time",
        "LastPurchase": "time",
        "Purchases": "number",
        "CDs": "number",
        "Spend": "number",
        "MeanDaysBetweenPurchases": "number",
    }
    assert [each["name"] for each in door.call("get_audiences")["data"]] == ["VIP"]
    stock = door.inventory("00001", "coupons", "loyalty", "giveaways", "achievements")
    assert {each["value"]: each["state"] for each in stock["coupons"]} == {
        "SUMMER25%OFF": "active",
        "SUMMER1997": "expired",
        "EVERYBODY": "active",
        "WINTER-10": "disabled",
    }
    assert stock["loyalty"]["programs"]["3"]["ledger"]["currentBalance"] == 40
    assert [each["code"] for each in stock["giveaways"]] == ["TICKET-0001"]
    assert [each["status"] for each in stock["achievements"]] == ["inprogress"]
    assert door.status("create_referral", {"campaignId": 45, "advocateProfileIntegrationId": "07983"}) == 201


def test_a_customer_of_the_sample_gets_the_discount_and_the_points() -> None:
    door = load(SAMPLE)
    session = {
        "profileId": "00002",
        "state": "closed",
        "couponCodes": ["SUMMER25%OFF", "a/b ü"],
        "cartItems": [{"sku": "kind-of-blue", "name": "Kind of Blue", "quantity": 2, "price": 12}],
    }
    answer = door.call("update_customer_session_v2", {"customerSession": session}, path={"customerSessionId": "s1"})
    discounts = [each["props"]["value"] for each in answer["effects"] if each["effectType"] == "setDiscount"]
    assert discounts == [6, 6]
    ledger = door.inventory("00002", "loyalty")["loyalty"]["programs"]["3"]["ledger"]
    assert ledger["currentBalance"] == Decimal("124.5")


def test_file_folder_json_and_dict_load_the_same(tmp_path: Path) -> None:
    shop = {
        "attributes": [attribute("Spend", "number")],
        "profiles": [{"integration_id": "ann", "attributes": {"Spend": 1.5}}],
        "campaigns": [{"id": 7, "name": "x", "start_time": "2026-01-01T00:00:00Z"}],
    }
    toml = (
        '[[attributes]]\nentity = "CustomerProfile"\nname = "Spend"\ntype = "number"\n'
        '[[profiles]]\nintegration_id = "ann"\nattributes = { Spend = 1.5 }\n'
        '[[campaigns]]\nid = 7\nname = "x"\nstart_time = 2026-01-01T00:00:00Z\n'
    )
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "sandbox.toml").write_text(toml)
    (tmp_path / "two" / "sandbox.json").write_text(json.dumps(shop))
    sources = [shop, tmp_path / "one", tmp_path / "two", str(tmp_path / "one" / "sandbox.toml"), tomllib.loads(toml)]
    assert len({tables(load(source)) for source in sources}) == 1


def test_numbers_of_a_seed_stay_exact(tmp_path: Path) -> None:
    text = '[[attributes]]\nentity = "CustomerProfile"\nname = "Spend"\ntype = "number"\n'
    text += '[[profiles]]\nintegration_id = "ann"\nattributes = { Spend = 0.1000000000000000000001 }\n'
    (tmp_path / "sandbox.toml").write_text(text)
    assert load(tmp_path).profile("ann")["attributes"]["Spend"] == Decimal("0.1000000000000000000001")


def test_an_unknown_key_is_named_with_those_there_are() -> None:
    text = complaint({"campaigns": [{"name": "x", "coupons": [{"value": "CODE", "usagelimit": 1}]}]})
    assert "/campaigns/0/coupons/0/usagelimit: is not known here; known are attributes, batch_id" in text
    assert "usage_limit" in text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"campaign": []}, "/campaign: is not known here; known are additional_costs, attributes"),
        ({"campaigns": {}}, "/campaigns: campaigns must be an array"),
        ({"campaigns": [{}]}, "/campaigns/0/name: name is required"),
        ({"campaigns": [{"name": ""}]}, "must not be empty"),
        ({"audiences": [{"name": ""}]}, "must not be empty"),
        ({"loyalty_programs": [{}]}, "/loyalty_programs/0/name: name is required"),
        ({"campaigns": [{"name": "x", "achievements": [{"name": "y", "target": 1}]}]}, "title is required"),
        ({"campaigns": [{"name": "x", "state": "on"}]}, '"enabled", "disabled", "archived"'),
        ({"campaigns": [{"name": "x", "features": ["referral"]}]}, "'referral' is none of coupons, referrals"),
        ({"campaigns": [{"name": "x", "rules": [{"name": "r", "then": []}]}]}, "at least one effect"),
        ({"campaigns": [{"name": "x", "audiences": ["VIP"]}]}, "there is no audience 'VIP'"),
        ({"campaigns": [{"name": "x", "coupons": [{"value": "abc"}]}]}, "at least 4 characters"),
        ({"campaigns": [{"name": "x", "start_time": "2026-01-01"}]}, "must be a time by RFC 3339"),
        ({"attributes": [attribute("Spend", "float")]}, "type must be one of the following"),
        ({"attributes": [attribute("Name", "number")]}, "Name exists with the type string"),
        ({"attributes": [attribute("First name", "string")]}, "letters, digits and _"),
        ({"profiles": [{"integration_id": "ann", "attributes": {"Shoes": 1}}]}, '"Shoes" is not defined'),
        ({"loyalty_programs": [{"name": "x", "points": [{"profile": "a", "amount": 1, "ledger": "y"}]}]}, "subledger"),
        ({"giveaway_pools": [{"name": "x", "codes": ["T-1"]}]}, "Each of codes must be an object"),
        ({"additional_costs": [{"name": "x", "subject": "cart"}]}, '"session", "item", "both"'),
        ({"campaigns": [{"name": "x", "start_time": datetime(2026, 1, 1)}]}, "must have an offset"),  # noqa: DTZ001
        ({"campaigns": [{"name": "x", "start_time": NOON.date()}]}, "must be a whole time"),
    ],
)
def test_a_fault_in_a_seed_is_told_where_it_is(source: Any, words: str) -> None:
    assert words in complaint(source)


def test_a_seed_with_a_fault_loads_nothing() -> None:
    door = Door()
    before = tables(door)
    with pytest.raises(ValueError, match="2 faults"):
        load({"audiences": [{"name": "VIP"}], "profiles": [{}, {"who": 1, "integration_id": "x"}]}, door)
    assert tables(door) == before


def test_a_seed_twice_is_refused_and_changes_nothing() -> None:
    door = load({"campaigns": [{"id": 7, "name": "x"}]})
    before = tables(door)
    with pytest.raises(ValueError, match="holds a part of this seed already"):
        load({"audiences": [{"name": "VIP"}], "campaigns": [{"id": 7, "name": "x"}]}, door)
    assert tables(door) == before


def test_an_attribute_that_is_there_already_is_left_as_it_is() -> None:
    door = load({"attributes": [attribute("CDs", "number", title="Discs")]})
    load({"attributes": [attribute("CDs", "number", title="Other"), attribute("Name", "string")]}, door)
    assert door.call("get_attributes", search="discs")["data"][0]["name"] == "CDs"


@pytest.mark.parametrize(
    ("files", "error", "words"),
    [
        ({}, FileNotFoundError, "no sandbox.toml and no sandbox.json"),
        ({"sandbox.toml": "", "sandbox.json": "{}"}, ValueError, "keep one"),
        ({"sandbox.toml": "[[audiences]"}, ValueError, "cannot be read"),
        ({"sandbox.json": '{"profiles": NaN}'}, ValueError, "cannot be read"),
        ({"sandbox.json": "[]"}, ValueError, "must be a table"),
        ({"sandbox.json": "["}, ValueError, "cannot be read"),
    ],
)
def test_a_bad_folder_is_told_in_words(tmp_path: Path, files: dict[str, str], error: Any, words: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(error, match=words):
        load(tmp_path)


# --- the store


def test_an_account_in_a_file_is_there_the_next_time(tmp_path: Path) -> None:
    path = str(tmp_path / "shop.db")
    first = Account(path)
    seed.load(first, {"profiles": [{"integration_id": "ann", "attributes": {"Name": "Ann"}}]})
    first.close()
    second = Account(path, options=Options())
    assert second.db.execute("SELECT integration_id FROM profile").fetchone()[0] == "ann"
    second.close()


def test_a_file_that_is_no_account_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not a sandbox of this version"):
        Account(str(path))
    assert path.read_bytes() == before


def test_a_switch_takes_only_the_words_it_knows() -> None:
    with pytest.raises(ValueError, match=r"code_case must be one of .*'sensitive'.*, not 'upper'"):
        Options(code_case="upper")  # type: ignore[arg-type]
