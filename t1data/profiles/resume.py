"""Go on with an upsert, from what its journal says about the input."""

from __future__ import annotations

from typing import Any

from t1data.bulk.intake import input_of
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.profiles.prepare import catalogue_of, options_of, prepare
from t1data.profiles.send import GOODS, operation_of, send
from t1data.tables.source import open_source

goods = GOODS


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Send what a run left unsent or in doubt; its journal refuses any other input."""
    options = options_of(facts)
    client.check_unlocked(operation_of(options))
    client.reach()
    prepared = prepare(data, options, catalogue=catalogue_of(client))
    return send(client, prepared, going)


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the input, or None when it is no longer there unchanged."""
    data = data if data is not None else facts["recipe"]["path"]
    if data is None:
        return None
    options = options_of(facts)
    try:
        source = open_source(data, encoding=options.encoding, delimiter=options.delimiter, sheet=options.sheet)
        if source.fingerprint()["sha256"] != facts["input"]["sha256"]:
            return None
    except InputError:
        return None
    return input_of(source, facts["layout"]["id_column"])
