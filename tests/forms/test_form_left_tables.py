"""Inventories that another kernel left behind: going on with them writes the folder, and says where it is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from front import Hand

import t1data as t1
from t1data.sandbox import Sandbox, Status


def test_inventories_that_were_left_behind_go_on_to_their_folder(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    people = pd.DataFrame({"integration_id": ["a", "b", "c"], "Age": [1, 2, 3]})
    t1.upsert_profiles(client, people, progress=False)
    people[["integration_id"]].to_csv("ids.csv", index=False)
    sandbox.faults.add(Status(401), on="get_customer_inventory", nth=2)
    t1.fetch_inventories(client, "ids.csv", to="stock", connections=1, progress=False)
    sandbox.faults.clear()
    hand = Hand(t1.forms.inventories(client))
    hand.wait()
    hand.press("Resume this run")
    hand.wait()
    assert hand.said() == "Finished: 3 rows accepted, 0 failed."
    assert f"Tables: {tmp_path / 'stock'}" in hand.page()
    assert "Profiles: 3." in hand.page()
    assert len(pd.read_parquet("stock/profiles.parquet")) == 3
    assert "Unfinished run" not in [getattr(each, "description", None) for each in hand.widgets() if offered(each)]


def offered(widget: object) -> bool:
    """Whether there is a choice with anything in it."""
    return bool(getattr(widget, "options", ()))
