"""Prepared advocates on their way through the engine, by the two calls that make codes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from t1data.bulk.batches import Batch
from t1data.bulk.job import Answered, Job
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import OPERATIONS, Client
from t1data.journal.runs import Run
from t1data.referrals.answers import read_goods
from t1data.referrals.codes import code_frame
from t1data.referrals.encode import ADVOCATE
from t1data.referrals.prepare import Advocates

MANY = "create_referrals_for_multiple_advocates"
ONE = "create_referral"
JOB = "create_referrals"

_ADVOCATES = f',"{ADVOCATE}s":['.encode()


def send(client: Client, prepared: Advocates, facts: Mapping[str, Any], *, going: Going, connections: int = 4) -> Run:
    """Send prepared advocates, or those that the journal does not hold as settled."""
    cargo = Cargo(
        JOB,
        client.base_url,
        facts,
        prepared.survey.rows,
        (rows for rows, _ in prepared.parts()),
        prepared.input(),
        goods={"codes": code_frame},
    )
    return run_job(job_of(client, prepared, connections), cargo, going)


def job_of(client: Client, prepared: Advocates, connections: int) -> Job:
    """Return how a batch of advocates travels: those of one friend alone, others with all that share their terms."""

    def post(batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        if batch.key is None:
            return client.send(ONE, body=batch.body(), stop=stop, on_wait=on_wait)
        body = batch.body(batch.key.encode() + _ADVOCATES, b"]}")
        # The default would be silent, and the codes that it makes would never be shown.
        return client.send(MANY, query={"silent": "no"}, body=body, stop=stop, on_wait=on_wait)

    return Job(
        post,
        OPERATIONS[MANY].batch_limit or 1,
        connections=connections,
        repeatable=OPERATIONS[MANY].repeatable and OPERATIONS[ONE].repeatable,
        read=read_goods,
        by_key=prepared.columns.differ,  # where all rows have the same terms, none has to wait for others like it
    )
