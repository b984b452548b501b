"""What a run is called and where its journal lies."""

from __future__ import annotations

import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path


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
