"""Erase customers' data: counted, confirmed, proved one by one, with evidence that names nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from t1data.bulk.named import Named, name_rows, path_of
from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import Client
from t1data.erasure.deed import OPERATION, job_of
from t1data.erasure.evidence import begin, check_place, place_of, write_evidence
from t1data.erasure.plan import make_plan
from t1data.errors import InputError, JournalError
from t1data.journal.runs import Run
from t1data.tables.reading import Reading

JOB = "erase_customers"


def erase_customers(
    client: Client,
    ids: Any,
    *,
    confirm: int | None = None,
    id: str = "integration_id",
    evidence: str | Path | None = None,
    operator: str | None = None,
    allow_suspect_ids: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    journal: str | Path | None = None,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
    resume_old: bool = False,
) -> Run:
    """Erase the attributes of customers and of all that belongs to them, and prove it. This cannot be undone.

    After each erasure the profile is read back: ``accepted`` means that no attribute is left. A customer who is not
    there is ``refused`` (404): nothing was erased. Where the proof is missing the row is ``in_doubt``, and a resume
    does both again. What an erasure does not reach, `plan_erasure` says.

    Parameters
    ----------
    client : Client
        Where to; its key decides which environment it is.
    ids : path, DataFrame, Series, list of str, or anything with an Arrow stream
        The customers. An id that stands twice is erased once.
    confirm : int
        How many distinct customers that is, as `plan_erasure` counts them. Without it, or with another number, nothing
        is sent and the error says the number.
    id : str
        The column of the ids.
    evidence : path, optional
        Where the evidence is written; beside the journal (``….evidence.jsonl``) by default. It names nobody, and
        `verify_evidence` tells whether an id is in it and whether it is whole.
    operator : str, optional
        Who does this, for the evidence; the user of this process by default.
    allow_suspect_ids : bool
        Take ids that look as if a spreadsheet had damaged them.
    encoding, delimiter, sheet, journal, connections, progress, control, resume_old :
        As for `upsert_profiles`.

    Returns
    -------
    Run
        ``run.counts``, ``run.failures``, ``run.outcomes``.

    Raises
    ------
    InputError, ConfigError, NotSentError
        Before anything is sent.
    JournalError
        The journal cannot be written, belongs to another job, or is in use; or the evidence could not be written.

    Examples
    --------
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     _ = client.update_customer_profile_v2("007", {"attributes": {}})
    ...     run = t1.erase_customers(client, ["007"], confirm=1, operator="ada")
    >>> run.counts["accepted"], t1.verify_evidence(run, ids=["007"]).holds
    (1, True)
    """
    client.check_unlocked(OPERATION)
    reading = Reading(encoding, delimiter, sheet)
    named = name_rows(ids, id=id, allow_suspect_ids=allow_suspect_ids, reading=reading)
    known = None if journal is None else Path(journal)
    if evidence is not None:
        check_place(Path(evidence), known)
    plan = make_plan(client, named)
    plan.check(confirm)
    recipe = {
        "path": path_of(ids),
        "id": id,
        "allow_suspect_ids": allow_suspect_ids,
        "evidence": None if evidence is None else str(Path(evidence).absolute()),
        **reading.recipe(),
    }
    noted = begin(client.key_hint, operator=operator, environment=plan.environment)
    going = Going(known, progress, control, resume_old)
    return send(client, named, {"recipe": recipe, "evidence": noted}, going=going, connections=connections)


def send(client: Client, named: Named, facts: Mapping[str, Any], *, going: Going, connections: int = 4) -> Run:
    """Erase who was not erased yet, then write the evidence of all."""
    source = named.input()
    cargo = Cargo(
        JOB,
        client.base_url,
        {**facts, **named.facts()},
        named.survey.rows,
        (rows for rows, _ in named.parts()),
        source,
    )
    run = run_job(job_of(client, connections), cargo, going)
    wanted = facts["recipe"]["evidence"]
    path = Path(wanted) if wanted else place_of(run.journal)
    try:
        write_evidence(path, run.journal, source)
    except InputError as error:
        raise JournalError(
            f"run {run.id} has ended and its journal has all outcomes, but its evidence is not written: {error}."
            " Make room for it and resume the run: who was erased is not sent again"
        ) from None
    return run
