"""A person works with the forms in JupyterLab."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from person import connect, form, open_in_lab, people, press, save_in_lab, turn, violations
from servers import PAGE_OF_FORMS, Server
from walks import UPSERT, account, all_forms, upload_and_upsert

from t1data.sandbox import Delay, Sandbox

CONNECT = "import t1data as t1\nconnection = t1.forms.connect()\nconnection"

pytestmark = pytest.mark.timeout(600)  # a walk is long, and a machine may have more to do


def test_a_person_upserts_customers_in_lab(
    page: Any, lab: Server, sandbox: Sandbox, shots: Path, tmp_path: Path
) -> None:
    account(sandbox)
    notebook = lab.write("upsert.ipynb", CONNECT, "form = t1.forms.upsert(connection)\nform")
    open_in_lab(page, lab, notebook)
    connect(page, sandbox)
    upload_and_upsert(page, sandbox, tmp_path, shots=shots, name="lab-upsert")
    assert violations(page) == []
    save_in_lab(page)
    assert "application/vnd.jupyter.widget-state+json" in notebook.read_text()
    assert lab.files_with(sandbox.api_key, "c3000@people") == []


def test_a_person_works_with_all_forms_in_lab(page: Any, lab: Server, sandbox: Sandbox, shots: Path) -> None:
    account(sandbox)
    open_in_lab(page, lab, lab.work / PAGE_OF_FORMS.name)
    all_forms(page, sandbox, shots=shots, name="lab")
    assert violations(page) == []
    turn(page, "JupyterLab Dark")
    for number, each in enumerate(page.locator(".t1-form:visible").all(), start=1):
        each.screenshot(path=shots / f"lab-dark-{number}.png")
    assert violations(page) == []
    save_in_lab(page)
    assert lab.files_with(sandbox.api_key, sandbox.management_key) == []


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

    page.goto("about:blank")
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
    listed.locator("img").wait_for()
    listed.screenshot(path=shots / "lab-runs.png")
    assert violations(page) == []
