"""Customers on their way to a coupon's reservations, or out of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from t1data.bulk.batches import Batch
from t1data.bulk.job import Answered, Job
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import OPERATIONS, Client
from t1data.coupons.pairs import Pairs
from t1data.errors import BadRequestError, NotFoundError
from t1data.journal.runs import Run

OPERATION_OF = {"reserve_coupons": "create_coupon_reservation", "release_coupons": "delete_coupon_reservation"}
"""The operation of each job."""

HOLDERS = "get_reserved_customers"
PREFIX, SUFFIX = b'{"integrationIDs":[', b"]}"

Wait = Callable[[str, float], None]


def send(
    client: Client, job: str, pairs: Pairs, facts: Mapping[str, Any], *, going: Going, connections: int = 4
) -> Run:
    """Send prepared pairs, or those that the journal does not hold as settled."""
    parts = (rows for rows, _ in pairs.parts())
    cargo = Cargo(job, client.base_url, facts, pairs.rows, parts, pairs.input())
    return run_job(job_of(client, OPERATION_OF[job], connections), cargo, going)


def job_of(client: Client, operation: str, connections: int) -> Job:
    """Return how the customers of one coupon travel."""

    def post(batch: Batch, stop: threading.Event, on_wait: Wait) -> Answered:
        assert batch.key is not None
        body = batch.body(PREFIX, SUFFIX)
        try:
            return client.send(operation, batch.key, body=body, stop=stop, on_wait=on_wait)
        except NotFoundError as error:
            # Nobody says whether an unknown customer is a 404 as well. If the coupon is known, it was about one of
            # them, and the batch is narrowed like any that was refused.
            if len(batch) > 1 and _is_known(client, batch.key, stop, on_wait):
                raise _about_a_row(error) from error
            raise

    facts = OPERATIONS[operation]
    return Job(
        post,
        facts.batch_limit or 1,
        connections=connections,
        repeatable=facts.repeatable,
        by_key=True,
        names_one=True,
    )


def _is_known(client: Client, code: str, stop: threading.Event, on_wait: Wait) -> bool:
    try:
        client.send(HOLDERS, code, stop=stop, on_wait=on_wait)
    except NotFoundError:
        return False
    return True


def _about_a_row(error: NotFoundError) -> BadRequestError:
    return BadRequestError(
        str(error),
        operation=error.operation,
        status=error.status,
        body=error.body,
        problems=error.problems,
        attempts=error.attempts + 1,
    )
