"""What a person does on a page: by labels and roles, and by nothing that is not to be seen."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from servers import Server

from t1data.sandbox import Sandbox

KERNEL_IS_IDLE = """path => {
    const { context, sessionContext } = window.jupyterapp?.shell.currentWidget ?? {};
    const kernel = context?.path === path && sessionContext?.session?.kernel;
    return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
}"""


def open_in_lab(page: Any, lab: Server, notebook: Path, *, theme: str = "JupyterLab Light") -> None:
    """Open a notebook, in the lab that is on the page or else in a new one, and run all of its cells."""
    if page.url.startswith(lab.url):
        page.evaluate(f"void jupyterapp.commands.execute('docmanager:open', {{path: '{notebook.name}'}})")
    else:
        page.goto(f"{lab.url}/lab/tree/{notebook.name}?token={lab.token}&reset")
    page.locator(".jp-Notebook .jp-Cell:visible").first.wait_for()
    page.wait_for_function(KERNEL_IS_IDLE, arg=notebook.name)  # the indicator says idle before there is a kernel at all
    turn(page, theme)
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")


def turn(page: Any, theme: str) -> None:
    """Choose another theme."""
    page.evaluate(f"void jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}})")
    page.wait_for_function(f"() => document.body.dataset.jpThemeName === '{theme}'")


def save_in_lab(page: Any) -> None:
    """Save the notebook and wait until it is saved."""
    page.evaluate("window.t1saved = false")
    page.evaluate("void jupyterapp.commands.execute('docmanager:save').then(() => { window.t1saved = true })")
    page.wait_for_function("() => window.t1saved")


def form(page: Any, title: str) -> Any:
    """Return the form of this title."""
    return (
        page.locator(".t1-form:visible").filter(has=page.get_by_role("heading", name=title, exact=True, level=2)).first
    )


def press(place: Any, name: str) -> None:
    place.get_by_role("button", name=name, exact=True).click()


FOCUSED = """() => {
    const it = document.activeElement;
    return (it.labels?.[0]?.innerText || it.innerText || '').trim();
}"""


def by_keyboard(page: Any, name: str, key: str) -> None:
    """Go on with Tab until what has this name is reached, and press a key there."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == name:
            break
    else:
        raise AssertionError(f"no number of Tabs leads to {name!r}")
    page.keyboard.press(key)


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
