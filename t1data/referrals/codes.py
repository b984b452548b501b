"""Which code belongs to which row: read from the answers as they came, matched by advocate and never by place."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t1data.bulk.answers import parsed
from t1data.bulk.batches import Batch
from t1data.bulk.job import Goods
from t1data.journal.answers import answers_by_batch, typed_column
from t1data.journal.outcomes import Input
from t1data.journal.reads import read_batch, read_lines, reading
from t1data.journal.records import BatchRecord
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

Referral = dict[str, Any]

COLUMNS = {
    "integration_id": "string",
    "code": "string",
    "friend_integration_id": "string",
    "referral_id": "Int64",
    "campaign_id": "Int64",
    "usage_limit": "Int64",
    "usage_counter": "Int64",
    "start_date": "datetime64[us, UTC]",
    "expiry_date": "datetime64[us, UTC]",
    "created": "datetime64[us, UTC]",
    "batch": "Int64",
}
_WIRE = {
    "integration_id": "advocateProfileIntegrationId",
    "code": "code",
    "friend_integration_id": "friendProfileIntegrationId",
    "referral_id": "id",
    "campaign_id": "campaignId",
    "usage_limit": "usageLimit",
    "usage_counter": "usageCounter",
    "start_date": "startDate",
    "expiry_date": "expiryDate",
    "created": "created",
}


@dataclass(frozen=True)
class Matched:
    """The referrals of one answer, held against the advocates that were asked for.

    Attributes
    ----------
    found : list of dict or None
        For each advocate its referral, None where the answer has none.
    surplus : int
        Referrals that nobody asked for.
    """

    found: list[Referral | None]
    surplus: int = 0


def read_goods(batch: Batch, body: bytes) -> Goods:
    """Say for which rows of a batch an answer holds a code."""
    asked = json.loads(batch.body(b"[", b"]"))
    advocates = [one if isinstance(one, str) else one["advocateProfileIntegrationId"] for one in asked]
    try:
        matched = match(advocates, body)
    except ValueError:
        return Goods(
            np.zeros(len(batch), dtype=bool),
            "codes may have been made, but the answer cannot be read; its bytes are kept: t1data runs raw",
        )
    got = np.array([referral is not None for referral in matched.found], dtype=bool)
    message = None
    if not got.all():
        message = "the answer holds no code for some advocates, though it says that all went well"
    elif matched.surplus:
        message = f"the answer holds {many(matched.surplus, 'code')} that nobody asked for; its bytes are kept"
    return Goods(got, message)


def match(advocates: list[str], body: bytes) -> Matched:
    """Give each advocate a referral of the answer that names them; an advocate asked for twice gets two codes.

    Raises
    ------
    ValueError
        The body is no complete JSON, or not of the form of an answer with referrals.

    Examples
    --------
    >>> answer = b'{"data":[{"advocateProfileIntegrationId":"b","code":"B123"}]}'
    >>> [found and found["code"] for found in match(["a", "b"], answer).found]
    [None, 'B123']
    """
    waiting: defaultdict[str, deque[Referral]] = defaultdict(deque)
    listed = referrals_in(body)
    once = {referral["code"]: referral for referral in listed}  # a code that stands twice is one code
    for referral in once.values():
        waiting[referral["advocateProfileIntegrationId"]].append(referral)
    found = [waiting[name].popleft() if waiting.get(name) else None for name in advocates]
    return Matched(found, sum(map(len, waiting.values())) + len(listed) - len(once))


def referrals_in(body: bytes) -> list[Referral]:
    """Return the referrals of an answer; raise ValueError when it is not one that can be read whole.

    The answer is a list of codes, or the one code that was made for a friend.
    """
    answer = parsed(body)
    data = answer.get("data") if isinstance(answer, dict) else None
    if data is None and isinstance(answer, dict) and "code" in answer:
        data = [answer]
    if not isinstance(data, list):
        raise ValueError("no list of referrals")
    return [item for item in data if isinstance(item, dict) and _is_text(item, "code", "advocateProfileIntegrationId")]


def _is_text(item: Referral, *names: str) -> bool:
    return all(isinstance(item.get(name), str) for name in names)


def code_frame(journal: Path, source: Input | None) -> pd.DataFrame:
    """Return the codes of a run, one line a code, on the input's index (for a file: the row number, from 1).

    Parameters
    ----------
    journal : Path
        Its kept answers are read.
    source : Input, optional
        The advocates are read from it. Without it the lines stand in the order of the answers.

    Returns
    -------
    DataFrame
        ``integration_id, code, friend_integration_id, referral_id, campaign_id, usage_limit, usage_counter, start_date,
        expiry_date, created, batch``; numbers nullable, times in UTC.
    """
    import pandas as pd

    found = sorted(codes_by_row(journal, source), key=lambda code: code[:2])
    rows, frame = [row for row, _, _ in found], frame_of(found)
    if source is not None and source.index is not None:
        return frame.set_index(pd.Index(source.index[rows], name=source.index.name))
    return frame.set_index(pd.Index([row + 1 for row in rows], name="row"))


def frame_of(found: Sequence[tuple[int, int, Referral]]) -> pd.DataFrame:
    """Return a line for each row, batch and referral, on no index of its own."""
    import pandas as pd

    records = [[*map(referral.get, _WIRE.values()), number] for _, number, referral in found]
    frame = pd.DataFrame(records, columns=list(COLUMNS), dtype=object)
    return pd.DataFrame({name: typed_column(frame[name], dtype) for name, dtype in COLUMNS.items()})


def codes_by_row(journal: Path, source: Input | None) -> Iterator[tuple[int, int, Referral]]:
    """Yield the row, the batch and the referral of every code that some kept answer holds for a row, each code once."""
    advocates, told = advocates_of(source), set[str]()  # what was found on the server may stand in a first answer too
    with reading(journal) as db:
        for number, body in answers_by_batch(db):
            record = read_batch(db, number)
            apart = {line.row for start, stop in record.spans for line in read_lines(db, start, stop)}
            found = list(_codes_of(record, body, advocates, apart))
            yield from (code for code in found if code[2]["code"] not in told)
            told |= {code[2]["code"] for code in found}


def _codes_of(
    record: BatchRecord, body: bytes, advocates: dict[int, str], apart: set[int]
) -> Iterator[tuple[int, int, Referral]]:
    rows = [row for start, stop in record.spans for row in range(start, stop) if row not in apart]
    try:
        if not advocates:
            yield from ((row, record.number, item) for row, item in zip(rows, referrals_in(body), strict=False))
            return
        found = match([advocates.get(row, "") for row in rows], body).found
    except ValueError:
        return
    yield from ((row, record.number, item) for row, item in zip(rows, found, strict=True) if item is not None)


def advocates_of(source: Input | None) -> dict[int, str]:
    """Return row number → advocate of a whole input."""
    found: dict[int, str] = {}
    for rows, ids in source.ids() if source is not None else ():
        found.update(zip(rows.tolist(), ids.to_pylist(), strict=True))
    return found
