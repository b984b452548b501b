"""Go on with a run that creates referrals, from what its journal says about the input."""

from __future__ import annotations

from typing import Any

from t1data.bulk.run import Going
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.referrals.codes import code_frame
from t1data.referrals.create import OPERATION, send
from t1data.referrals.prepare import Advocates, prepare

goods = {"codes": code_frame}


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Send what a run left unsent; what is in doubt only if `going` says so."""
    client.check_unlocked(OPERATION)
    client.reach()
    prepared = _prepared(facts, data)
    return send(client, prepared, facts | prepared.facts(), going=going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the input, or None when it is no longer there unchanged."""
    data = data if data is not None else facts["recipe"]["path"]
    if data is None:
        return None
    try:
        prepared = _prepared(facts, data)
    except InputError:
        return None
    unchanged = prepared.source.fingerprint()["sha256"] == facts["input"]["sha256"]
    return prepared.input() if unchanged else None


def _prepared(facts: dict[str, Any], data: Any) -> Advocates:
    recipe = facts["recipe"]
    return prepare(data, advocate=recipe["advocate"], allow_suspect_ids=recipe["allow_suspect_ids"])
