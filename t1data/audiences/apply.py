"""Apply a plan: up to 1000 actions a request, one outcome a row, and no two requests about one customer at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from t1data.audiences.actions import Actions, read_actions
from t1data.audiences.marks import JOB, Members, write_marks
from t1data.bulk.batches import Batch
from t1data.bulk.intake import input_of
from t1data.bulk.job import Answered, Job
from t1data.bulk.named import path_of
from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import OPERATIONS, Client
from t1data.errors import AnswerError, InputError, NotFoundError
from t1data.journal.runs import Run

OPERATION = "update_customer_profile_audiences"
_PREFIX, _SUFFIX = b'{"data":[', b"]}"


def apply_audience(
    client: Client,
    plan: Any,
    *,
    undoable: bool | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    allow_suspect_ids: bool = False,
    journal: str | Path | None = None,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
    resume_old: bool = False,
) -> Run:
    """Add customers to audiences and take them out, as a plan says, one outcome for every row.

    Rows that say the same of one customer and one audience go out once; of rows that contradict each other none does.
    Adding a customer that the account does not know creates an empty profile. When a customer has actions on several
    audiences, the requests go out one after the other, in the plan's order.

    Parameters
    ----------
    client : Client
        Where to, with which key, at what pace. With a management key, audiences that do not exist are told before
        anything is sent.
    plan : path, DataFrame, or anything with an Arrow stream
        Columns ``integration_id, action, audience_id``, as `plan_audience` makes them; an action is ``add`` or
        ``delete``, an audience its number. Other columns are not read.
    undoable : bool, optional
        Read the audiences' members first, so that `undo_audience` takes back only what the run has changed. By default
        where there is a management key; True without one is an error.
    encoding, delimiter, sheet :
        How a text file or workbook is read, as for `upsert_profiles`.
    allow_suspect_ids : bool
        Send ids that look as if a spreadsheet had damaged them.
    journal, connections, progress, control, resume_old :
        As for `upsert_profiles`.

    Returns
    -------
    Run
        ``run.counts``, ``run.failures``, ``run.outcomes``. Refused rows do not raise.

    Raises
    ------
    InputError, ConfigError, NotSentError
        Before anything is sent.
    JournalError
        The journal cannot be written, belongs to another job, or is in use.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     sandbox.load({"audiences": [{"id": 748, "name": "Regulars"}]})
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     plan = pd.DataFrame({"integration_id": ["001", "002"], "action": "add", "audience_id": 748})
    ...     t1.apply_audience(client, plan).counts["accepted"]
    2
    """
    client.check_unlocked(OPERATION)
    words = {"encoding": encoding, "delimiter": delimiter, "sheet": sheet}
    actions = read_actions(plan, words=words, allow_suspect_ids=allow_suspect_ids)
    client.reach()
    check_known(client, actions.audiences)
    before = members_of(client, actions.audiences) if _reads_members(client, undoable) else None
    going = Going(journal, progress, control, resume_old)
    recipe = {"path": path_of(plan), "words": words, "allow_suspect_ids": allow_suspect_ids}
    return send(client, actions, recipe, going=going, connections=connections, before=before)


def send(
    client: Client,
    actions: Actions,
    recipe: Mapping[str, Any],
    *,
    going: Going,
    connections: int = 4,
    before: Members | None = None,
) -> Run:
    """Send a plan that was looked over, or what its journal does not hold as settled.

    Parameters
    ----------
    client : Client
        Where to.
    actions : Actions
        The plan.
    recipe : mapping
        How to read it again.
    going : Going
        How the run goes.
    connections : int
        At most, requests in flight at once.
    before : mapping, optional
        Audience → its members before the run, if they are known.
    """
    cargo = Cargo(
        JOB,
        client.base_url,
        {"input": actions.source.fingerprint(), "recipe": dict(recipe)},
        actions.rows,
        (found.encoded() for found in actions.read()),
        input_of(actions.source, actions.column),
        beside=lambda journal: write_marks(journal, actions, before),
    )
    return run_job(_job(client, actions, connections), cargo, going)


def counts_of(actions: Actions) -> dict[str, int]:
    """Count what a plan would do: ``add, delete, invalid, collapsed, requests``."""
    counts = dict.fromkeys(("add", "delete", "invalid", "collapsed", "requests"), 0)
    for found in actions.read():
        adds, collapsed = int(found.adds.sum()), sum(line.same_as is not None for line in found.lines)
        counts["add"] += adds
        counts["delete"] += len(found.rows) - adds
        counts["collapsed"] += collapsed
        counts["invalid"] += len(found.lines) - collapsed
    counts["requests"] = -(-(counts["add"] + counts["delete"]) // (OPERATIONS[OPERATION].batch_limit or 1))
    return counts


def check_known(client: Client, audiences: Iterable[int]) -> None:
    """Raise `InputError` when the account does not have an audience; without a management key nobody knows."""
    if client.management is None:
        return
    unknown = sorted(set(audiences) - {audience["id"] for audience in client.management.list_audiences()})
    if unknown:
        named = ", ".join(map(str, unknown[:20]))
        raise InputError(f"audience_id: the account at {client.base_url} has no audience {named}; nothing was sent")


def members_of(client: Client, audiences: Iterable[int]) -> dict[int, set[str]]:
    """Return the members of some audiences."""
    assert client.management is not None
    return {audience: set(client.management.export_members(audience)) for audience in audiences}


def _reads_members(client: Client, undoable: bool | None) -> bool:
    if undoable and client.management is None:
        raise InputError(
            "undoable: the members of an audience are read with a management key, and this client has none"
        )
    return client.management is not None if undoable is None else undoable


def _job(client: Client, actions: Actions, connections: int) -> Job:
    facts = OPERATIONS[OPERATION]
    post = partial(_post, client, mixed=len(actions.audiences) > 1)
    at_once = min(connections, 1) if actions.in_turn else connections
    return Job(post, facts.batch_limit or 1, connections=at_once, repeatable=facts.repeatable)


def _post(
    client: Client, batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None], *, mixed: bool
) -> Answered:
    try:
        return client.send(OPERATION, body=batch.body(_PREFIX, _SUFFIX), stop=stop, on_wait=on_wait)
    except NotFoundError as error:
        if not mixed:
            raise
        # Nobody says whether the actions on the audiences that do exist were done.
        raise AnswerError(
            f"{error} One of the plan's audiences does not exist, and what became of the actions on the others is not"
            " known. Create it, or leave its rows out.",
            operation=OPERATION,
            status=error.status,
            body=error.body,
            attempts=error.attempts,
        ) from None
