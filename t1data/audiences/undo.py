"""Take back a run on audiences: the inverse of what it has changed, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from t1data.audiences.apply import apply_audience, members_of
from t1data.audiences.guards import check_removals
from t1data.audiences.marks import JOB, marks_of
from t1data.audiences.resume import reopen
from t1data.bulk.named import name_rows
from t1data.bulk.progress import Control, Progress
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.names import find_journal
from t1data.journal.outcomes import head_of
from t1data.journal.reads import reading
from t1data.journal.runs import Run, read_run
from t1data.tables.reading import AS_FOUND, Reading

if TYPE_CHECKING:
    import pandas as pd


def plan_undo(
    client: Client,
    run: Run | str | Path,
    *,
    data: Any = None,
    before: Any = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    """Return the actions that would take back a run of `apply_audience` or `sync_audience`; nothing is sent.

    Of the rows that were accepted, those that changed something: whom the run has added is taken out, and whom it has
    taken out is added again. Who was a member already when it was added stays. With a management key, actions that
    would no longer change anything are left out.

    Parameters
    ----------
    client : Client
        For the account of the run.
    run : Run, str or path
        The run, its id, or its journal.
    data : optional
        The plan of the run, if it was not a file or is no longer where it was.
    before : path, DataFrame, Series, list of str, optional
        The audience's members before the run, when the run could not read them for want of a management key.
    encoding, delimiter, sheet : str, optional
        How a text file of `before` is read; which sheet of a workbook. The plan is read as the run read it.

    Returns
    -------
    DataFrame
        ``integration_id, action, audience_id``, a plan for `apply_audience`.

    Raises
    ------
    InputError
        It is no run on audiences, its plan is not there, or nobody knows who was a member before: then undoing could
        take out customers whom the run did not add.
    """
    import pandas as pd

    how = Reading(encoding, delimiter, sheet)
    if before is None and how != AS_FOUND:
        raise InputError("encoding, delimiter and sheet say how before is read, and it was not given")
    known = _run_of(client, run, data)
    changes = _changes(known, before, how)
    outcomes = known.outcomes
    ids = outcomes["integration_id"].to_numpy(dtype=object)
    accepted = (outcomes["outcome"] == "accepted").to_numpy(dtype=bool)
    rows = changes["row"].to_numpy()
    keep = accepted[rows]
    plan = pd.DataFrame(
        {
            "integration_id": pd.array(ids[rows[keep]], dtype="string"),
            "action": pd.array(np.where(changes["adds"].to_numpy()[keep], "delete", "add"), dtype="string"),
            "audience_id": pd.array(changes["audience_id"].to_numpy()[keep], dtype="Int64"),
        }
    )
    return plan if client.management is None else _still_needed(client, plan)


def undo_audience(
    client: Client,
    run: Run | str | Path,
    *,
    data: Any = None,
    before: Any = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    max_removed: int | None = None,
    journal: str | Path | None = None,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
) -> Run:
    """Take back a run of `apply_audience` or `sync_audience`, as `plan_undo` says; this is a run of its own.

    Parameters
    ----------
    client, run, data, before, encoding, delimiter, sheet :
        As for `plan_undo`.
    max_removed : int, optional
        How many members it may take out, when these are more than 1,000 or more than a tenth of an audience.
    journal, connections, progress, control :
        As for `upsert_profiles`.

    Returns
    -------
    Run
        Its outcomes are of the plan that `plan_undo` returns.

    Raises
    ------
    InputError, ConfigError, NotSentError
        Before anything is sent; also when there is nothing to take back.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     sandbox.load({"audiences": [{"id": 748, "name": "Regulars"}]})
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key)
    ...     plan = pd.DataFrame({"integration_id": ["001", "002"], "action": "add", "audience_id": 748})
    ...     run = t1.apply_audience(client, plan)
    ...     undone = t1.undo_audience(client, run, max_removed=2)
    ...     undone.counts["accepted"], client.management.export_members(748)
    (2, [])
    """
    plan = plan_undo(client, run, data=data, before=before, encoding=encoding, delimiter=delimiter, sheet=sheet)
    if plan.empty:
        raise InputError("there is nothing to take back: the run changed nothing that is still so")
    for audience, removed in plan.loc[plan["action"] == "delete", "audience_id"].value_counts().items():
        members = None if client.management is None else len(client.management.export_members(cast(int, audience)))
        check_removals(int(removed), members, max_removed=max_removed, what=f"taking back, in audience {audience},")
    return apply_audience(
        client,
        plan,
        allow_suspect_ids=True,  # they were sent before
        journal=journal,
        connections=connections,
        progress=progress,
        control=control,
    )


def _run_of(client: Client, run: Run | str | Path, data: Any) -> Run:
    path = run.journal if isinstance(run, Run) else find_journal(run)
    with reading(path) as db:
        head = head_of(db, path)
    if head.operation != JOB:
        raise InputError(
            f"run {head.id} is of the operation {head.operation}: only runs on audiences can be taken back"
        )
    if head.base_url != client.base_url:
        raise InputError(f"run {head.id} was sent to {head.base_url}, and this client is for {client.base_url}")
    known = run if isinstance(run, Run) and data is None else read_run(path, source=reopen(head.facts, data))
    if not known.has_input:
        raise InputError(f"the plan of run {head.id} is not there as it was; give it: data=...")
    return known


def _changes(run: Run, before: Any, how: Reading) -> pa.Table:
    """Return ``row, audience_id, adds`` of the rows that would change a membership."""
    path = marks_of(run.journal)
    if not path.is_file():
        raise InputError(f"{path} is not there: it says which rows of run {run.id} changed something")
    marks = pq.read_table(path, columns=["row", "audience_id", "adds", "changes"])
    if not marks["changes"].null_count:
        return marks.filter(marks["changes"])
    if before is None:
        raise InputError(
            f"run {run.id} did not know who was a member before, for want of a management key: taking it back could"
            " take out customers whom it did not add. Give the members before the run: before=..."
        )
    if len(marks["audience_id"].unique()) > 1:
        raise InputError("before: the run is about several audiences, and these are the members of one")
    there = _set_of(before, how)
    ids = run.outcomes["integration_id"].to_numpy(dtype=object)[marks["row"].to_numpy()]
    return marks.filter(pa.array(marks["adds"].to_numpy() != np.array([id_ in there for id_ in ids], dtype=bool)))


def _set_of(before: Any, how: Reading) -> Collection[str]:
    if isinstance(before, Sized) and not len(before):
        return set()
    named = name_rows(before, id="integration_id", allow_suspect_ids=True, parameter="before", reading=how)
    return {id_ for _, ids in named.input().ids() for id_ in ids.drop_null().to_pylist()}


def _still_needed(client: Client, plan: pd.DataFrame) -> pd.DataFrame:
    now = members_of(client, [int(audience) for audience in plan["audience_id"].unique()])
    columns = (plan["integration_id"], plan["action"], plan["audience_id"])
    needed = [(action == "add") != (id_ in now[audience]) for id_, action, audience in zip(*columns, strict=True)]
    return plan[needed].reset_index(drop=True)
