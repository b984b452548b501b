"""Faults mixed by seed, held against the server's ledger; docs/reliability.md has the large figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import faults
from benchmarks.mixes import KINDS
from benchmarks.mixes_codes import CODE_KINDS
from benchmarks.wounds_codes import CODE_WOUNDS


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


def test_whatever_answers_are_lost_no_code_is_lost_and_none_is_made_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, figures, said = run(tmp_path, capsys, "--job", "create_referrals", "--seeds", "40", "--kinds")
    assert code == 0, said
    assert figures["mixes"] == 40
    assert figures["rows_applied_again"] == 0
    assert set(CODE_KINDS) <= set(figures["by_kind"]), "every kind of fault was met"


@pytest.mark.parametrize("wound", ["resends-what-is-in-doubt", *CODE_WOUNDS])
def test_an_engine_that_loses_codes_or_makes_them_twice_is_noticed_within_a_few_mixes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wound: str
) -> None:
    options = ("--job", "create_referrals", "--seeds", "30", "--workers", "1")
    code, figures, said = run(tmp_path, capsys, *options, "--broken", wound)
    assert code == 1
    assert figures["mixes"] < 30
    assert ": P" in said, "a promise was broken, not the harness"
    assert "--job create_referrals --only suite-" in said, "it says how to see it again"


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
