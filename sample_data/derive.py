"""Derive every data file of this folder from ``CDNOW_master.txt``.

``python sample_data/derive.py CDNOW_master.txt`` writes the files beside this script, and
``python sample_data/derive.py CDNOW_master.txt FOLDER`` writes them elsewhere. README.md says what they hold.

Money is counted in whole cents and means in whole hundredths until it is written, so that no figure
depends on the order in which floating-point numbers were added.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HEADER = ["customer_id", "date", "number_of_cds", "dollar_value"]
MONEY = pa.decimal128(12, 2)
TIME = pa.timestamp("us", tz="UTC")
END_OF_MARCH, END_OF_JUNE = pd.Timestamp("1998-03-31", tz="UTC"), pd.Timestamp("1998-06-30", tz="UTC")
ADVOCATES, GENEROUS = 500, 50


def read_purchases(path: str | Path) -> pd.DataFrame:
    """Read the master file: one row a purchase, ordered by customer and day.

    Returns
    -------
    DataFrame
        ``integration_id`` and ``order_id`` (text), ``date`` (midnight UTC), ``cds`` (int), ``cents`` (int).
    """
    raw = pd.read_csv(path, sep=r"\s+", dtype=str, keep_default_na=False)
    if list(raw.columns) != HEADER:
        raise ValueError(f"{path}: expected the columns {HEADER}, found {list(raw.columns)}")
    if not raw["dollar_value"].str.fullmatch(r"\d+\.\d\d").all():
        raise ValueError(f"{path}: dollar_value must have exactly two digits after the point")
    purchases = pd.DataFrame(
        {
            "integration_id": raw["customer_id"],
            "date": pd.to_datetime(raw["date"], format="%Y%m%d", utc=True),
            "cds": raw["number_of_cds"].astype("int64"),
            "cents": raw["dollar_value"].str.replace(".", "", regex=False).astype("int64"),
        }
    ).sort_values(["integration_id", "date"], kind="stable", ignore_index=True)
    nth = purchases.groupby("integration_id").cumcount() + 1
    return purchases.assign(order_id=purchases["integration_id"] + "-" + nth.astype(str).str.zfill(3))


def summarise(purchases: pd.DataFrame) -> pd.DataFrame:
    """Count and add up the purchases of each customer; the index is ``integration_id``, sorted."""
    return purchases.groupby("integration_id", sort=True).agg(
        first=("date", "min"),
        last=("date", "max"),
        purchases=("date", "size"),
        cds=("cds", "sum"),
        cents=("cents", "sum"),
    )


def profiles(purchases: pd.DataFrame) -> pa.Table:
    """One row a customer, the columns named as the attributes are."""
    customers = summarise(purchases)
    return pa.table(
        {
            "integration_id": pa.array(customers.index, pa.string()),
            "FirstPurchase": pa.array(customers["first"], TIME),
            "LastPurchase": pa.array(customers["last"], TIME),
            "Purchases": pa.array(customers["purchases"], pa.int64()),
            "CDs": pa.array(customers["cds"], pa.int64()),
            "Spend": money(customers["cents"]),
            "MeanDaysBetweenPurchases": pa.array(mean_days(customers), pa.float64()),
        }
    )


def mean_days(customers: pd.DataFrame) -> pd.Series:
    """Days from first to last purchase over the number of gaps: two digits, halves up; missing without gaps."""
    days = (customers["last"] - customers["first"]).dt.days.astype("Int64")
    gaps = (customers["purchases"] - 1).astype("Int64")
    gaps = gaps.mask(gaps == 0)
    return (200 * days + gaps) // (2 * gaps) / 100


def vip(purchases: pd.DataFrame, day: pd.Timestamp) -> pa.Table:
    """The tenth of the customers so far who had spent most by the end of `day`, ranked from 1."""
    customers = summarise(purchases[purchases["date"] <= day])
    tenth = -(-len(customers) // 10)
    best = customers.sort_values(["cents", "integration_id"], ascending=[False, True]).head(tenth)
    return pa.table(
        {
            "integration_id": pa.array(best.index, pa.string()),
            "Spend": money(best["cents"]),
            "Purchases": pa.array(best["purchases"], pa.int64()),
            "rank": pa.array(range(1, len(best) + 1), pa.int64()),
        }
    )


def advocates(purchases: pd.DataFrame) -> pa.Table:
    """The customers who bought most often in the last quarter; the first few may refer more friends."""
    quarter = summarise(purchases[(purchases["date"] > END_OF_MARCH) & (purchases["date"] <= END_OF_JUNE)])
    by = ["purchases", "cents", "integration_id"]
    best = quarter.sort_values(by, ascending=[False, False, True]).head(ADVOCATES)
    return pa.table(
        {
            "integration_id": pa.array(best.index, pa.string()),
            "usage_limit": pa.array([5 if place < GENEROUS else 1 for place in range(len(best))], pa.int64()),
            "quarter_purchases": pa.array(best["purchases"], pa.int64()),
            "quarter_spend": money(best["cents"]),
        }
    )


def orders(purchases: pd.DataFrame) -> pa.Table:
    """Every purchase, by customer and day."""
    return pa.table(
        {
            "order_id": pa.array(purchases["order_id"], pa.string()),
            "integration_id": pa.array(purchases["integration_id"], pa.string()),
            "date": pa.array(purchases["date"], TIME),
            "cds": pa.array(purchases["cds"], pa.int64()),
            "amount": money(purchases["cents"]),
        }
    )


def money(cents: Iterable[int]) -> pa.Array:
    """Whole cents as exact decimals with two digits."""
    return pa.array([Decimal(int(value)).scaleb(-2) for value in cents], MONEY)


def write_csv(table: pa.Table, path: Path) -> None:
    """Write comma-separated UTF-8 with line feeds; a missing value is an empty cell."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.column_names)
        writer.writerows(zip(*([as_text(cell) for cell in column.to_pylist()] for column in table), strict=True))


def as_text(cell: str | int | float | Decimal | datetime | None) -> str:
    """Write one cell: times as RFC 3339 in UTC, means with two digits."""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(cell, float):
        return f"{cell:.2f}"
    return "" if cell is None else str(cell)


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write one Parquet file; with one version of pyarrow the same table gives the same bytes."""
    pq.write_table(table, path, compression="zstd")


def main(master: str, folder: str | Path = Path(__file__).parent) -> None:
    """Write all files into `folder`."""
    folder = Path(folder)
    purchases = read_purchases(master)
    customers = profiles(purchases)
    write_csv(customers, folder / "profiles.csv")
    write_parquet(customers, folder / "profiles.parquet")
    write_csv(vip(purchases, END_OF_MARCH), folder / "vip_before.csv")
    write_parquet(vip(purchases, END_OF_JUNE), folder / "vip_after.parquet")
    write_csv(advocates(purchases), folder / "advocates.csv")
    write_parquet(orders(purchases), folder / "orders.parquet")
    print(f"{customers.num_rows:,} customers, {len(purchases):,} purchases")


if __name__ == "__main__":
    main(*sys.argv[1:3])
