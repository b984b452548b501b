"""Go on with taking back an upsert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from t1data.bulk.run import Going
from t1data.client import Client
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.profiles.undo import take_back


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Send what was left unsent or in doubt; `data` is the input of the upsert."""
    return take_back(client, Path(facts["recipe"]["upsert"]), data=data, going=going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return None: who was changed is known only together with the account."""
    return None
