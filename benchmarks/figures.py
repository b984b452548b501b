"""What every harness ends with: one line of figures, and what a failing seed left behind."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.account import Receipt


def report(figures: Mapping[str, Any], violations: Sequence[str], *, again: str = "") -> int:
    """Print one line of figures; on standard error the violations, and how to see them again. Return the exit code."""
    for violation in violations:
        print(violation, file=sys.stderr)
    if violations and again:
        print(f"again: {again}", file=sys.stderr)
    print(json.dumps(figures))
    return 1 if violations else 0


def seed_of(violations: Sequence[str]) -> str:
    """Return the seed that the first violation names."""
    return violations[0].split(":")[0].removeprefix("seed ") if violations else ""


def keep(folder: Path, seed: str, ledger: Iterable[Receipt], where: Path | None) -> Path:
    """Copy what a failing seed left, with its ledger and the log beside it, to a place that outlives the harness."""
    kept = (where or Path(tempfile.mkdtemp(prefix="t1data-failed-"))) / seed
    shutil.copytree(folder, kept, dirs_exist_ok=True)
    log = folder.parent / "children.log"
    if log.exists():
        shutil.copy(log, kept)
    lines = [json.dumps(vars(receipt), ensure_ascii=False) for receipt in ledger]
    (kept / "ledger.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return kept
