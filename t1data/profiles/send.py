"""Prepared profiles on their way through the engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from t1data.body import encode_query
from t1data.bulk.batches import Batch
from t1data.bulk.effects import effect_frame, read_goods
from t1data.bulk.job import Answered, Job
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import OPERATIONS, Client
from t1data.journal.runs import Run
from t1data.profiles.prepare import Options, Prepared
from t1data.profiles.unchanged import find_unchanged, keep_unchanged

JOB = "upsert_profiles"
GOODS = {"effects": effect_frame}
_MANY, _ONE = "update_customer_profiles_v2", "update_customer_profile_v2"
_PREFIX, _SUFFIX = b'{"customerProfiles":[', b"]}"
_SECTIONS = f',"responseContent":{json.dumps(["triggeredCampaigns"])}}}'.encode()


def send(client: Client, prepared: Prepared, going: Going, *, connections: int = 4) -> Run:
    """Send a prepared input, or what its journal does not hold as settled."""
    beside = None
    if prepared.options.only_changed:
        going = going.placed(JOB)
        unchanged = find_unchanged(client, prepared, going, connections=connections)
        prepared, beside = replace(prepared, unchanged=unchanged), partial(keep_unchanged, unchanged=unchanged)
    cargo = Cargo(
        JOB,
        client.base_url,
        prepared.facts(),
        prepared.survey.rows,
        (part.rows for part in prepared.parts()),
        prepared.input(),
        goods=GOODS,
        beside=beside,
    )
    return run_job(job_of(client, prepared.options, connections), cargo, going)


def operation_of(options: Options) -> str:
    """Return the operation that profiles go through: the rule engine runs only for one at a time."""
    return _ONE if options.run_rule_engine else _MANY


def job_of(client: Client, options: Options, connections: int) -> Job:
    """Return how a batch of profiles travels."""
    return _one_by_one(client, options, connections) if options.run_rule_engine else _many(client, connections)


def _many(client: Client, connections: int) -> Job:
    def put(batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        body = batch.body(_PREFIX, _SUFFIX)
        return client.send(_MANY, query={"silent": "yes"}, body=body, stop=stop, on_wait=on_wait)

    limit = OPERATIONS[_MANY].batch_limit or 1
    return Job(put, batch_limit=limit, connections=connections)


def _one_by_one(client: Client, options: Options, connections: int) -> Job:
    query = encode_query({"run_rule_engine": True, "dry": options.dry or None})

    def put(batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        body = batch.body()[:-1] + _SECTIONS
        return client.send(_ONE, batch.key or "", query=query, body=body, stop=stop, on_wait=on_wait)

    return Job(
        put, batch_limit=1, connections=connections, read=read_goods, names_one=True, changes_nothing=options.dry
    )
