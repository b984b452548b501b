"""Go on with a run on audiences, from what its journal says about the plan."""

from __future__ import annotations

from typing import Any

from t1data.audiences.actions import Actions, read_actions
from t1data.audiences.apply import OPERATION, check_known, send
from t1data.bulk.intake import input_of
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Send what a run left unsent or in doubt; its journal refuses any other plan."""
    client.check_unlocked(OPERATION)
    client.reach()
    actions = _read(facts, data)
    check_known(client, actions.audiences)
    return send(client, actions, facts["recipe"], going=going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the plan, or None when it is no longer there unchanged."""
    data = data if data is not None else facts["recipe"]["path"]
    if data is None:
        return None
    try:
        actions = _read(facts, data)
    except InputError:
        return None
    unchanged = actions.source.fingerprint()["sha256"] == facts["input"]["sha256"]
    return input_of(actions.source, actions.column) if unchanged else None


def _read(facts: dict[str, Any], data: Any) -> Actions:
    recipe = facts["recipe"]
    return read_actions(data, words=recipe.get("words", {}), allow_suspect_ids=recipe["allow_suspect_ids"])
