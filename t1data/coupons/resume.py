"""Go on with a run that reserves or releases coupons, from what its journal says about the input."""

from __future__ import annotations

from typing import Any

from t1data.bulk.intake import reopened
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.coupons.pairs import Pairs, pair_rows
from t1data.coupons.send import OPERATION_OF, send
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.tables.reading import Reading


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Send what a run left unsent or in doubt; its journal refuses any other input."""
    job = facts["recipe"]["job"]
    client.check_unlocked(OPERATION_OF[job])
    client.reach()
    pairs = _pairs(facts, data)
    return send(client, job, pairs, facts | pairs.facts(), going=going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the input, or None when it is no longer there unchanged."""
    return reopened(_pairs, facts, data)


def _pairs(facts: dict[str, Any], data: Any) -> Pairs:
    layout, recipe = facts["layout"], facts["recipe"]
    return pair_rows(
        data,
        coupon=layout["coupon"],
        id=layout["id"],
        allow_suspect_ids=recipe["allow_suspect_ids"],
        reading=Reading.of(recipe),
    )
