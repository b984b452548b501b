"""What a person does with each form, the same in JupyterLab and as an app: on the page of all forms, in its order."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from person import connect, form, people, press

from t1data.sandbox import Delay, Sandbox

SAMPLE = Path(__file__).parents[2] / "sample_data"
UPSERT = "update_customer_profiles_v2"
ROWS = 12_000
GOOD = ROWS - ROWS // 40


def account(sandbox: Sandbox) -> None:
    """Fill the account with what the sample data are about."""
    with (SAMPLE / "vip_before.csv").open(newline="") as file:
        best = [row["integration_id"] for row in csv.DictReader(file)]
    kinds = {"EmailAddress": "string", "Age": "number"}
    sandbox.load(SAMPLE)
    sandbox.load({"attributes": [{"name": n, "entity": "CustomerProfile", "type": t} for n, t in kinds.items()]})
    sandbox.load({"audiences": [{"name": "Best customers", "members": best}]})


def downloaded(page: Any, place: Any, button: str) -> list[dict[str, str]]:
    """Press a button that brings a table, and read it back."""
    with page.expect_download() as download:
        press(place, button)
    with download.value.path().open(newline="") as file:
        return list(csv.DictReader(file))


def upload_and_upsert(page: Any, sandbox: Sandbox, folder: Path, *, shots: Path, name: str) -> None:
    """Upload more than a page sends at once, and see every state that a form has."""
    place = form(page, "Upsert customers")
    file = folder / "people.csv"
    file.write_bytes(people(ROWS, bad=40, note=1000))  # 12 MB

    def shot(what: str) -> None:
        place.screenshot(path=shots / f"{name}-{what}.png")

    shot("1-empty")
    place.get_by_label("Rows from").select_option("A file of my own machine")
    place.get_by_label("Upload a file").set_input_files(file)
    place.get_by_text("Chosen: people.csv").wait_for()
    press(place, "Check")
    place.get_by_text("No column is the customer id").wait_for()
    shot("2-no-id")
    place.get_by_label("Use of customer_id").select_option("customer id")
    place.get_by_label("Attribute of Email").fill("EmailAddress")
    place.get_by_label("Type of Age").select_option("number")
    place.get_by_label("Use of Note").select_option("leave out")
    press(place, "Check")
    place.get_by_text(f"Checked: {GOOD:,} rows would be sent in 12 requests, 301 cannot be sent.").wait_for()
    shot("3-checked")
    press(place, "Send one row")
    place.get_by_text("One row was sent and accepted").wait_for()
    shot("4-tried")

    slow = sandbox.faults.add(Delay(0.4), on=UPSERT)
    press(place, "Run")
    place.get_by_text("rows/s").wait_for()
    press(place, "Pause")
    place.get_by_text(", paused").wait_for()
    shot("5-paused")
    press(place, "Go on")
    place.get_by_text(f"Finished: {GOOD:,} rows accepted, 301 failed.").wait_for()
    place.locator("img").wait_for()
    shot("6-finished")
    rows = downloaded(page, place, "Download failed rows")
    assert len(rows) == 301
    assert rows[0] == {"customer_id": "C000007", "Email": "c7@people.example", "Age": "n/a", "Note": "x" * 1000}

    press(place, "Check")
    place.get_by_text("Checked:").wait_for()
    press(place, "Run")
    place.get_by_text("rows/s").wait_for()
    press(place, "Cancel")
    place.get_by_text("Cancelled:").wait_for(timeout=3000)
    place.locator("img").wait_for()
    shot("7-cancelled")
    press(place, "Resume")
    place.get_by_text(f"Finished: {GOOD:,} rows accepted").wait_for()
    press(place, "Run again with the failed rows only")
    place.get_by_text("Chosen: the failed rows of run").wait_for()
    shot("8-again")
    assert slow.seen >= 8
    sandbox.faults.clear()


def all_forms(page: Any, sandbox: Sandbox, *, shots: Path, name: str) -> None:
    """Go down the page of forms."""
    place = form(page, "Connect")
    place.get_by_label("Connect with").select_option("what I type here")
    place.get_by_label("Management key").fill(sandbox.management_key)
    connect(page, sandbox).screenshot(path=shots / f"{name}-1-connect.png")
    for number, step in enumerate((send, create, reserve, replay, compare, read, erase, look_back), start=2):
        step(page).screenshot(path=shots / f"{name}-{number}-{step.__name__}.png")


def run(place: Any, rows: int) -> None:
    """Run what was checked, all of whose rows are accepted, and wait for the picture of the run."""
    press(place, "Run")
    place.get_by_text(f"Finished: {rows:,} rows accepted, 0 failed.").wait_for()
    place.get_by_role("img", name=f"{rows:,} of {rows:,} rows accepted").wait_for()


def send(page: Any) -> Any:
    """Upsert the customers of the sample."""
    place = form(page, "Upsert customers")
    press(place, "Check")
    place.get_by_text("Checked: 23,570 rows would be sent in 24 requests, 0 cannot be sent.").wait_for()
    run(place, 23_570)
    return place


def create(page: Any) -> Any:
    """Create referral codes for advocates in a file, once their number is typed."""
    place = form(page, "Create referral codes")
    place.get_by_label("Or its path").fill("../sample_data/advocates.csv")
    place.get_by_label("Campaign", exact=True).fill("45")
    place.get_by_label("Pattern").fill("FRIEND-######")
    press(place, "Check")
    place.get_by_text("Checked: 500 codes would be created").wait_for()
    assert place.get_by_role("button", name="Run", exact=True).is_disabled()
    place.get_by_label("Type: create 500").fill("create 500")
    run(place, 500)
    codes = [row["code"] for row in downloaded(page, place, "Download codes")]
    assert len(set(codes)) == 500
    assert all(code.startswith("FRIEND-") for code in codes)
    press(place, "Copy code")
    place.get_by_text("copied").wait_for()
    assert "t1.create_referrals(" in page.evaluate("navigator.clipboard.readText()")
    return place


def reserve(page: Any) -> Any:
    """Reserve coupons, and see what it takes to release them."""
    place = form(page, "Coupons")
    press(place, "Check")
    place.get_by_text("Checked: 77 pairs").wait_for()
    run(place, 77)
    place.get_by_label("What to do").select_option("release coupons of customers")
    press(place, "Check")
    place.get_by_label("Type: release 77").wait_for()
    assert place.get_by_role("button", name="Run", exact=True).is_disabled()
    return place


def replay(page: Any) -> Any:
    """Ask the campaigns about carts, and have seen enough before all are asked."""
    place = form(page, "Sessions")
    press(place, "Check")
    place.get_by_text("Checked: 300 sessions would be asked about, and nothing changed").wait_for()
    press(place, "Run")
    place.get_by_text("rows/s").wait_for()
    press(place, "Cancel")
    place.get_by_text("Cancelled:").wait_for(timeout=3000)
    place.get_by_role("img", name="of discount from 1 campaign").wait_for()
    place.get_by_label("Table", exact=True).select_option("Totals")
    place.get_by_text("Totals, the first 5").wait_for()
    return place


def compare(page: Any) -> Any:
    """See who would join and leave an audience, and let it happen."""
    place = form(page, "Audience")
    place.get_by_label("Audience", exact=True).fill("Best customers")
    press(place, "Check")
    place.get_by_text("Checked: 180 customers would be added, 180 taken out.").wait_for()
    place.get_by_role("img", name="2,357 members become 2,357").wait_for()
    place.get_by_label("Type: take out 180").fill("take out 180")
    run(place, 360)
    return place


def read(page: Any) -> Any:
    """Read inventories, look at one of their tables, and take it along."""
    place = form(page, "Inventories")
    place.get_by_label("achievements").uncheck()
    press(place, "Check")
    place.get_by_text("Checked: 77 customers would be read").wait_for()
    run(place, 77)
    place.get_by_label("Table", exact=True).select_option("Coupons")
    place.get_by_role("img", name="coupons").wait_for()
    assert "SUMMER25%OFF" in {row["coupon"] for row in downloaded(page, place, "Download this table")}
    return place


def erase(page: Any) -> Any:
    """Erase two customers whose ids are pasted."""
    place = form(page, "Erase customers")
    place.get_by_label("Rows from").select_option("Ids that I paste")
    place.get_by_label("Ids, one a line").fill("00001\n00002")
    page.keyboard.press("Tab")  # ids are taken when the field is left
    press(place, "Check")
    place.get_by_label("Type: erase 2").fill("erase 2")
    run(place, 2)
    place.get_by_text("whole and unchanged").wait_for()
    return place


def look_back(page: Any) -> Any:
    """See in the list of runs what was done."""
    place = form(page, "Runs")
    press(place, "Look again")
    place.get_by_role("cell", name="erase customers").first.wait_for()
    place.get_by_label("Run", exact=True).select_option(index=0)
    press(place, "Show")
    place.get_by_text("Finished: 2 rows accepted, 0 failed.").wait_for()
    place.get_by_role("img", name="2 of 2 rows accepted").wait_for()
    return place
