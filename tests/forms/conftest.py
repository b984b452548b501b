"""What tests of forms share: a local Talon.One, folders of their own, and the page's side of the messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import comm
import pytest
from front import Front
from ipywidgets import Widget

import t1data as t1
from t1data.sandbox import Sandbox

ATTRIBUTES = {"Email": "string", "Age": "number", "Note": "string"}


@pytest.fixture(scope="module")
def _running() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_running: Sandbox) -> Sandbox:
    _running.reset()
    declared = [{"name": n, "entity": "CustomerProfile", "type": kind} for n, kind in ATTRIBUTES.items()]
    campaign = {"id": 45, "name": "Friends", "features": ["referrals"]}
    _running.load({"attributes": declared, "campaigns": [campaign]})
    return _running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as connected:
        yield connected


@pytest.fixture(autouse=True)
def front(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Front]:
    """A page that takes every message, in a folder of its own, with no settings of whoever runs the tests."""
    for name in ("BASE_URL", "API_KEY", "MANAGEMENT_KEY"):
        monkeypatch.delenv(f"T1DATA_{name}", raising=False)
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("T1DATA_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    page = Front()
    monkeypatch.setattr(comm, "create_comm", page.create_comm)
    yield page
    Widget.close_all()
