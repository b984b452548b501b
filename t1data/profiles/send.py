"""Prepared profiles on their way through the engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from t1data.bulk.delivery import Answered, Job
from t1data.bulk.engine import Engine
from t1data.bulk.progress import Control, Progress, watching
from t1data.client import OPERATIONS, Client
from t1data.journal.names import new_run_id, runs_folder
from t1data.journal.runs import Run, read_run
from t1data.journal.store import Journal
from t1data.profiles.prepare import Prepared

OPERATION = "update_customer_profiles_v2"
JOB = "upsert_profiles"
PREFIX, SUFFIX = b'{"customerProfiles":[', b"]}"


def send(
    client: Client,
    prepared: Prepared,
    *,
    journal: str | Path | None = None,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
    resume_old: bool = False,
) -> Run:
    """Send a prepared input, or what its journal does not hold as settled."""
    id_ = new_run_id(JOB, time.time())
    path = Path(journal) if journal is not None else runs_folder() / f"{id_}.sqlite"
    with Journal(path) as record, watching(progress, total=prepared.survey.rows, control=control) as watch:
        record.begin(
            id_, JOB, base_url=client.base_url, facts=prepared.facts(), rows=prepared.survey.rows, resume_old=resume_old
        )
        record.reopen(repeatable=True)
        try:
            Engine(record, job_of(client, connections), watch).run(part.rows for part in prepared.parts())
        finally:
            record.finish(stopped=watch.stopped)
    return read_run(path, source=prepared.input())


def job_of(client: Client, connections: int) -> Job:
    """Return how a batch of profiles travels."""

    def send(body: bytes, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        return client.send(OPERATION, query={"silent": "yes"}, body=body, stop=stop, on_wait=on_wait)

    limit = OPERATIONS[OPERATION].batch_limit or 1
    return Job(send, PREFIX, SUFFIX, batch_limit=limit, connections=connections)
