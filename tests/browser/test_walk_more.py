"""A person opens the forms for coupons, sessions, inventories, audiences and erasure, and runs the first three."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from person import connect, form, open_in_lab, press, save_in_lab, violations
from servers import Server

from t1data.sandbox import Sandbox

CONNECT = "import t1data as t1\nimport pandas as pd\nconnection = t1.forms.connect()\nconnection"
ROWS = """
customers = pd.DataFrame({"integration_id": [f"walker-{n}" for n in range(40)]})
carts = customers.assign(session_id=customers["integration_id"], state="closed")
items = carts[["session_id"]].assign(sku="cd", quantity=2, price=20.0)
pairs = customers.assign(coupon="25%OFF")
"""
CELLS = (
    CONNECT,
    f"{ROWS}\nt1.forms.coupons(connection, pairs)",
    "t1.forms.sessions(connection, carts)",
    "t1.forms.inventories(connection, customers)",
    "t1.forms.audiences(connection, customers)",
    "t1.forms.erasure(connection, customers)",
)
TEN_OFF = {"name": "Ten off", "when": {}, "then": [{"effect": "setDiscount", "name": "Ten", "amount": 10}]}
SEED = {
    "campaigns": [
        {"id": 46, "name": "Summer", "features": ["coupons"], "coupons": [{"value": "25%OFF"}]},
        {"id": 47, "name": "Ten dollars off", "rules": [TEN_OFF]},
    ],
    "audiences": [{"id": 748, "name": "VIP", "members": [f"walker-{n}" for n in range(20, 60)]}],
}


def test_a_person_runs_the_other_forms_in_lab(page: Any, lab: Server, sandbox: Sandbox, shots: Path) -> None:
    sandbox.load(SEED)
    open_in_lab(page, lab, lab.write("more.ipynb", *CELLS))
    place = form(page, "Connect")
    place.get_by_label("Management key").fill(sandbox.management_key)
    connect(page, sandbox)
    replay(page, shots)
    reserve(page, shots)
    read(page, shots)
    page.evaluate("void jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_function("() => document.body.dataset.jpThemeName === 'JupyterLab Dark'")
    compare(page, shots)
    erase(page, shots)
    assert violations(page) == []
    save_in_lab(page)
    assert lab.files_with(sandbox.api_key, sandbox.management_key) == []


def replay(page: Any, shots: Path) -> None:
    """Ask the campaigns about carts, whose items are a second input."""
    place = form(page, "Sessions")
    place.get_by_label("Items: rows from").select_option("A frame of this notebook")
    place.get_by_label("Items: frame").select_option("items")
    press(place, "Check")
    place.get_by_text("Checked: 40 sessions would be asked about").wait_for()
    press(place, "Run")
    place.get_by_text("Finished: 40 rows accepted, 0 failed.").wait_for()
    place.get_by_role("img", name="400 of discount from 1 campaign").wait_for()
    place.screenshot(path=shots / "lab-sessions.png")
    place.get_by_label("Table", exact=True).select_option("Totals")
    place.get_by_text("Totals, the first 5").wait_for()


def reserve(page: Any, shots: Path) -> None:
    """Reserve coupons, and look who holds them."""
    place = form(page, "Coupons")
    press(place, "Check")
    place.get_by_text("Checked: 40 pairs").wait_for()
    press(place, "Run")
    place.get_by_text("Finished: 40 rows accepted, 0 failed.").wait_for()
    place.get_by_label("What to do").select_option("release coupons of customers")
    press(place, "Check")
    place.get_by_label("Type: release 40").wait_for()
    place.screenshot(path=shots / "lab-coupons.png")


def read(page: Any, shots: Path) -> None:
    """Read inventories, look at one of their tables, and take it along."""
    place = form(page, "Inventories")
    place.get_by_label("achievements").uncheck()
    press(place, "Check")
    place.get_by_text("Checked: 40 customers would be read").wait_for()
    press(place, "Run")
    place.get_by_text("Finished:").wait_for()
    place.get_by_label("Table", exact=True).select_option("Coupons")
    place.get_by_role("img", name="20 coupons").wait_for()
    place.screenshot(path=shots / "lab-inventories.png")
    with page.expect_download() as download:
        press(place, "Download this table")
    with download.value.path().open(newline="") as file:
        assert {row["coupon"] for row in csv.DictReader(file)} == {"25%OFF"}


def compare(page: Any, shots: Path) -> None:
    """See who would join and leave an audience."""
    place = form(page, "Audience")
    place.get_by_label("Audience", exact=True).fill("VIP")
    press(place, "Check")
    place.get_by_text("Checked: 20 customers would be added, 20 taken out.").wait_for()
    place.get_by_role("img", name="40 members become 40").wait_for()
    assert place.get_by_role("button", name="Run", exact=True).is_disabled()
    place.screenshot(path=shots / "dark-audience.png")


def erase(page: Any, shots: Path) -> None:
    """See what an erasure would do."""
    place = form(page, "Erase customers")
    press(place, "Check")
    place.get_by_label("Type: erase 40").wait_for()
    assert place.get_by_role("button", name="Run", exact=True).is_disabled()
    place.screenshot(path=shots / "dark-erasure.png")
