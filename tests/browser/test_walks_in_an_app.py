"""A person works with the forms as an app of Voila, where there is no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from person import by_keyboard, form, violations
from servers import Server
from walks import account, all_forms, upload_and_upsert

from t1data.sandbox import Sandbox

pytestmark = pytest.mark.timeout(600)  # a walk is long, and a machine may have more to do


def test_a_person_works_with_all_forms_in_an_app(
    page: Any, voila: Server, sandbox: Sandbox, shots: Path, tmp_path: Path
) -> None:
    account(sandbox)
    page.goto(voila.url)
    form(page, "Connect").wait_for()
    all_forms(page, sandbox, shots=shots, name="voila")
    upload_and_upsert(page, sandbox, tmp_path, shots=shots, name="voila-upsert")
    assert violations(page) == []
    assert voila.files_with(sandbox.api_key, sandbox.management_key, "c3000@people") == []


def test_a_person_works_in_the_dark_without_a_mouse(page: Any, voila: Server, shots: Path) -> None:
    page.goto(f"{voila.url}?theme=dark")
    form(page, "Connect").wait_for()
    assert violations(page) == []
    for number, each in enumerate(page.locator(".t1-form").all(), start=1):
        each.screenshot(path=shots / f"voila-dark-{number}.png")
    by_keyboard(page, "Test connection", "Enter")
    page.get_by_text("Connected to").wait_for()
    place = form(page, "Upsert customers")
    by_keyboard(page, "Check", "Enter")
    place.get_by_text("Checked: 23,570 rows").wait_for()
    by_keyboard(page, "Run", "Enter")
    place.get_by_text("Finished: 23,570 rows accepted").wait_for()
    place.screenshot(path=shots / "voila-dark-by-keyboard.png")
