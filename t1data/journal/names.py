"""What a run is called and where its journal lies."""

from __future__ import annotations

import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

from t1data.errors import JournalError


def new_run_id(operation: str, now: float) -> str:
    """Return an id that sorts by time and never names a person: ``20261124-093211-profiles-7f3a``."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    return f"{stamp}-{re.sub('[^a-z]', '-', operation)}-{secrets.token_hex(3)}"


def runs_folder() -> Path:
    """Return where journals lie unless the caller names a file: ``T1DATA_RUNS``, or the user's state folder."""
    if named := os.environ.get("T1DATA_RUNS"):
        return Path(named)
    from platformdirs import user_state_path

    return user_state_path("t1data") / "runs"


def find_journal(run: str | Path) -> Path:
    """Return the journal of a run, given its id or the file itself.

    Raises
    ------
    JournalError
        There is none.
    """
    path = Path(run)
    if path.is_file():
        return path
    named = runs_folder() / f"{run}.sqlite"
    if isinstance(run, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", run) and named.is_file():
        return named
    raise JournalError(f"there is no run {str(run)!r}: give a journal's path, or the id of a run in {runs_folder()}")
