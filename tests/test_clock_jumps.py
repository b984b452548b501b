"""X10: a clock that jumps while a run sends changes labels, and nothing else."""

from __future__ import annotations

import json

import pytest

from benchmarks import clock


def test_a_clock_that_jumps_back_and_forward_changes_no_outcome_no_order_and_no_wait(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = clock.main(["--jumps", "-7200", "86400"])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert json.loads(said.out)["violations"] == 0


def test_waits_that_go_by_a_clock_that_jumps_are_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert clock.main(["--jumps", "-7200", "--broken"]) == 1
    assert ": P" in capsys.readouterr().err
