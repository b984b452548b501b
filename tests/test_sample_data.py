"""The sample data is what its README says, and ``derive.py`` makes such data from any purchase records."""

from __future__ import annotations

import csv
import importlib.util
from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

FOLDER = Path(__file__).parents[1] / "sample_data"
DATA_FILES = {
    "profiles.csv",
    "profiles.parquet",
    "vip_before.csv",
    "vip_after.parquet",
    "advocates.csv",
    "orders.parquet",
}
MADE_UP = """\
 customer_id  date number_of_cds  dollar_value
 00001 19970101  1   11.77
 00002 19970112  1   12.00
 00002 19970112  5   77.00
 00003 19970102  2   20.05
 00003 19980401  1    0.00
 00003 19980330  2   20.95
 00003 19980701  4  100.00
"""


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_parquet(path: Path) -> list[dict[str, object]]:
    return pq.read_table(path).to_pylist()


def derive_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("derive", FOLDER / "derive.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def derived(tmp_path: Path) -> Path:
    master = tmp_path / "records.txt"
    master.write_bytes(MADE_UP.replace("\n", "\r\n").encode())
    folder = tmp_path / "derived"
    folder.mkdir()
    derive_module().main(str(master), folder)
    return folder


def as_typed(row: dict[str, str]) -> dict[str, object]:
    mean = row["MeanDaysBetweenPurchases"]
    return {
        "integration_id": row["integration_id"],
        "FirstPurchase": datetime.strptime(row["FirstPurchase"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        "LastPurchase": datetime.strptime(row["LastPurchase"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        "Purchases": int(row["Purchases"]),
        "CDs": int(row["CDs"]),
        "Spend": Decimal(row["Spend"]),
        "MeanDaysBetweenPurchases": float(mean) if mean else None,
    }


def test_the_two_profile_files_are_equal_value_by_value():
    text, typed = read_csv(FOLDER / "profiles.csv"), read_parquet(FOLDER / "profiles.parquet")
    assert [as_typed(row) for row in text] == typed
    assert [row["Spend"] for row in text] == [str(row["Spend"]) for row in typed]


def test_profiles_have_the_types_that_their_readme_names():
    assert pq.read_schema(FOLDER / "profiles.parquet").remove_metadata() == pa.schema(
        {
            "integration_id": pa.string(),
            "FirstPurchase": pa.timestamp("us", tz="UTC"),
            "LastPurchase": pa.timestamp("us", tz="UTC"),
            "Purchases": pa.int64(),
            "CDs": pa.int64(),
            "Spend": pa.decimal128(12, 2),
            "MeanDaysBetweenPurchases": pa.float64(),
        }
    )


def test_ids_are_the_numbers_1_to_23570_with_their_leading_zeros():
    expected = [f"{number:05d}" for number in range(1, 23_571)]
    assert [row["integration_id"] for row in read_csv(FOLDER / "profiles.csv")] == expected


def test_every_purchase_is_there_and_adds_up_to_each_profile():
    bought, spent, cds, ids = Counter(), defaultdict(Decimal), Counter(), set()
    for order in read_parquet(FOLDER / "orders.parquet"):
        customer = order["integration_id"]
        ids.add(order["order_id"])
        bought[customer] += 1
        cds[customer] += order["cds"]
        spent[customer] += order["amount"]
    assert len(ids) == bought.total() == 69_659
    profiles = read_parquet(FOLDER / "profiles.parquet")
    assert {p["integration_id"]: (p["Purchases"], p["CDs"], p["Spend"]) for p in profiles} == {
        customer: (bought[customer], cds[customer], spent[customer]) for customer in bought
    }
    assert sum(p["Spend"] for p in profiles) == Decimal("2500315.63")


def test_the_mean_is_empty_exactly_for_customers_who_bought_once():
    for profile in read_parquet(FOLDER / "profiles.parquet"):
        mean, gaps = profile["MeanDaysBetweenPurchases"], profile["Purchases"] - 1
        assert (mean is None) == (gaps == 0)
        if mean is not None:
            days = (profile["LastPurchase"] - profile["FirstPurchase"]).days
            assert abs(Decimal(str(mean)) - Decimal(days) / gaps) <= Decimal("0.005")


@pytest.mark.parametrize("name", ["vip_before.csv", "vip_after.parquet"])
def test_the_vips_are_the_tenth_with_the_highest_spend_in_order(name: str):
    rows = read_csv(FOLDER / name) if name.endswith("csv") else read_parquet(FOLDER / name)
    assert [int(row["rank"]) for row in rows] == list(range(1, 2_358))
    order = [(-Decimal(row["Spend"]), row["integration_id"]) for row in rows]
    assert order == sorted(order)
    assert len({row["integration_id"] for row in rows}) == 2_357


def test_the_vips_of_june_are_the_best_profiles_and_180_of_them_are_new():
    profiles = read_parquet(FOLDER / "profiles.parquet")
    best = sorted(profiles, key=lambda p: (-p["Spend"], p["integration_id"]))[:2_357]
    after = [row["integration_id"] for row in read_parquet(FOLDER / "vip_after.parquet")]
    assert after == [p["integration_id"] for p in best]
    before = {row["integration_id"] for row in read_csv(FOLDER / "vip_before.csv")}
    assert len(set(after) - before) == len(before - set(after)) == 180


def test_the_advocates_are_500_customers_who_bought_most_in_the_last_quarter():
    quarter = Counter(
        order["integration_id"]
        for order in read_parquet(FOLDER / "orders.parquet")
        if order["date"] >= datetime(1998, 4, 1, tzinfo=UTC)
    )
    rows = read_csv(FOLDER / "advocates.csv")
    advocates = {row["integration_id"]: int(row["quarter_purchases"]) for row in rows}
    assert len(advocates) == len(rows) == 500
    assert advocates == {customer: quarter[customer] for customer in advocates}
    others = max(count for customer, count in quarter.items() if customer not in advocates)
    assert min(advocates.values()) >= others
    assert [row["usage_limit"] for row in rows] == ["5"] * 50 + ["1"] * 450


def test_the_folder_is_small():
    sizes = {path.name: path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()}
    assert sizes.keys() >= DATA_FILES
    assert max(sizes.values()) < 4_000_000
    assert sum(sizes.values()) < 8_000_000


def test_derive_writes_exactly_the_data_files(derived: Path):
    assert {path.name for path in derived.iterdir()} == DATA_FILES


def test_derive_writes_profiles_as_the_readme_says(derived: Path):
    assert (derived / "profiles.csv").read_bytes().decode() == (
        "integration_id,FirstPurchase,LastPurchase,Purchases,CDs,Spend,MeanDaysBetweenPurchases\n"
        "00001,1997-01-01T00:00:00Z,1997-01-01T00:00:00Z,1,1,11.77,\n"
        "00002,1997-01-12T00:00:00Z,1997-01-12T00:00:00Z,2,6,89.00,0.00\n"
        "00003,1997-01-02T00:00:00Z,1998-07-01T00:00:00Z,4,9,141.00,181.67\n"
    )
    assert [as_typed(row) for row in read_csv(derived / "profiles.csv")] == read_parquet(derived / "profiles.parquet")


def test_derive_ranks_customers_by_what_they_had_spent_by_the_day(derived: Path):
    assert (derived / "vip_before.csv").read_text() == (
        "integration_id,Spend,Purchases,rank\n00002,89.00,2,1\n"  # 00003 has 141.00 only after June
    )
    assert read_parquet(derived / "vip_after.parquet") == [
        {"integration_id": "00002", "Spend": Decimal("89.00"), "Purchases": 2, "rank": 1}
    ]


def test_derive_takes_advocates_from_the_last_quarter_alone(derived: Path):
    assert (derived / "advocates.csv").read_text() == (
        "integration_id,usage_limit,quarter_purchases,quarter_spend\n00003,5,1,0.00\n"
    )


def test_derive_numbers_the_orders_of_a_customer_by_day(derived: Path):
    orders = read_parquet(derived / "orders.parquet")
    assert [(o["order_id"], str(o["date"].date()), o["cds"], str(o["amount"])) for o in orders[3:]] == [
        ("00003-001", "1997-01-02", 2, "20.05"),
        ("00003-002", "1998-03-30", 2, "20.95"),
        ("00003-003", "1998-04-01", 1, "0.00"),
        ("00003-004", "1998-07-01", 4, "100.00"),
    ]


def test_derive_gives_the_same_bytes_again(derived: Path, tmp_path: Path):
    again = tmp_path / "again"
    again.mkdir()
    derive_module().main(str(tmp_path / "records.txt"), again)
    for path in derived.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (" id date cds dollars\n 1 19970101 1 2.00\n", "expected the columns"),
        (MADE_UP + " 00004 19970101 1 2.5\n", "two digits"),
        (MADE_UP + " 00004 19979901 1 2.50\n", "%Y%m%d"),
    ],
)
def test_derive_refuses_records_of_another_form(text: str, complaint: str, tmp_path: Path):
    master = tmp_path / "records.txt"
    master.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        derive_module().main(str(master), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["records.txt"]
