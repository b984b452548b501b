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


def report(figures: Mapping[str, Any], violations: Sequence[str]) -> int:
    """Print the figures as one line, the violations on standard error; return the exit code."""
    for violation in violations:
        print(violation, file=sys.stderr)
    print(json.dumps(figures))
    return 1 if violations else 0


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
