"""Go on with a run that creates referrals, from what its journal says about the input."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from t1data.bulk.intake import reopened
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.referrals.codes import code_frame
from t1data.referrals.prepare import Advocates, Options, prepare
from t1data.referrals.send import MANY, send
from t1data.referrals.terms import Terms
from t1data.tables.types import TYPES

goods = {"codes": code_frame}


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Send what a run left unsent; what is in doubt only if `going` says so."""
    client.check_unlocked(MANY)
    client.reach()
    prepared = prepare_again(facts, data)
    return send(client, prepared, facts | prepared.facts(), going=going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the input, or None when it is no longer there unchanged."""
    return reopened(prepare_again, facts, data)


def prepare_again(facts: Mapping[str, Any], data: Any) -> Advocates:
    """Look over an input as the run did that left these facts: with its terms, at its time."""
    layout, recipe = facts["layout"], facts["recipe"]
    types = {column: kind for column, kind in layout["types"].items() if kind in TYPES}
    options = Options(**recipe["options"] | {"types": types})
    began = datetime.fromisoformat(recipe["began"])
    return prepare(data, Terms(0), options, now=began, fields=layout["terms"])
