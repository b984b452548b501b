"""One run from its journal's first line to its last: what every job ends in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from t1data.bulk.batches import EncodedRows
from t1data.bulk.cutting import up_to
from t1data.bulk.engine import Engine
from t1data.bulk.job import Job
from t1data.bulk.progress import Control, Progress, watching
from t1data.bulk.stop import heeding
from t1data.errors import InputError
from t1data.journal.names import new_run_id, runs_folder
from t1data.journal.outcomes import Input
from t1data.journal.runs import GoodsReader, Run, read_run
from t1data.journal.store import Journal

ONLY_FIRST = "the first rows were to be sent before the others"


@dataclass(frozen=True)
class Going:
    """How a run is to go; the keywords that all jobs share.

    Attributes
    ----------
    journal : path, optional
        The file; a new one in the folder of runs by default.
    progress : bool or callable, optional
        A bar, nothing, or a callback.
    control : Control, optional
        The caller's handle.
    resume_old : bool
        Go on with a run of more than a day ago.
    resend_in_doubt : bool
        Send again what is in doubt, also when that may make things twice.
    id : str, optional
        What a new run is called.
    """

    journal: str | Path | None = None
    progress: bool | Callable[[Progress], None] | None = None
    control: Control | None = None
    resume_old: bool = False
    resend_in_doubt: bool = False
    id: str | None = None

    def placed(self, operation: str) -> Going:
        """Return the same with the journal's place decided, for a job that lays something beside it."""
        if self.journal is not None:
            return self
        id_ = new_run_id(operation, time.time())
        return replace(self, journal=runs_folder() / f"{id_}.sqlite", id=id_)

    def ahead(self, journal: Path) -> Going:
        """Return how a run goes that is a part of this one and comes before it; it takes all rows in any case."""
        return replace(self, id=None, journal=journal, control=self.control and self.control.without_first())


@dataclass(frozen=True)
class Cargo:
    """What a run sends.

    Attributes
    ----------
    operation : str
        The job's name in the journal, such as ``"upsert_profiles"``.
    base_url : str
        Where to.
    facts : mapping
        What must be the same when the run is resumed, and how to read the input again.
    rows : int
        Rows of the input.
    encoded : iterable of EncodedRows
        The input, ready to send, in order.
    source : Input
        The input as it was, for the outcomes.
    goods : mapping of str to callable
        What the run brought home: the name of a frame → what makes it.
    beside : callable, optional
        Writes what is to lie beside the journal; called with the journal's path before anything is sent.
    """

    operation: str
    base_url: str
    facts: Mapping[str, Any]
    rows: int
    encoded: Iterable[EncodedRows]
    source: Input
    goods: Mapping[str, GoodsReader] = field(default_factory=dict)
    beside: Callable[[Path], None] | None = None


def run_job(job: Job, cargo: Cargo, going: Going) -> Run:
    """Send what the journal does not hold as settled, and return the run.

    Raises
    ------
    InputError
        There would be no connection to send through.
    JournalError
        The journal cannot be written, is in use, or holds another job.
    """
    if not isinstance(job.connections, int) or job.connections < 1:
        raise InputError(f"connections: got {job.connections!r}, valid is a whole number, 1 or more")
    going = going.placed(cargo.operation)
    id_, path = going.id or new_run_id(cargo.operation, time.time()), Path(going.journal or "")
    with (
        Journal(path, durable=not job.changes_nothing) as record,
        watching(going.progress, total=cargo.rows, control=going.control) as watch,
        heeding(path, watch),
    ):
        record.begin(
            id_,
            cargo.operation,
            base_url=cargo.base_url,
            facts=dict(cargo.facts),
            rows=cargo.rows,
            resume_old=going.resume_old,
        )
        record.reopen()
        if cargo.beside is not None and not record.last_number():
            cargo.beside(path)
        first = watch.control.first
        encoded = cargo.encoded if first is None else up_to(cargo.encoded, first)
        try:
            Engine(record, job, watch, resend_in_doubt=going.resend_in_doubt).run(encoded)
        finally:
            record.finish(stopped=watch.stopped or (ONLY_FIRST if first and watch.left else None))
    return read_run(path, source=cargo.source, goods=cargo.goods)
