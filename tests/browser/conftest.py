"""A real JupyterLab and a real Voila on loopback, a real Chromium, and a gate that lets nothing out.

The browser is the one that this machine has. Without one these tests do not run, and the summary says so; with
``T1DATA_BROWSER=required`` in the environment that is a failure.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest

import t1data.forms
from t1data.sandbox import Sandbox

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM = os.environ.get("T1DATA_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
NONE_FOUND = f"no Chromium or Chrome was found ({', '.join(NAMES)}), so the walks through the forms did not run"
PATIENCE = 60.0
TEMPLATES = Path(t1data.forms.__file__).parent  # holds voila/templates, as share/jupyter does once installed

if CHROMIUM is None:
    collect_ignore_glob = ["test_*.py"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if CHROMIUM is None:
        terminalreporter.write_line(f"tests/browser: {NONE_FOUND}", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    ran = any(Path(__file__).parent in item.path.parents for item in session.items)
    if os.environ.get("T1DATA_BROWSER") == "required" and not ran:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


# --- servers ----------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """A process that serves notebooks from a folder of its own, and all of its files in that folder."""

    root: Path
    words: list[str]
    port: int = field(default_factory=free_port)
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        words = [word.format(port=self.port, token=self.token, work=self.work) for word in self.words]
        with (self.root / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words], env=self._environment(), cwd=self.work, stdout=log, stderr=log
            )
        self._wait()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "T1DATA_RUNS": "runs",
            "TMPDIR": "tmp",
        }
        (self.root / "tmp").mkdir(exist_ok=True)
        found = kept | {name: str(self.root / folder) for name, folder in folders.items()}
        return found | {
            "T1DATA_CONFIG": str(self.root / "config.toml"),
            "MPLBACKEND": "agg",
            "JUPYTER_PATH": str(TEMPLATES),
        }

    def _wait(self) -> None:
        """Wait until the port answers; a request for a page would already start a kernel."""
        ends, pause = time.monotonic() + PATIENCE, 0.05
        while time.monotonic() < ends:
            assert self.process is not None
            assert self.process.poll() is None, (self.root / "server.log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(pause)
        raise TimeoutError(self.url)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def write(self, name: str, *cells: str) -> Path:
        """Write a notebook of code cells."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = self.work / name
        nbformat.write(notebook, path)
        return path

    def journals(self) -> list[str]:
        return [str(path) for path in (self.root / "runs").glob("*.sqlite")]

    def files_with(self, *secrets_: str) -> list[str]:
        """Return every file of the server that holds one of these texts."""
        wanted = [text.encode() for text in secrets_]
        files = [path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink()]
        return [str(path) for path in files if any(text in path.read_bytes() for text in wanted)]


SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    # The setting under which a key would be saved with the notebook: that is where to look for it.
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}
LAB = [
    "jupyterlab",
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port={port}",
    "--ServerApp.port_retries=0",
    "--IdentityProvider.token={token}",
    "--ServerApp.root_dir={work}",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.news_url=",
]
VOILA = ["voila", "{work}/forms.ipynb", "--no-browser", "--Voila.ip=127.0.0.1", "--port={port}", "--template=t1data"]


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
