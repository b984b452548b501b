"""A look at a session that may have taken an update though nobody said so.

A session that is closed cannot be closed once more. When the answer to the first time was lost, the second time is
refused, and only a look tells that all is done.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from t1data.bulk.batches import Batch
from t1data.bulk.job import Answered
from t1data.client import Client
from t1data.errors import InDoubtError, NotFoundError, RequestError

REFUSALS = (400, 409)
"""How the server may say that a session cannot take an update: also of one that it has taken before."""


def look_again(client: Client, batch: Batch, error: RequestError) -> Answered:
    """Return the session as it stands, in the form of the answer that was lost, if it is as the batch asks.

    Parameters
    ----------
    client : Client
        Where to look.
    batch : Batch
        One update, which may have gone out before.
    error : RequestError
        How it ended this time.

    Raises
    ------
    RequestError
        `error`, where the session is not as the batch asks, or can take the update again.
    InDoubtError
        The session cannot be looked at.
    """
    wanted = _read(batch.body())
    if wanted.get("state", "open") == "open":
        raise error
    try:
        answer = client.send("get_customer_session", batch.key or "")
    except NotFoundError:
        raise error from None
    except RequestError as unseen:
        raise InDoubtError(
            f"{error} An earlier attempt may have been taken, and the session cannot be looked at: {unseen}",
            operation=error.operation,
            status=error.status,
            body=error.body,
            attempts=error.attempts,
        ) from error
    found = _read(answer.body)
    if not agrees(wanted, found.get("customerSession")):
        raise error
    return answer


def agrees(wanted: Any, found: Any) -> bool:
    """Tell whether all that is wanted is found; what else there is does not matter.

    Examples
    --------
    >>> agrees({"state": "closed", "couponCodes": ["x"]}, {"state": "closed", "couponCodes": ["X"], "total": 3})
    True
    """
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(agrees(value, found.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(found, list) and len(found) == len(wanted)
        return same and all(agrees(*pair) for pair in zip(wanted, found, strict=True))
    if isinstance(wanted, str):  # an Application may keep codes in one case
        return isinstance(found, str) and found.casefold() == wanted.casefold()
    return bool(found == wanted)


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body, parse_float=Decimal)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
