"""The evidence of an erasure: who was erased, when and with what proof, without naming anybody.

A file of chained JSON lines (`t1data.erasure.chain`): a head, a line for each customer about whom a request was sent,
and a foot with the counts. An id stands in it as HMAC-SHA256 under the salt that the head gives, so that who has an id
can tell whether it is in the file, and who has the file alone cannot tell the ids. It is made from the journal, at the
end of every go of the run, so that a run that was interrupted has its whole evidence after the resume.
"""

from __future__ import annotations

import getpass
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from t1data.erasure.chain import chained, check_chain
from t1data.errors import InputError
from t1data.journal.answers import Kept
from t1data.journal.outcomes import Input, count_outcomes, head_of, outcome_chunks
from t1data.journal.reads import read_batch, reading
from t1data.journal.records import BatchRecord, RunRecord
from t1data.journal.writes import tool_version
from t1data.writing import replacing

HEAD, CUSTOMER, FOOT = "head", "customer", "foot"
FORM = 1

_NOT_SENT = ("unsent", "invalid")
_PROOFS = {"refused": "refused", "in_doubt": "not_proved"}


def begin(key_hint: str, *, operator: str | None, environment: str | None) -> dict[str, Any]:
    """Return what a run notes at its beginning for its evidence.

    Raises
    ------
    InputError
        The operator is no name, or nobody said who it is and the system does not know.
    """
    if operator is not None and (not isinstance(operator, str) or not operator.strip()):
        raise InputError(f"operator: got {operator!r}, valid is the name of who does this")
    return {
        "operator": _user() if operator is None else operator,
        "environment": environment,
        "key": key_hint,
        "salt": secrets.token_hex(32),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a process in a container may have no name
        raise InputError('operator: the user of this process has no name; say who does this: operator="…"') from None


def place_of(journal: Path) -> Path:
    """Return where the run in a journal puts its evidence."""
    with reading(journal) as db:
        named = head_of(db, journal).facts.get("recipe", {}).get("evidence")
    return Path(named) if named else usual_place(journal)


def usual_place(journal: Path) -> Path:
    """Return where the evidence of a run lies unless the caller names a file: beside its journal."""
    return journal.with_suffix(".evidence.jsonl")


def check_place(path: Path, journal: Path | None) -> None:
    """Refuse a place for evidence before anything is sent, and not after.

    Raises
    ------
    InputError
        Its folder is not there, or the file is and is not evidence of the run in `journal`.
    """
    if not path.parent.is_dir():
        raise InputError(f"evidence: there is no folder {path.parent}")
    if path.exists() and (journal is None or not journal.is_file() or _run_in(path) != _id_of(journal)):
        raise InputError(f"evidence: {path} is there already, and is of another run; name another file")


def write_evidence(path: Path, journal: Path, source: Input) -> str:
    """Write the evidence of a run, whole or not at all, and return its seal.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced.
    journal : Path
        Of the run.
    source : Input
        The ids are read from it.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    last = b""
    with replacing(path, overwrite=True) as part, part.open("wb") as out:
        for line in chained(_records(journal, source)):
            out.write(line)
            last = line
    return str(json.loads(last)["chain"])


def hash_under(salt: str, integration_id: str) -> str:
    """Return how an id stands in evidence."""
    return hmac.digest(bytes.fromhex(salt), integration_id.encode(), "sha256").hex()


def _run_in(path: Path) -> str | None:
    return next((record.get("run") for record, _, _ in check_chain(path)), None)


def _id_of(journal: Path) -> str:
    with reading(journal) as db:
        return head_of(db, journal).id


def _records(journal: Path, source: Input) -> Iterator[dict[str, Any]]:
    with reading(journal) as db:
        head = head_of(db, journal)
        counts = count_outcomes(db, head)
        kept = Kept(db)
        yield _head(head)
        customers = 0
        for line, number in _erased(outcome_chunks(journal, source)):
            batch = read_batch(db, number)
            if batch.spans[-1][1] == line["row"]:  # else another row stands for this one, and has told
                customers += 1
                yield _customer(head, line, batch, json.loads(kept.of(number) or b"{}"))
    yield {"record": FOOT, "run": head.id, "customers": customers, "rows": head.rows, **counts}


def _head(head: RunRecord) -> dict[str, Any]:
    noted = head.facts["evidence"]
    return {
        "record": HEAD,
        "form": FORM,
        "run": head.id,
        "base_url": head.base_url,
        "environment": noted["environment"],
        "key": noted["key"],
        "operator": noted["operator"],
        "tool_version": tool_version(),
        "id_hash": "hmac-sha256",
        "salt": noted["salt"],
    }


def _erased(chunks: Iterator[Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the line and the batch of each row about which a request was sent."""
    for chunk in chunks:
        for line in chunk.to_pylist():
            if line["outcome"] not in _NOT_SENT:
                yield line, line["batch"]


def _customer(head: RunRecord, line: Mapping[str, Any], batch: BatchRecord, kept: Mapping[str, Any]) -> dict[str, Any]:
    noted = head.facts["evidence"]
    return {
        "record": CUSTOMER,
        "id": hash_under(noted["salt"], line["integration_id"]),
        **_said(line, batch, kept),
        "run": head.id,
        "operator": noted["operator"],
        "tool_version": tool_version(),
    }


def _said(line: Mapping[str, Any], batch: BatchRecord, kept: Mapping[str, Any]) -> dict[str, Any]:
    date = _server_date(kept.get("date"))
    local = None if batch.answered_at is None else datetime.fromtimestamp(batch.answered_at, UTC)
    return {
        "outcome": line["outcome"],
        "status": kept.get("status", line["http_status"]),
        "verification": _proof(line, kept),
        "date": _text(date or local),
        "clock": "server" if date else "this machine",
    }


def _proof(line: Mapping[str, Any], kept: Mapping[str, Any]) -> str:
    if line["outcome"] == "accepted":
        return "profile_gone" if kept["profile_gone"] else "attributes_empty"
    if line["reason"] == "not_found":
        return "nothing_erased"
    return "attributes_left" if kept.get("attributes_left") else _PROOFS[line["outcome"]]


def _server_date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
