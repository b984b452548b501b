"""One erasure and its proof: wipe a customer's attributes, then read the profile to see that they are gone.

The two are one row of a run. After a crash between them nobody knows whether the wipe was seen to have worked, so both
are done again, which does no harm. What is kept of the answers names nobody: a date, a status, and how many attributes
were left.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from t1data.bulk.batches import Batch
from t1data.bulk.job import Answered, Goods, Job
from t1data.bulk.refusals import is_of_api, mask
from t1data.client import OPERATIONS, Client
from t1data.errors import InDoubtError, NoAnswerError, NotFoundError, RequestError
from t1data.transport.transport import Answer
from t1data.words import many

OPERATION = "delete_customer_data"
READ = "get_customer_inventory"
NOTHING_ERASED = "there is no such customer in this environment: nothing was erased"

OnWait = Callable[[str, float], None]


@dataclass(frozen=True)
class Deed:
    """What is kept of one erasure and its proof: what the engine reads of an answer, made of two."""

    status: int
    body: bytes
    attempts: int
    waited: float
    warning: str = ""


def job_of(client: Client, connections: int) -> Job:
    """Return how a customer is erased."""
    repeatable = OPERATIONS[OPERATION].repeatable
    erase = partial(_erase, client)
    return Job(erase, 1, connections=connections, repeatable=repeatable, read=read_proof, names_one=True)


def read_proof(batch: Batch, body: bytes) -> Goods:
    """Say whether what was kept of an erasure shows that no attribute is left."""
    left = json.loads(body)["attributes_left"]
    if not left:
        return Goods(np.array([True]))
    return Goods(np.array([False]), f"the server said that it erased, and {many(left, 'attribute')} can still be read")


def attributes_left(profile: dict[str, Any]) -> int:
    """Count the attributes of a profile that hold anything.

    Examples
    --------
    >>> attributes_left({"attributes": {"Name": None, "Tags": [], "Email": "a@example.com"}})
    1
    """
    return sum(value not in (None, "", [], {}) for value in (profile.get("attributes") or {}).values())


def look(client: Client, integration_id: str, **how: Any) -> tuple[Answer, dict[str, Any]]:
    """Read the profile of a customer.

    Raises
    ------
    RequestError
        There is none, or it cannot be read.
    """
    answer = client.send(READ, integration_id, query={"profile": "true"}, **how)
    inventory = answer.json()
    profile = inventory.get("profile") if isinstance(inventory, dict) else None
    if not isinstance(profile, dict):
        raise NoAnswerError(f"{READ}: the answer holds no profile.", operation=READ, attempts=answer.attempts)
    return answer, profile


def _erase(client: Client, batch: Batch, stop: threading.Event, on_wait: OnWait) -> Answered:
    assert batch.key is not None
    try:
        erased = client.send(OPERATION, batch.key, stop=stop, on_wait=on_wait)
    except NotFoundError as error:
        raise _masked(error, batch.key, words=NOTHING_ERASED if is_of_api(error.body) else None) from None
    except RequestError as error:
        raise _masked(error, batch.key) from None
    return _proved(erased, *_seen(client, batch.key, erased, stop=stop, on_wait=on_wait))


def _seen(
    client: Client, integration_id: str, erased: Answer, *, stop: threading.Event, on_wait: OnWait
) -> tuple[int, float, dict[str, Any] | None]:
    """Return the attempts, the waits and the profile as it is now; None when the whole profile is gone."""
    try:
        answer, profile = look(client, integration_id, stop=stop, on_wait=on_wait)
    except NotFoundError as error:
        if not is_of_api(error.body):
            raise _unproved(erased, error, integration_id) from None
        return error.attempts, 0.0, None
    except RequestError as error:
        raise _unproved(erased, error, integration_id) from None
    return answer.attempts, answer.waited, profile


def _proved(erased: Answer, attempts: int, waited: float, profile: dict[str, Any] | None) -> Deed:
    kept = {
        "date": erased.headers.get("date"),
        "status": erased.status,
        "attributes_left": 0 if profile is None else attributes_left(profile),
        "profile_gone": profile is None,
        "sandbox": None if profile is None else profile.get("sandbox"),
    }
    body = json.dumps(kept).encode()
    return Deed(erased.status, body, erased.attempts + attempts, erased.waited + waited)


def _unproved(erased: Answer, error: RequestError, integration_id: str) -> NoAnswerError:
    return NoAnswerError(
        f"the server said that it erased (status {erased.status}), and the profile could not be read to prove it:"
        f" {mask(str(error), b'', integration_id)}",
        operation=OPERATION,
        status=error.status,
        attempts=erased.attempts + error.attempts,
    )


def _masked(error: RequestError, integration_id: str, *, words: str | None = None) -> RequestError:
    """Return an error without the id, which the server may have said back: the journal keeps its words and its body."""
    return type(error)(
        words or mask(str(error), b"", integration_id),
        operation=error.operation,
        status=error.status,
        body=b"" if isinstance(error, InDoubtError) else error.body,
        problems=None if words else error.problems,
        attempts=error.attempts,
        retry_after=error.retry_after,
    )
