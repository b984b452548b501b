"""Settle what is in doubt by looking on the server: the codes that were made are found, the others can be sent."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from t1data.client import Client
from t1data.errors import InputError, NotFoundError
from t1data.journal.reads import read_answers, read_lines, reading
from t1data.journal.records import BatchRecord, Part, Span, leaves
from t1data.journal.runs import Run, read_run
from t1data.journal.store import Journal
from t1data.referrals.codes import Referral, advocates_of, code_frame, referrals_in
from t1data.referrals.resume import reopen

MARGIN = timedelta(seconds=60)  # by which the server's clock may run behind this machine's

# Returns an advocate's referrals, or None where the server cannot say.
Look = Callable[[str], list[Referral] | None]


@dataclass(frozen=True)
class _Row:
    row: int
    advocate: str
    referral: Referral | None
    known: bool


def reconcile(
    client: Client, journal: Path, facts: dict[str, Any], *, data: Any = None, application_id: int | None = None
) -> Run:
    """Look on the server for the codes of rows that are in doubt; nothing is changed there.

    Without `application_id` one inventory is read for each advocate; with it, and a management key, the campaign's
    codes are listed instead, which also finds codes of advocates that have no profile.

    Parameters
    ----------
    client : Client
        For the run's base URL.
    journal, facts :
        Of the run.
    data : optional
        The input, if it was not a file or is no longer where it was.
    application_id : int, optional
        The Application whose campaign it is.

    Returns
    -------
    Run
        Rows whose code was found are ``accepted``, with the code in ``run.codes``; rows that certainly have none are
        ``unsent``, and a resume sends them; where the server cannot say, rows stay ``in_doubt``.
    """
    source = reopen(facts, data)
    if source is None:
        raise InputError("the input of this run is no longer there as it was; give it again: data=...")
    campaign = int(json.loads(facts["layout"]["terms"] + "]}")["campaignId"])
    advocates = advocates_of(source)
    with Journal(journal) as record:
        record.reopen()
        doubtful = [leaf for leaf in leaves(record.batches()) if leaf.state == "in_doubt"]
        taken = _codes_known(journal)
        for batch in doubtful:
            look = _look(client, batch, campaign=campaign, application_id=application_id)
            _settle(record, batch, list(_looked_up(journal, batch, advocates, look, taken)))
    return read_run(journal, source=source, goods=code_frame)


def _look(client: Client, batch: BatchRecord, *, campaign: int, application_id: int | None) -> Look:
    since = datetime.fromtimestamp(batch.started_at or 0.0, UTC) - MARGIN

    def is_ours(referral: Referral) -> bool:
        created = datetime.fromisoformat(referral["created"])
        return referral.get("campaignId") == campaign and created >= since

    if application_id is not None and client.management is not None:
        by_advocate: defaultdict[str, list[Referral]] = defaultdict(list)
        for referral in client.management.list_referrals(application_id, campaign, created_after=since):
            by_advocate[str(referral.get("advocateProfileIntegrationId"))].append(referral)
        return lambda advocate: [found for found in by_advocate.get(advocate, []) if is_ours(found)]

    def in_inventory(advocate: str) -> list[Referral] | None:
        try:
            inventory = client.get_customer_inventory(advocate, referrals=True)
        except NotFoundError:  # codes can exist for an advocate without a profile, and no inventory shows them
            return None
        return [found for found in inventory.get("referrals") or [] if is_ours(found)]

    return in_inventory


def _looked_up(
    journal: Path, batch: BatchRecord, advocates: dict[int, str], look: Look, taken: set[str]
) -> Iterator[_Row]:
    for row in _rows(journal, batch):
        found = look(advocates[row])
        free = [referral for referral in found or [] if referral["code"] not in taken]
        if free:
            taken.add(free[0]["code"])  # an advocate of two rows has two codes, and each row gets one
        yield _Row(row, advocates[row], free[0] if free else None, known=found is not None)


def _settle(record: Journal, batch: BatchRecord, rows: list[_Row]) -> None:
    answer = json.dumps({"data": [row.referral for row in rows if row.referral]}).encode()
    found = [row.row for row in rows if row.referral]
    absent = [row.row for row in rows if not row.referral and row.known]
    unknown = [row.row for row in rows if not row.referral and not row.known]
    kinds = [("done", found), ("planned", absent), ("in_doubt", unknown)]
    present = [(state, numbers) for state, numbers in kinds if numbers]
    if len(present) > 1:
        first = max(b.number for b in record.batches()) + 1
        parts = [
            Part(first + at, _spans(numbers), len(numbers), state, batch.status, batch.reason, batch.message)  # type: ignore[arg-type]
            for at, (state, numbers) in enumerate(present)
        ]
        record.settle(batch.number, "accept", answer=answer if found else None, parts=parts)
    elif found:
        record.settle(batch.number, "accept", answer=answer)
    elif absent:
        record.settle(batch.number, "withhold")


def _rows(journal: Path, batch: BatchRecord) -> list[int]:
    with reading(journal) as db:
        apart = {line.row for line in read_lines(db, batch.spans[0][0], batch.spans[-1][1])}
    return [row for start, stop in batch.spans for row in range(start, stop) if row not in apart]


def _codes_known(journal: Path) -> set[str]:
    """Return the codes that the run's kept answers hold: they belong to other rows."""
    known: set[str] = set()
    with reading(journal) as db:
        for _, body in read_answers(db):
            try:
                known.update(referral["code"] for referral in referrals_in(body))
            except ValueError:
                continue  # an answer that broke off; what it holds is what is looked for
    return known


def _spans(rows: list[int]) -> tuple[Span, ...]:
    return tuple((row, row + 1) for row in rows)
