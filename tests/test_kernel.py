"""The stop button of a real notebook kernel: no request goes out once the cell has come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

import t1data as t1
from t1data.sandbox import Delay, Options

UPSERT = "update_customer_profiles_v2"
PATIENCE = 60.0

CELL = """
import pandas as pd, t1data as t1
client = t1.Client({base_url!r}, {api_key!r}, rate=None)
people = pd.DataFrame({{"integration_id": [f"c{{n}}" for n in range(60_000)], "Age": range(60_000)}})
run = t1.upsert_profiles(client, people, journal={journal!r}, progress=False, connections=4)
print(run.stopped)
"""


@pytest.fixture
def kernel() -> Iterator[tuple[Any, Any]]:
    manager, client = start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.context.destroy(linger=0)


@pytest.mark.filterwarnings("default")  # what zmq and the kernel's own packages warn of is not ours
def test_the_stop_button_ends_a_run_and_nothing_goes_out_afterwards(kernel: tuple[Any, Any], tmp_path: Path) -> None:
    manager, client = kernel
    with t1.Sandbox(options=Options(unknown_attribute="declare")) as sandbox:
        sandbox.faults.add(Delay(0.2), on=UPSERT)
        journal = tmp_path / "run.sqlite"
        cell = CELL.format(base_url=sandbox.base_url, api_key=sandbox.api_key, journal=str(journal))
        asked = client.execute(cell)
        while not sandbox.requests.of(UPSERT):
            _a_moment(client)
        manager.interrupt_kernel()
        reply = _reply(client, asked)
        sent = len(sandbox.requests.of(UPSERT))
        assert reply["content"]["status"] == "ok", "the cell comes back with a run, not with a traceback"
        client.execute("import time; time.sleep(1)", reply=True, timeout=PATIENCE)
        assert len(sandbox.requests.of(UPSERT)) == sent
    run = t1.open_run(journal)
    assert run.stopped == "interrupted"
    assert 0 < run.counts["accepted"] + run.counts["in_doubt"] < 60_000
    assert sum(run.counts.values()) == 60_000
    applied = {
        p["integrationId"] for r in sandbox.requests.of(UPSERT) for p in json.loads(r.body or b"")["customerProfiles"]
    }
    assert run.counts["accepted"] <= len(applied)


def _a_moment(client: Any) -> None:
    """Let the kernel get on: wait for whatever it says next, at most a short while."""
    with suppress(Empty):
        client.get_iopub_msg(timeout=0.1)


def _reply(client: Any, asked: str) -> dict[str, Any]:
    while True:
        reply: dict[str, Any] = client.get_shell_msg(timeout=PATIENCE)
        if reply["parent_header"].get("msg_id") == asked:
            return reply
