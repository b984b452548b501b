"""A run that another process is sending is cancelled from any form that offers it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from front import Hand, people
from shell import end_all, ended, start, variables, wait_until

import t1data as t1
from t1data.sandbox import Delay, Sandbox

UPSERT = "update_customer_profiles_v2"


@pytest.fixture
def elsewhere(sandbox: Sandbox, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that sends 30 requests, one after the other."""
    sandbox.faults.add(Delay(0.2), on=UPSERT)
    words = ("profiles", "upsert", people(tmp_path / "p.csv", rows=30_000), "--connections", "1", "--rate", "none")
    yield start(*words, "--no-progress", env=variables(sandbox, tmp_path), cwd=tmp_path)
    end_all()


@pytest.mark.parametrize("make", ["upsert", "runs"])
def test_a_run_of_another_process_is_cancelled_and_can_be_resumed_here(
    client: t1.Client, sandbox: Sandbox, elsewhere: subprocess.Popen[str], make: str
) -> None:
    wait_until(lambda: sandbox.requests.of(UPSERT))
    hand = Hand(getattr(t1.forms, make)(client))
    hand.wait()
    assert f"in process {elsewhere.pid} on " in hand.page()
    resume = "Resume this run" if make == "upsert" else "Resume"
    assert not hand.works(resume)
    hand.press("Cancel this run" if make == "upsert" else "Cancel")
    hand.wait()
    assert hand.said().startswith(f"Asked process {elsewhere.pid} on ")
    assert "it stopped after " in hand.said()
    sent = len(sandbox.requests.of(UPSERT))
    told = ended(elsewhere).last
    assert told["accepted"] == sent * 1000
    assert told["in_doubt"] == 0
    assert len(sandbox.requests.of(UPSERT)) == sent
    sandbox.faults.clear()
    hand.press(resume)
    hand.wait()
    assert hand.said() == "Finished: 30,000 rows accepted, 0 failed."
    assert len(sandbox.requests.of(UPSERT)) == 30
