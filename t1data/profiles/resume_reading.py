"""Go on with reading the profiles of customers."""

from __future__ import annotations

from typing import Any

from t1data.bulk.intake import reopened
from t1data.bulk.named import Named, name_rows
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.profiles.reading import read_profiles
from t1data.tables.choices import ID


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Read who was not read yet; `data` are the ids, in their order."""
    client.reach()
    return read_profiles(client, data, going=going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the ids, if they are given and are those of the run."""
    return reopened(_named, facts, data)


def _named(facts: dict[str, Any], data: Any) -> Named:
    return name_rows(data, id=ID, allow_suspect_ids=True)
