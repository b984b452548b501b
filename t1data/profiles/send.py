"""Prepared profiles on their way through the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable

from t1data.bulk.batches import Batch
from t1data.bulk.job import Answered, Job
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import OPERATIONS, Client
from t1data.journal.runs import Run
from t1data.profiles.prepare import Prepared

OPERATION = "update_customer_profiles_v2"
JOB = "upsert_profiles"
PREFIX, SUFFIX = b'{"customerProfiles":[', b"]}"


def send(client: Client, prepared: Prepared, going: Going, *, connections: int = 4) -> Run:
    """Send a prepared input, or what its journal does not hold as settled."""
    cargo = Cargo(
        JOB,
        client.base_url,
        prepared.facts(),
        prepared.survey.rows,
        (part.rows for part in prepared.parts()),
        prepared.input(),
    )
    return run_job(job_of(client, connections), cargo, going)


def job_of(client: Client, connections: int) -> Job:
    """Return how a batch of profiles travels."""

    def send(batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        body = batch.body(PREFIX, SUFFIX)
        return client.send(OPERATION, query={"silent": "yes"}, body=body, stop=stop, on_wait=on_wait)

    limit = OPERATIONS[OPERATION].batch_limit or 1
    return Job(send, batch_limit=limit, connections=connections)
