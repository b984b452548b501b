"""Runs of this machine, after the fact: list them, look into one, go on with one that was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.errors import InputError, JournalError
from t1data.journal.names import find_journal, runs_folder
from t1data.journal.outcomes import Input, head_of
from t1data.journal.place import delete_journal
from t1data.journal.reads import reading
from t1data.journal.records import OUTCOMES, RunRecord
from t1data.journal.runs import Run, read_run
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

# The module of each job, by the operation that its journals name. Each has `reopen` and `resume`.
_JOBS = {
    "upsert_profiles": "t1data.profiles.resume",
    "undo_upsert": "t1data.profiles.resume_undo",
    "read_profiles": "t1data.profiles.resume_reading",
    "create_referrals": "t1data.referrals.resume",
    "reserve_coupons": "t1data.coupons.resume",
    "release_coupons": "t1data.coupons.resume",
    "fetch_reservations": "t1data.coupons.resume_holders",
    "apply_audience": "t1data.audiences.resume",
    "erase_customers": "t1data.erasure.resume",
    "fetch_inventories": "t1data.inventories.resume",
    "update_sessions": "t1data.sessions.resume",
    "track_events": "t1data.sessions.resume_events",
}


class _Resumable(Protocol):
    def reopen(self, facts: dict[str, Any], data: Any) -> Input | None: ...
    def resume(self, client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run: ...


def list_runs(folder: str | Path | None = None) -> pd.DataFrame:
    """Return the runs of a folder, the newest first.

    Parameters
    ----------
    folder : path, optional
        Where journals lie; the user's state folder (or ``T1DATA_RUNS``) by default.

    Returns
    -------
    DataFrame
        Indexed by run: ``operation, base_url, started_at, finished_at, rows, accepted, invalid, refused, unsent,
        in_doubt, stopped, in_use, journal``; times in UTC. `in_use` says which process sends the run at this moment. A
        file that is no journal is left out.
    """
    import pandas as pd

    found = []
    for path in sorted(Path(folder or runs_folder()).glob("*.sqlite"), reverse=True):
        try:
            head, run = read_head_of(path), read_run(path)
        except JournalError:
            continue
        counts = {name: run.counts[name] for name in OUTCOMES}
        found.append(
            {
                "run": head.id,
                "operation": head.operation,
                "base_url": head.base_url,
                "started_at": pd.Timestamp(head.started_at, unit="s", tz="UTC"),
                "finished_at": pd.Timestamp(head.finished_at, unit="s", tz="UTC") if head.finished_at else pd.NaT,
                "rows": run.rows,
                **counts,
                "stopped": head.stopped,
                "in_use": run.in_use,
                "journal": str(path),
            }
        )
    names = ["operation", "base_url", "started_at", "finished_at", "rows", *OUTCOMES, "stopped", "in_use", "journal"]
    frame = pd.DataFrame(found, columns=["run", *names]).set_index("run")
    # A column of texts would hold NaN where there is none, and that is true.
    words = {name: frame[name].astype(object).where(frame[name].notna(), None) for name in ("stopped", "in_use")}
    return frame.assign(**words)


def open_run(run: str | Path, *, data: Any = None) -> Run:
    """Return a run by its id or its journal.

    Parameters
    ----------
    run : str or path
        The id, or the journal's file.
    data : optional
        The input, if it was not a file or is no longer where it was; the ids of `Run.outcomes` are read from it.

    Raises
    ------
    JournalError
        There is no such run.
    """
    path = find_journal(run)
    head = read_head_of(path)
    job = _job(head)
    return read_run(path, source=job.reopen(head.facts, data), goods=getattr(job, "goods", None))


def resume(
    client: Client,
    run: str | Path,
    *,
    data: Any = None,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
    resume_old: bool = False,
    resend_in_doubt: bool = False,
) -> Run:
    """Go on with a run: what was not sent is sent, and what is in doubt goes out again if the operation is repeatable.

    Parameters
    ----------
    client : Client
        For the same base URL; the key may be a new one.
    run : str or path
        The id, or the journal's file.
    data : optional
        The input, if it was not a file or is no longer where it was. It must be unchanged.
    progress, control, resume_old : optional
        As for the job itself.
    resend_in_doubt : bool
        Send again what is in doubt, though the operation is not repeatable: what it made may then exist twice.

    Raises
    ------
    JournalError, InputError
        Nothing was sent: there is no such run, or the input, host or mapping is not that of the run.
    """
    path = find_journal(run)
    head = read_head_of(path)
    data = data if data is not None else head.facts.get("recipe", {}).get("path")
    if data is None:
        raise InputError(f"run {head.id} read its rows from memory; give them again: resume(client, run, data=...)")
    going = Going(path, progress, control, resume_old, resend_in_doubt)
    return _job(head).resume(client, head.facts, data=data, going=going)


def reconcile(
    client: Client,
    run: str | Path,
    *,
    data: Any = None,
    application_id: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
) -> Run:
    """Look on the server what became of rows that are in doubt; nothing is changed there.

    Parameters
    ----------
    client : Client
        For the same base URL.
    run : str or path
        The id, or the journal's file.
    data : optional
        The input, if it was not a file or is no longer where it was.
    application_id : int, optional
        With it, and a management key, a campaign's referrals are listed instead of reading one inventory an advocate.
    progress, control : optional
        As for the job itself. What is not looked for when it is stopped stays in doubt.

    Returns
    -------
    Run
        What was found is ``accepted``; what is certainly not there is ``unsent`` and goes out on a resume.

    Raises
    ------
    JournalError
        There is no such run, or its operation can simply be sent again by `resume`.
    """
    path = find_journal(run)
    head = read_head_of(path)
    if head.operation != "create_referrals":
        raise JournalError(f"run {head.id} ({head.operation}) can be repeated without harm: resume it instead")
    from t1data.referrals.reconcile import reconcile as look

    return look(
        client,
        path,
        head.facts,
        data=data,
        application_id=application_id,
        progress=progress,
        control=control,
    )


def purge_run(run: str | Path, *, incomplete: bool = False) -> Path:
    """Delete the journal of a run, and what lies beside it.

    Parameters
    ----------
    run : str or path
        The id, or the journal's file.
    incomplete : bool
        Also when rows are unsent or in doubt: they can then no longer be resumed or reconciled.

    Returns
    -------
    Path
        What was deleted.

    Raises
    ------
    JournalError
        There is no such run, it is in use, or it is not complete.
    """
    path = find_journal(run)
    found = read_run(path)
    if found.in_use:
        raise JournalError(f"run {found.id} is in use by {found.in_use}; wait for it or stop it")
    if not found.complete and not incomplete:
        raise JournalError(
            f"run {found.id} is not complete: {many(found.counts['unsent'], 'row')} unsent,"
            f" {found.counts['in_doubt']:,} in doubt. Resume or reconcile it first, or say incomplete=True to forget it"
        )
    delete_journal(path)
    return path


def read_head_of(path: Path) -> RunRecord:
    """Return the head of the run in a journal."""
    with reading(path) as db:
        return head_of(db, path)


def _job(head: RunRecord) -> _Resumable:
    if head.operation not in _JOBS:
        raise JournalError(f"run {head.id} is of the operation {head.operation!r}, which this version does not know")
    job: Any = import_module(_JOBS[head.operation])
    return job  # type: ignore[no-any-return]
