"""Kill -9 of a real process, judged by the server's ledger; docs/reliability.md has the large figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
WOUNDS = (
    "commit-after", "sent-is-accepted", "sends-again", "loses-a-batch", "alters-values", "blames-neighbours",
)  # fmt: skip


def run(folder: Path, harness: str, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run a harness as people do; return its exit code, its line of figures, and what it complained of."""
    command = [sys.executable, "-m", f"benchmarks.{harness}", "--keep", str(folder), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.stdout.count("\n") == 1, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_whenever_a_sender_is_killed_nothing_is_lost_and_every_outcome_is_true(tmp_path: Path) -> None:
    code, figures, said = run(tmp_path, "crash", "--kills", "40", "--seed", "suite", "--points")
    assert code == 0, said
    assert figures["violations"] == 0
    assert figures["kills"] >= 40
    assert {point.partition(":")[0] for point in figures["by_point"]} == {"random", "timed", "journal"}


@pytest.mark.parametrize("wound", WOUNDS)
def test_an_engine_that_is_broken_on_purpose_is_noticed_within_a_few_kills(tmp_path: Path, wound: str) -> None:
    options = ("--kills", "60", "--seed", "suite", "--workers", "1")
    code, figures, said = run(tmp_path, "crash", *options, "--broken", wound)
    assert code == 1
    assert figures["violations"] > 0
    assert figures["kills"] < 60
    assert " P" in said, "a promise was broken, not the harness"


def test_what_a_failing_seed_left_behind_is_kept(tmp_path: Path) -> None:
    _, figures, _ = run(tmp_path, "crash", "--kills", "60", "--seed", "suite", "--broken", "loses-a-batch")
    kept = Path(figures["kept"][0])
    assert kept.is_relative_to(tmp_path)
    assert {"ledger.jsonl", "outcomes.csv", "children.log"} <= {path.name for path in kept.iterdir()}


def test_no_kill_of_a_run_or_of_a_reconcile_makes_a_code_twice_or_loses_one(tmp_path: Path) -> None:
    code, figures, said = run(tmp_path, "crash", "--job", "create_referrals", "--kills", "25", "--seed", "suite")
    assert code == 0, said
    assert figures["rows_applied_again"] == 0


@pytest.mark.parametrize("wound", ["resends-what-is-in-doubt", "guesses-that-nothing-was-made"])
def test_a_code_that_a_broken_engine_makes_twice_is_noticed_within_a_few_kills(tmp_path: Path, wound: str) -> None:
    options = ("--job", "create_referrals", "--kills", "60", "--seed", "suite", "--workers", "1")
    code, figures, said = run(tmp_path, "crash", *options, "--broken", wound)
    assert code == 1
    assert figures["kills"] < 60
    assert ": P6: " in said or ": P7: " in said
