"""Go on with an erasure, from what its journal says about the input."""

from __future__ import annotations

from typing import Any

from t1data.bulk.intake import reopened
from t1data.bulk.named import Named, name_rows
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.erasure.deed import OPERATION
from t1data.erasure.erase import send
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.tables.reading import Reading


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Erase who was left unsent or in doubt, and write the evidence of all; the number was confirmed already."""
    client.check_unlocked(OPERATION)
    client.reach()
    return send(client, _named(facts, data), facts, going=going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the input, or None when it is no longer there unchanged."""
    return reopened(_named, facts, data)


def _named(facts: dict[str, Any], data: Any) -> Named:
    recipe = facts["recipe"]
    return name_rows(data, id=recipe["id"], allow_suspect_ids=recipe["allow_suspect_ids"], reading=Reading.of(recipe))
