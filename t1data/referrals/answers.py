"""The codes of an answer: read as they came, and matched with the advocates that were asked for, never by place."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from t1data.bulk.answers import parsed
from t1data.bulk.batches import Batch
from t1data.bulk.job import Goods
from t1data.words import many

_WIRE = {
    "integration_id": "advocateProfileIntegrationId",
    "friend_integration_id": "friendProfileIntegrationId",
    "referral_id": "id",
    "campaign_id": "campaignId",
    "usage_limit": "usageLimit",
    "usage_counter": "usageCounter",
    "start_date": "startDate",
    "expiry_date": "expiryDate",
}


class Code(msgspec.Struct, rename=_WIRE, gc=False):  # JSON holds no cycles
    """A referral code with what an answer says of it, whatever that is; other fields stand in the kept answer alone.

    In `codes_in`, `integration_id` (of the advocate) and `code` are texts.
    """

    integration_id: Any = None
    code: Any = None
    friend_integration_id: Any = None
    referral_id: Any = None
    campaign_id: Any = None
    usage_limit: Any = None
    usage_counter: Any = None
    start_date: Any = None
    expiry_date: Any = None
    created: Any = None


class _Listed(msgspec.Struct, gc=False):
    data: list[Code] | None = None


_decode = msgspec.json.Decoder(_Listed).decode


@dataclass(frozen=True)
class Matched:
    """The codes of one answer, held against the advocates that were asked for.

    Attributes
    ----------
    found : list of Code or None
        For each advocate its code, None where the answer has none.
    surplus : int
        Codes that nobody asked for.
    """

    found: list[Code | None]
    surplus: int = 0


def read_goods(batch: Batch, body: bytes) -> Goods:
    """Say for which rows of a batch an answer holds a code."""
    asked = parsed(batch.body(b"[", b"]"))
    advocates = [one if isinstance(one, str) else one["advocateProfileIntegrationId"] for one in asked]
    try:
        matched = match(advocates, body)
    except ValueError:
        return Goods(
            np.zeros(len(batch), dtype=bool),
            "codes may have been made, but the answer cannot be read; its bytes are kept: t1data runs raw",
        )
    got = np.array([code is not None for code in matched.found], dtype=bool)
    message = None
    if not got.all():
        message = "the answer holds no code for some advocates, though it says that all went well"
    elif matched.surplus:
        message = f"the answer holds {many(matched.surplus, 'code')} that nobody asked for; its bytes are kept"
    return Goods(got, message)


def match(advocates: list[str], body: bytes) -> Matched:
    """Give each advocate a code of the answer that names them; an advocate asked for twice gets two codes.

    Raises
    ------
    ValueError
        The body is no complete JSON, or not of the form of an answer with codes.

    Examples
    --------
    >>> answer = b'{"data":[{"advocateProfileIntegrationId":"b","code":"B123"}]}'
    >>> [found and found.code for found in match(["a", "b"], answer).found]
    [None, 'B123']
    """
    listed = codes_in(body)
    first, further = dict[str, Code](), defaultdict[str, deque[Code]](deque)  # a queue for each would cost the most
    once = {code.code: code for code in listed}  # a code that stands twice is one code
    for code in once.values():
        if first.setdefault(code.integration_id, code) is not code:
            further[code.integration_id].append(code)
    found = [first.pop(name, None) or (further[name].popleft() if further.get(name) else None) for name in advocates]
    return Matched(found, len(listed) - sum(code is not None for code in found))


def codes_in(body: bytes) -> list[Code]:
    """Return the codes of an answer; raise ValueError when it is not one that can be read whole.

    The answer is a list of codes, or the one code that was made for a friend.
    """
    try:
        listed = _decode(body).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        listed = None
    codes = _codes_of(parsed(body)) if listed is None else listed
    return [code for code in codes if isinstance(code.code, str) and isinstance(code.integration_id, str)]


def _codes_of(answer: Any) -> list[Code]:
    """Return the codes of an answer that is no plain list of records, or holds what only Python's reader takes."""
    data = answer.get("data") if isinstance(answer, dict) else None
    if data is None and isinstance(answer, dict) and "code" in answer:
        data = [answer]
    if not isinstance(data, list):
        raise ValueError("no list of codes")
    return [msgspec.convert(item, Code) for item in data if isinstance(item, dict)]
