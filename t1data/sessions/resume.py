"""Go on with a run of sessions, from what its journal says about its two inputs."""

from __future__ import annotations

import json
from typing import Any

from t1data.bulk.run import Going
from t1data.client import Client
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.sessions.effects import GOODS
from t1data.sessions.prepare import Options, check_homes, open_items, prepare
from t1data.sessions.send import OPERATION, send
from t1data.sessions.tables import Ways, open_input, reopened
from t1data.tables.literals import exact

goods = GOODS


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Send what a run left unsent or in doubt; its journal refuses any other input.

    `data` are the sessions, or the pair of sessions and items.
    """
    options = _options(facts)
    client.check_unlocked(OPERATION)
    client.reach()
    prepared = prepare(*_both(facts, data), options, client)
    check_homes(prepared)
    return send(client, prepared, going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the sessions, or None when an input is no longer there unchanged."""
    sessions, items = _both(facts, data if data is not None else facts["recipe"]["path"])
    if sessions is None:
        return None
    options = _options(facts)
    return reopened(lambda: [open_input(sessions, options.ways), open_items(items, options)], facts)


def _both(facts: dict[str, Any], data: Any) -> tuple[Any, Any]:
    if isinstance(data, tuple):
        sessions, items = data
        return sessions, items
    return data, facts["recipe"]["items_path"]


def _options(facts: dict[str, Any]) -> Options:
    given = facts["recipe"]["options"]
    constants = {name: json.loads(given[name], parse_float=exact) for name in ("constants", "item_constants")}
    return Options(**given | constants | {"ways": Ways(**given["ways"])})
