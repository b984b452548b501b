"""A real JupyterLab and a real Voila on loopback, a real Chromium, and a gate that lets nothing out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import CHROMIUM
from servers import LAB, SETTINGS, VOILA, Server

from t1data.sandbox import Sandbox

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

if CHROMIUM is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("lab"), LAB)
    for plugin, settings in SETTINGS.items():
        path = server.root / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def voila(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "voila", VOILA)
    server.work.mkdir(parents=True)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Sandbox:
    _sandbox.reset()
    return _sandbox


# --- the browser ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the forms are kept."""
    named = os.environ.get("T1DATA_SHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest, shots: Path) -> Iterator[Any]:
    """A page that reaches this machine only. What it asks of others is refused, and fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 2400}, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    outside: list[str] = []

    def gate(route: Any) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    context.route("**/*", gate)
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        opened.screenshot(path=shots / f"failed-{request.node.name}.png")
    context.close()
    assert outside == []
    assert errors == []
