"""Settle what is in doubt by looking on the server: the codes that were made are found, the others can be sent."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain, count
from pathlib import Path
from typing import Any

from t1data.bulk.intake import unchanged
from t1data.bulk.progress import Control, Progress, Watch, watching
from t1data.bulk.stop import heeding
from t1data.client import Client
from t1data.errors import InputError, JournalError, NotFoundError, StoppedError
from t1data.journal.answers import answers_by_batch
from t1data.journal.names import runs_folder
from t1data.journal.reads import read_head, read_lines, reading
from t1data.journal.records import BatchRecord, Part, State
from t1data.journal.runs import Run, read_run
from t1data.journal.store import Journal
from t1data.referrals.answers import codes_in
from t1data.referrals.codes import code_frame, codes_by_batch
from t1data.referrals.encode import ADVOCATE, FRIEND
from t1data.referrals.prepare import Advocates
from t1data.referrals.resume import prepare_again
from t1data.referrals.send import JOB
from t1data.referrals.terms import DEFAULT_CHARACTERS

Referral = dict[str, Any]

SURE = timedelta(seconds=1)  # a code that is older than the request by more than this was made by something else ...
NEAR = timedelta(hours=26)  # ... unless the clocks differ, by zones or a day at most: then nothing can be concluded

_OUTCOMES = {"done": "accepted", "planned": "unsent", "in_doubt": "in_doubt"}

PROBES = 3  # of a request, before all its rows are looked for one by one

UNSEEN = "the server has no profile of this advocate, so no inventory shows their codes; give application_id="
UNTOLD = "the server's answer says nothing about this advocate's codes"
UNCLEAR = "the server has a code from about the time of the request, and it is not certain that it is this one"


@dataclass(frozen=True)
class _Found:
    """What the server shows for one row: its code, certainly none, or `unclear` why neither can be said."""

    row: int
    referral: Referral | None = None
    unclear: str | None = None

    @property
    def state(self) -> State:
        if self.referral is not None:
            return "done"
        return "in_doubt" if self.unclear else "planned"


# Returns the referrals of an advocate in the campaign, or why the server cannot show them.
Look = Callable[[str], list[Referral] | str]


@dataclass(frozen=True)
class _Asked:
    """What a request asked for one row: whose code, under which terms, as they were on the wire."""

    row: int
    advocate: str
    terms: dict[str, Any]


def reconcile(
    client: Client,
    journal: Path,
    facts: dict[str, Any],
    *,
    data: Any = None,
    application_id: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
) -> Run:
    """Look on the server for the codes of rows that are in doubt; nothing is changed there.

    With `application_id`, and a management key, the campaign's codes are listed, which also finds codes of advocates
    that have no profile. Without it one inventory is read for each advocate: the first, the middle and the last of a
    request before all others, and when the server certainly shows nothing for any of these three, the request was not
    carried out. (Where an answer has shown that only some of a request's codes were made, all are looked for.)

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
    progress, control : optional
        As for the job itself. What is not looked for when it is stopped stays in doubt.

    Returns
    -------
    Run
        Rows whose code was found are ``accepted``, with the code in ``run.codes``; rows that certainly have none are
        ``unsent``, and a resume sends them; where the server cannot say, rows stay ``in_doubt``.
    """
    prepared = unchanged(prepare_again, facts, data)
    if prepared is None:
        raise InputError("the input of this run is no longer there as it was; give it again: data=...")
    listed = application_id is not None and client.management is not None
    with Journal(journal) as record:
        record.reopen()
        doubtful = record.open_batches(["in_doubt"])
        rows = {leaf.number: _rows(journal, leaf) for leaf in doubtful}
        campaign = int(prepared.fields["campaignId"])
        taken = _own_codes(journal, prepared, set(chain(*rows.values())))
        taken |= _codes_of_others(journal, client.base_url, campaign)
        asked = _asked(prepared, rows)
        if not doubtful:  # a campaign's codes can be many pages
            return read_run(journal, source=prepared.input(), goods={"codes": code_frame})
        look = _look(client, campaign, application_id if listed else None)
        with (
            watching(progress, total=sum(map(len, asked.values())), control=control) as watch,
            heeding(journal, watch),
            suppress(StoppedError),
        ):
            for batch in doubtful:
                since = datetime.fromtimestamp(batch.started_at or 0.0, UTC)
                probes = not listed and batch.reason != "not_in_answer"
                found = _find_all(asked[batch.number], _until(watch, look), since, taken, probes=probes)
                _settle(record, batch, list(_told(watch, found)))
    return read_run(journal, source=prepared.input(), goods={"codes": code_frame})


def _asked(prepared: Advocates, rows: dict[int, list[int]]) -> dict[int, list[_Asked]]:
    """Return what was asked for the rows of some batches, read from the input again."""
    batch_of = {row: number for number, mine in rows.items() for row in mine}
    found: dict[int, list[_Asked]] = {number: [] for number in rows}
    for part, _ in prepared.parts():
        assert part.keys is not None
        for at, row in enumerate(part.rows.tolist()):
            if row in batch_of:
                piece = json.loads(part.pieces[at].as_py().rstrip(b","))
                key = part.keys[at].as_py()
                terms = piece if key is None else json.loads(key + "}")
                found[batch_of[row]].append(_Asked(row, piece[ADVOCATE] if key is None else piece, terms))
    return found


def _look(client: Client, campaign: int, application_id: int | None) -> Look:
    if application_id is not None and client.management is not None:
        by_advocate: defaultdict[str, list[Referral]] = defaultdict(list)
        for referral in client.management.list_referrals(application_id, campaign):
            by_advocate[str(referral.get(ADVOCATE))].append(referral)
        return lambda advocate: by_advocate.get(advocate, [])

    @cache
    def in_inventory(advocate: str) -> list[Referral] | str:
        try:
            inventory = client.get_customer_inventory(advocate, referrals=True)
        except NotFoundError:  # codes can exist for an advocate without a profile, and no inventory shows them
            return UNSEEN
        return (inventory["referrals"] or []) if "referrals" in (inventory or {}) else UNTOLD

    return in_inventory


def _until(watch: Watch, look: Look) -> Look:
    """Look until the caller asks to stop."""

    def looking(advocate: str) -> list[Referral] | str:
        if watch.stopping.is_set():
            raise StoppedError("stopped while looking on the server")
        return look(advocate)

    return looking


def _told(watch: Watch, found: Iterable[_Found]) -> Iterator[_Found]:
    for row in found:
        watch.count(_OUTCOMES[row.state], 1)
        yield row


def _find_all(asked: list[_Asked], look: Look, since: datetime, taken: set[str], *, probes: bool) -> Iterator[_Found]:
    """Conclude what became of the rows of one request, one after the other."""
    if probes and len(asked) > PROBES:
        some = [asked[0], asked[len(asked) // 2], asked[-1]]
        if all(_find(one, look(one.advocate), since, set(taken)).state == "planned" for one in some):
            yield from (_Found(one.row) for one in asked)
            return
    yield from (_find(one, look(one.advocate), since, taken) for one in asked)


def _find(asked: _Asked, shown: list[Referral] | str, since: datetime, taken: set[str]) -> _Found:
    """Conclude what became of one row; a code that some journal or other terms account for is not looked at."""
    if isinstance(shown, str):
        return _Found(asked.row, unclear=shown)
    free = [referral for referral in shown if referral["code"] not in taken and fits(referral, asked.terms)]
    made = {referral["code"]: datetime.fromisoformat(referral["created"]) for referral in free}
    sure = [referral for referral in free if made[referral["code"]] >= since - SURE]
    if sure:
        taken.add(sure[0]["code"])  # an advocate of two rows has two codes, and each row gets one
        return _Found(asked.row, sure[0])
    near = any(created >= since - NEAR for created in made.values())
    return _Found(asked.row, unclear=UNCLEAR if near else None)


def fits(referral: Referral, terms: dict[str, Any]) -> bool:
    """Tell whether a referral can have been made under these terms."""
    pattern = terms.get("referralPattern")
    if pattern is not None:
        characters = "".join(terms.get("validCharacters") or DEFAULT_CHARACTERS)
        form = "".join(f"[{re.escape(characters)}]" if sign == "#" else re.escape(sign) for sign in pattern)
        if not re.fullmatch(form, referral["code"], re.IGNORECASE):  # an Application may store codes in one case
            return False
    same = all(referral.get(name) == terms.get(name) for name in ("campaignId", "usageLimit", FRIEND))
    return same and all(_same_time(referral.get(name), terms.get(name)) for name in ("startDate", "expiryDate"))


def _same_time(shown: str | None, asked: str | None) -> bool:
    """Tell whether nothing speaks against a time being the one that was asked for."""
    if not shown or not asked:
        return True
    return abs(datetime.fromisoformat(shown) - datetime.fromisoformat(asked)) <= SURE


def _settle(record: Journal, batch: BatchRecord, found: list[_Found]) -> None:
    referrals = [row.referral for row in found if row.referral]
    answer = json.dumps({"data": referrals}).encode() if referrals else None
    kinds = {(row.state, row.unclear) for row in found}
    if kinds == {("done", None)}:
        record.settle(batch.number, "accept", answer=answer)
    elif kinds == {("planned", None)}:
        record.settle(batch.number, "withhold")
    else:
        numbers = count(record.last_number() + 1)
        parts = [_part(next(numbers), batch, found, kind) for kind in sorted(kinds, key=str)]
        record.settle(batch.number, "accept", answer=answer, parts=parts)


def _part(number: int, batch: BatchRecord, found: list[_Found], kind: tuple[State, str | None]) -> Part:
    rows = [row.row for row in found if (row.state, row.unclear) == kind]
    state, unclear = kind
    spans = tuple((row, row + 1) for row in rows)
    return Part(number, spans, len(rows), state, batch.status, batch.reason, unclear)


def _rows(journal: Path, batch: BatchRecord) -> list[int]:
    with reading(journal) as db:
        apart = {line.row for start, stop in batch.spans for line in read_lines(db, start, stop)}
    return [row for start, stop in batch.spans for row in range(start, stop) if row not in apart]


def _own_codes(journal: Path, prepared: Advocates, doubtful: set[int]) -> set[str]:
    """Return the codes of this run's settled rows.

    An answer whose status or form says nothing is kept too, and can hold the code of a row that is in doubt: that code
    is looked for.
    """
    found = chain.from_iterable(held.items() for _, held in codes_by_batch(journal, prepared.input()))
    return {code.code for row, code in found if row not in doubtful}


def _codes_of_others(journal: Path, base_url: str, campaign: int) -> set[str]:
    """Return the codes that the answers to other runs on this machine account for.

    The same letters can be a code of another account, as in a rehearsal, or of another campaign: those are not meant.
    """
    known: set[str] = set()
    for path in {*_others(journal.parent), *_others(runs_folder())} - {journal.resolve()}:
        with suppress(JournalError), reading(path, whole=False) as db:
            head = read_head(db)
            if head is None or (head.operation, head.base_url) != (JOB, base_url):
                continue
            for _, body in answers_by_batch(db):
                with suppress(ValueError):  # an answer that broke off
                    known.update(code.code for code in codes_in(body) if code.campaign_id in (campaign, None))
    return known


def _others(folder: Path) -> set[Path]:
    return {path.resolve() for path in folder.glob("*.sqlite")}
