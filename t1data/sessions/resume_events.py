"""Go on with a run of events, from what its journal says about the input."""

from __future__ import annotations

from typing import Any

from t1data.bulk.run import Going
from t1data.client import Client
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.sessions.events import options_of, prepare
from t1data.sessions.tables import open_input, reopened
from t1data.sessions.track import GOODS, OPERATIONS_BY_VERSION, send

goods = GOODS


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Send what a run left unsent; what is in doubt only if `going` says so."""
    options = options_of(facts)
    client.check_unlocked(OPERATIONS_BY_VERSION[options.version])
    client.reach()
    return send(client, prepare(data, options, client), going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the input, or None when it is no longer there unchanged."""
    data = data if data is not None else facts["recipe"]["path"]
    if data is None:
        return None
    return reopened(lambda: [open_input(data, options_of(facts).ways)], facts)
