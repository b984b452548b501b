"""What a person does on a page: by labels and roles, and by nothing that is not to be seen."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from servers import Server

from t1data.sandbox import Sandbox

KERNEL_IS_IDLE = """() => {
    const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
    return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
}"""


def open_in_lab(page: Any, lab: Server, notebook: Path, *, theme: str = "JupyterLab Light") -> None:
    """Open a notebook and run all of its cells."""
    page.goto(f"{lab.url}/lab/tree/{notebook.name}?token={lab.token}&reset")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.wait_for_function(KERNEL_IS_IDLE)  # the indicator says idle before there is a kernel at all
    page.evaluate(f"void jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}})")
    page.wait_for_function(f"() => document.body.dataset.jpThemeName === '{theme}'")
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")


def save_in_lab(page: Any) -> None:
    """Save the notebook and wait until it is saved."""
    page.evaluate("void jupyterapp.commands.execute('docmanager:save').then(() => { window.t1saved = true })")
    page.wait_for_function("() => window.t1saved")


def form(page: Any, title: str) -> Any:
    """Return the form of this title."""
    return page.locator(".t1-form").filter(has=page.get_by_role("heading", name=title, exact=True, level=2)).first


def press(place: Any, name: str) -> None:
    place.get_by_role("button", name=name, exact=True).click()


def connect(page: Any, sandbox: Sandbox) -> Any:
    """Connect as a person does who mistypes the key first."""
    place = form(page, "Connect")
    place.get_by_label("Base URL").fill(sandbox.base_url)
    place.get_by_label("API key").fill("wrong-key-0123456789")
    press(place, "Test connection")
    place.get_by_text("the API key was not accepted").wait_for()
    place.get_by_label("API key").fill(sandbox.api_key)
    press(place, "Test connection")
    place.get_by_text("Connected to").wait_for()
    assert place.get_by_label("API key").input_value() == ""
    return place


def people(rows: int, *, bad: int | None = None, host: str = "people.example", note: int = 0) -> bytes:
    """Write customers as a file: every so many, if any, has an age that is none; one has no id; notes make it large."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["customer_id", "Email", "Age", "Note"])
    for number in range(rows):
        age = "n/a" if bad and number % bad == 7 else 20 + number % 50
        lines.writerow([f"C{number:06d}", f"c{number}@{host}", age, "x" * note])
    lines.writerow(["", f"nobody@{host}", 33, ""])
    return text.getvalue().encode()


def violations(page: Any, selector: str = ".t1-form") -> list[str]:
    """Return what axe finds wrong with the forms on the page."""
    found = Axe().run(page, context={"include": [[selector]]}).response["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]
