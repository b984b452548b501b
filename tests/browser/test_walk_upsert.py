"""A person upserts customers, in JupyterLab and as an app of Voila."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from person import connect, form, open_in_lab, people, press, save_in_lab, violations
from servers import Server

from t1data.sandbox import Delay, Sandbox

CELLS = (
    "import t1data as t1\nconnection = t1.forms.connect()\nconnection",
    "form = t1.forms.upsert(connection)\nform",
)
ROWS = 12_000
GOOD = ROWS - ROWS // 40
UPSERT = "update_customer_profiles_v2"


def declare(sandbox: Sandbox) -> None:
    kinds = {"EmailAddress": "string", "Age": "number"}
    sandbox.load({"attributes": [{"name": n, "entity": "CustomerProfile", "type": t} for n, t in kinds.items()]})


def walk(page: Any, sandbox: Sandbox, shots: Path, name: str) -> None:
    declare(sandbox)
    connect(page, sandbox)
    place = form(page, "Upsert customers")

    def shot(what: str) -> None:
        place.screenshot(path=shots / f"{name}-{what}.png")

    shot("1-empty")
    place.get_by_label("Rows from").select_option("A file of my own machine")
    place.get_by_label("Upload a file").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": people(ROWS, bad=40, note=1000)}  # 12 MB
    )
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
    with page.expect_download() as download:
        press(place, "Download failed rows")
    with download.value.path().open(newline="") as file:
        rows = list(csv.DictReader(file))
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


def test_a_person_upserts_customers_in_lab(page: Any, lab: Server, sandbox: Sandbox, shots: Path) -> None:
    open_in_lab(page, lab, lab.write("upsert.ipynb", *CELLS))
    walk(page, sandbox, shots, "lab-upsert")
    assert violations(page) == []
    save_in_lab(page)
    assert "application/vnd.jupyter.widget-state+json" in (lab.work / "upsert.ipynb").read_text()
    assert lab.files_with(sandbox.api_key, "c3000@people") == []


def test_a_person_upserts_customers_in_an_app(page: Any, voila: Server, sandbox: Sandbox, shots: Path) -> None:
    voila.write("forms.ipynb", *CELLS)
    voila.start()
    page.goto(voila.url)
    form(page, "Connect").wait_for(timeout=60_000)
    walk(page, sandbox, shots, "voila-upsert")
    assert violations(page) == []
    assert voila.files_with(sandbox.api_key, "c3000@people") == []
