"""Faults mixed by seed, held against the server's ledger; docs/reliability.md has the large figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import faults
from benchmarks.mixes import KINDS


def run(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any], str]:
    """Run the harness; return its exit code, its line of figures, and what it complained of."""
    code = faults.main(["--keep", str(folder), "--seed", "suite", *options])
    said = capsys.readouterr()
    assert said.out.count("\n") == 1
    return code, json.loads(said.out), said.err


def test_whatever_faults_are_mixed_every_row_ends_with_an_outcome_that_the_ledger_bears_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, figures, said = run(tmp_path, capsys, "--seeds", "40", "--kinds")
    assert code == 0, said
    assert figures["mixes"] == 40
    assert set(KINDS) <= set(figures["by_kind"]), "every kind of fault was met"


@pytest.mark.parametrize(
    "wound", ["sent-is-accepted", "sends-again", "loses-a-batch", "alters-values", "blames-neighbours"]
)
def test_an_engine_that_is_broken_on_purpose_is_noticed_within_a_few_mixes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wound: str
) -> None:
    code, figures, said = run(tmp_path, capsys, "--seeds", "30", "--workers", "1", "--broken", wound)
    assert code == 1
    assert figures["mixes"] < 30
    assert ": P" in said, "a promise was broken, not the harness"
