"""A real JupyterLab and a real Voila on loopback, a real Chromium, and a gate that lets nothing out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from chromium import CHROMIUM
from servers import LAB, PATIENCE, SETTINGS, VOILA, Server

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


@pytest.fixture(scope="session")
def voila(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("voila"), VOILA)
    server.start()
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


@dataclass
class Window:
    """One window of the browser, whose pages reach this machine only: what they ask of others is refused and noted."""

    page: Any
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def gate(self, route: Any) -> None:
        if route.request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def note(self, error: str) -> None:
        # anywidget gives a page two seconds to begin; a busy machine needs more, and the walk misses what failed.
        if "Failed to initialize model" not in error:
            self.errors.append(error)


@pytest.fixture(scope="session")
def window(browser: Any) -> Iterator[Window]:
    context = browser.new_context(viewport={"width": 1280, "height": 2400}, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = Window(context.new_page())
    opened.page.set_default_timeout(PATIENCE * 1000)  # a busy machine is slow, and a quiet one does not wait for it
    opened.page.on("pageerror", lambda error: opened.note(str(error)))
    context.route("**/*", opened.gate)
    yield opened
    context.close()


@pytest.fixture
def page(window: Window, request: pytest.FixtureRequest, shots: Path) -> Iterator[Any]:
    """The page that the walks share; what it asks of others, and its errors, fail the test."""
    window.outside.clear()
    window.errors.clear()
    yield window.page
    found = [*window.outside, *window.errors]
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        window.page.screenshot(path=shots / f"failed-{request.node.name}.png")
        window.page.goto("about:blank")  # the next walk begins anew
    assert found == []
