"""X9: a journal as a power cut leaves it, opened and gone on with. X13, scaled: memory and journal of a long run."""

from __future__ import annotations

import json

import pytest

from benchmarks import power, soak


def test_wherever_the_power_is_cut_nothing_is_lost_and_nothing_settled_is_sent_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = power.main(["--cuts", "30", "--seed", "suite"])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert json.loads(said.out)["cuts"] >= 30


def test_an_intent_that_is_written_too_late_is_noticed_by_the_first_cuts(capsys: pytest.CaptureFixture[str]) -> None:
    assert power.main(["--cuts", "50", "--seed", "suite", "--broken", "commit-after"]) == 1
    assert ": P" in capsys.readouterr().err


def test_a_long_run_is_killed_half_way_and_ends_within_its_memory(capfd: pytest.CaptureFixture[str]) -> None:
    code = soak.main(["--rows", "100000"])
    said = capfd.readouterr()
    assert code == 0, said.err
    assert json.loads(said.out)["requests"] >= 100
