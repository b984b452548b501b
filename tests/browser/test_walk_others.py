"""A person creates codes, goes on with a run that a dead kernel left behind, and does without a mouse."""

from __future__ import annotations

import csv
import json
import urllib.request
from pathlib import Path
from typing import Any

from person import connect, form, open_in_lab, people, press, save_in_lab, violations
from servers import Server

from t1data.sandbox import Delay, Sandbox

CONNECT = "import t1data as t1\nconnection = t1.forms.connect()\nconnection"
REFERRALS = "create_referrals_for_multiple_advocates"
UPSERT = "update_customer_profiles_v2"
DARK = "JupyterLab Dark"


def campaign(sandbox: Sandbox) -> None:
    sandbox.load({"campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"]}]})


def test_a_person_creates_codes_in_lab_in_the_dark(page: Any, lab: Server, sandbox: Sandbox, shots: Path) -> None:
    campaign(sandbox)
    frame = 'import pandas as pd\nfriends = pd.DataFrame({"integration_id": [f"person-{n}" for n in range(1500)]})'
    notebook = lab.write("referrals.ipynb", CONNECT, f"{frame}\nt1.forms.referrals(connection)")
    open_in_lab(page, lab, notebook, theme=DARK)
    connect(page, sandbox).screenshot(path=shots / "dark-connected.png")
    place = form(page, "Create referral codes")
    place.get_by_label("Rows from").select_option("A frame of this notebook")
    place.get_by_label("Frame", exact=True).select_option("friends")
    place.get_by_label("Campaign", exact=True).fill("45")
    place.get_by_label("Pattern").fill("FRIEND-######")
    press(place, "Check")
    place.get_by_text("Checked: 1,500 codes would be created").wait_for()
    assert place.get_by_role("button", name="Run", exact=True).is_disabled()
    place.screenshot(path=shots / "dark-referrals-1-unconfirmed.png")
    place.get_by_label("Type: create 1,500").fill("create 1,500")
    sandbox.faults.add(Delay(0.4), on=REFERRALS)
    press(place, "Run")
    place.get_by_text("Finished: 1,500 rows accepted, 0 failed.").wait_for()
    place.locator("img").wait_for()
    place.screenshot(path=shots / "dark-referrals-2-finished.png")
    with page.expect_download() as download:
        press(place, "Download codes")
    with download.value.path().open(newline="") as file:
        codes = [row["code"] for row in csv.DictReader(file)]
    assert len(set(codes)) == 1500
    assert all(code.startswith("FRIEND-") for code in codes)
    press(place, "Copy code")
    place.get_by_text("copied").wait_for()
    assert "t1.create_referrals(" in page.evaluate("navigator.clipboard.readText()")
    assert violations(page) == []
    save_in_lab(page)
    assert lab.files_with(sandbox.api_key) == []
    # A journal of codes keeps answers as they came, so that no code is lost; other walks have left journals too.
    assert lab.files_with("person-900") == [path for path in lab.journals() if "create-referrals" in path]


def end_kernels(lab: Server) -> None:
    """End every kernel, as a machine does that runs out of memory."""
    base = f"{lab.url}/api/kernels"
    with urllib.request.urlopen(f"{base}?token={lab.token}") as answer:
        kernels = json.load(answer)
    for kernel in kernels:
        request = urllib.request.Request(f"{base}/{kernel['id']}?token={lab.token}", method="DELETE")
        urllib.request.urlopen(request).close()


def test_a_run_that_a_dead_kernel_left_behind_goes_on(page: Any, lab: Server, sandbox: Sandbox, shots: Path) -> None:
    rows = 12_000
    (lab.work / "people.csv").write_bytes(people(rows, host="left.example"))
    names = {"Email": "string", "Age": "number", "Note": "string"}
    sandbox.load({"attributes": [{"name": n, "entity": "CustomerProfile", "type": t} for n, t in names.items()]})
    notebook = lab.write("left.ipynb", CONNECT, "form = t1.forms.upsert(connection)\nform", "t1.forms.runs(connection)")
    slow = sandbox.faults.add(Delay(1.5), on=UPSERT)
    open_in_lab(page, lab, notebook)
    connect(page, sandbox)
    place = form(page, "Upsert customers")
    place.get_by_label("File on this server").select_option("people.csv")
    place.get_by_label("Use of customer_id").select_option("customer id")
    place.get_by_label("More options").check()
    place.get_by_label("Requests at once").fill("1")
    place.screenshot(path=shots / "lab-more-options.png")
    press(place, "Check")
    place.get_by_text(f"Checked: {rows:,} rows").wait_for()
    press(place, "Run")
    place.get_by_text("rows/s").wait_for()
    end_kernels(lab)
    assert 0 < slow.seen < 12
    sandbox.faults.clear()

    open_in_lab(page, lab, notebook)
    connect(page, sandbox)
    place = form(page, "Upsert customers")
    place.get_by_role("heading", name="Left behind").wait_for()
    place.get_by_text("It was cut off or stopped.").wait_for()
    place.screenshot(path=shots / "lab-left-behind.png")
    press(place, "Resume this run")
    place.get_by_text(f"Finished: {rows:,} rows accepted, 1 failed.").wait_for()
    listed = form(page, "Runs")
    press(listed, "Look again")
    press(listed, "Show")
    listed.get_by_text(f"Finished: {rows:,} rows accepted, 1 failed.").wait_for()
    listed.screenshot(path=shots / "lab-runs.png")
    assert violations(page) == []


def test_a_person_connects_by_the_keyboard_alone(page: Any, lab: Server, sandbox: Sandbox) -> None:
    open_in_lab(page, lab, lab.write("keyboard.ipynb", CONNECT))
    place = form(page, "Connect")
    place.get_by_label("Connect with").focus()
    page.keyboard.press("Tab")
    page.keyboard.type(sandbox.base_url)
    page.keyboard.press("Tab")
    page.keyboard.type(sandbox.api_key)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    place.get_by_text("Connected to").wait_for()
