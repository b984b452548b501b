"""Prepared sessions on their way through the engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

from t1data.body import encode_query
from t1data.bulk.batches import Batch
from t1data.bulk.effects import read_goods
from t1data.bulk.job import Answered, Job
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import Client
from t1data.errors import InDoubtError, RefusedError
from t1data.journal.reads import read_open, reading
from t1data.journal.runs import Run
from t1data.sessions.effects import GOODS
from t1data.sessions.look import REFUSALS, look_again
from t1data.sessions.prepare import Prepared

OPERATION = "update_customer_session_v2"
JOB = "update_sessions"
SECTIONS = ("customerSession", "triggeredCampaigns")
PREFIX, SUFFIX = b'{"customerSession":', f',"responseContent":{json.dumps(SECTIONS)}}}'.encode()


def send(client: Client, prepared: Prepared, going: Going, *, connections: int = 4) -> Run:
    """Send prepared sessions, or what their journal does not hold as settled."""
    cargo = Cargo(
        JOB,
        client.base_url,
        prepared.facts(),
        prepared.sessions.survey.rows,
        (rows for rows, _ in prepared.parts()),
        prepared.input(),
        goods=GOODS,
    )
    return run_job(_job(client, prepared, _in_doubt(going.journal), connections), cargo, going)


def _in_doubt(journal: str | Path | None) -> frozenset[int]:
    """Return the batches of an earlier run that may have been applied, though nobody said so."""
    if journal is None or not Path(journal).exists():
        return frozenset()
    with reading(Path(journal)) as db:
        return frozenset(batch.number for batch in read_open(db, ("intent", "in_doubt", "resent")))


def _job(client: Client, prepared: Prepared, in_doubt: frozenset[int], connections: int) -> Job:
    options = prepared.options
    query = encode_query({"dry": options.dry or None, "now": options.now})

    def put(batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        body = batch.body(PREFIX, SUFFIX)
        try:
            return client.send(OPERATION, batch.key or "", query=query, body=body, stop=stop, on_wait=on_wait)
        except (RefusedError, InDoubtError) as error:
            was_tried = error.attempts > 1 or batch.number in in_doubt
            if options.dry or not was_tried or error.status not in REFUSALS:
                raise
            return look_again(client, batch, error)

    return Job(
        put,
        batch_limit=1,
        connections=connections,
        read=read_goods,
        names_one=True,
        changes_nothing=options.dry,
    )
