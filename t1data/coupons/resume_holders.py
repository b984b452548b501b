"""Go on with a run that reads the holders of coupons, from what its journal says about the input."""

from __future__ import annotations

from typing import Any

from t1data.bulk.intake import reopened
from t1data.bulk.named import Named, name_rows
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.coupons.holders import holder_frame, read_all
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.tables.reading import Reading

goods = {"holders": holder_frame}


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Read the coupons that were not read yet."""
    client.reach()
    named = _named(facts, data)
    return read_all(client, named, facts | named.facts(), going=going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the input, or None when it is no longer there unchanged."""
    return reopened(_named, facts, data)


def _named(facts: dict[str, Any], data: Any) -> Named:
    recipe = facts["recipe"]
    return name_rows(
        data,
        id=facts["layout"]["coupon"],
        allow_suspect_ids=recipe["allow_suspect_ids"],
        parameter="coupon",
        reading=Reading.of(recipe),
    )
