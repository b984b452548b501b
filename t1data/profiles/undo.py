"""Take back an upsert that looked before it sent: what it changed gets the values that it had."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from t1data.body import json_of
from t1data.bulk.batches import EncodedRows
from t1data.bulk.intake import input_of
from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import Client
from t1data.errors import InputError, JournalError
from t1data.journal.names import find_journal
from t1data.journal.outcomes import head_of
from t1data.journal.reads import reading
from t1data.journal.records import Line
from t1data.journal.runs import Run, read_run
from t1data.profiles.compare import Held, against, is_same, times_of
from t1data.profiles.prepare import Prepared, catalogue_of, options_of, prepare
from t1data.profiles.reading import Attributes, found_profiles, read_profiles, want
from t1data.profiles.send import job_of, operation_of
from t1data.profiles.unchanged import before_of, require_read
from t1data.tables.choices import ID
from t1data.tables.source import open_source

JOB = "undo_upsert"
SINCE = "somebody has changed {names} since; nothing was sent"


def undo_upsert(
    client: Client,
    run: Run | str | Path,
    *,
    data: Any = None,
    journal: str | Path | None = None,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
) -> Run:
    """Give customers back the values that they had before an upsert with ``only_changed=True``.

    Each customer is read again first (one request each): where somebody has changed since what the upsert sent, the
    row is ``invalid`` with the reason ``changed_since``, and nothing of it is sent. An attribute that was not there
    before is cleared. A customer whom the upsert has made stays, without those attributes: the API cannot delete one.

    Parameters
    ----------
    client : Client
        For the same base URL.
    run : Run, str or path
        The upsert, its id, or its journal.
    data : optional
        The input, if it was not a file or is no longer where it was. It must be unchanged.
    journal, connections, progress, control :
        As for `upsert_profiles`.

    Returns
    -------
    Run
        One row for each customer whom the upsert changed.

    Raises
    ------
    InputError, JournalError
        Nothing was sent: the run did not look before it sent, has changed nothing, or its input is gone.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> with t1.Sandbox(seed=1) as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     _ = client.update_customer_profile_v2("ada", {"attributes": {"Name": "Ada"}})
    ...     people = pd.DataFrame({"integration_id": ["ada"], "Name": ["Countess"]})
    ...     run = t1.upsert_profiles(client, people, only_changed=True, progress=False)
    ...     _ = t1.undo_upsert(client, run, data=people, progress=False)
    ...     client.get_customer_inventory("ada", profile=True)["profile"]["attributes"]["Name"]
    'Ada'
    """
    path = run.journal if isinstance(run, Run) else find_journal(run)
    with reading(path) as db:
        head = head_of(db, path)
    data = data if data is not None else head.facts["recipe"]["path"]
    if data is None:
        raise InputError(f"run {head.id} read its rows from memory; give them again by data=")
    return take_back(client, path, data=data, going=Going(journal, progress, control), connections=connections)


def take_back(client: Client, upsert: Path, *, data: Any, going: Going, connections: int = 4) -> Run:
    """Send what an upsert's customers had before it, or what the journal of `going` does not hold as settled."""
    prepared = _prepared(client, upsert, data)
    client.check_unlocked(operation_of(prepared.options))
    client.reach()
    held = _changed(upsert, prepared)
    ids = held.wanted.ids()
    source = open_source(pa.table({ID: pa.array(ids, pa.string())}))
    going = going.placed(JOB)
    place = Path(going.journal or "")
    now = read_profiles(client, ids, going=going.ahead(before_of(place)))
    require_read(now, place)
    encoded = _encoded(held, ids, dict(found_profiles(now.journal)), times=times_of(prepared.layout))
    recipe = {"path": prepared.path, "upsert": str(upsert.resolve())}
    facts = {"input": source.fingerprint(), "layout": {}, "recipe": recipe}
    cargo = Cargo(JOB, client.base_url, facts, len(ids), [encoded], input_of(source, ID))
    return run_job(job_of(client, prepared.options, connections), cargo, going)


def _prepared(client: Client, upsert: Path, data: Any) -> Prepared:
    """Read the input of an upsert again; it must be what it was."""
    with reading(upsert) as db:
        head = head_of(db, upsert)
    if not before_of(upsert).is_file():
        raise JournalError(
            f"run {head.id} did not read what was there before it, so it cannot be taken back; only an upsert with"
            " only_changed=True does"
        )
    prepared = prepare(data, options_of(head.facts), catalogue=catalogue_of(client))
    if prepared.source.fingerprint()["sha256"] != head.facts["input"]["sha256"]:
        raise InputError(f"this is not the input that run {head.id} began with; give that one by data=")
    return prepared


def _changed(upsert: Path, prepared: Prepared) -> Held:
    """Return the customers whom an upsert has changed, and what differed when it began."""
    wanted = want(prepared)
    outcomes = read_run(upsert).outcomes
    sent = ((outcomes["outcome"] == "accepted") & (outcomes["batch"].notna())).to_numpy(dtype=bool)
    held = against(wanted, read_run(before_of(upsert)), prepared.layout)
    places = {item.place for item in held.found if sent[wanted.rows[item.place]]}
    if not places:
        raise InputError("the run has changed nobody, so there is nothing to take back")
    return held.only(sorted(places))


def _encoded(held: Held, ids: list[str], now: dict[int, Attributes], *, times: Collection[str]) -> EncodedRows:
    rows, pieces, lines = [], [], []
    for place, found in enumerate(held.by_place()):
        there = now.get(place, {})
        pairs = [(item.attribute, item.said, there.get(item.attribute)) for item in found]
        changed = [name for name, said, is_now in pairs if not is_same(said, is_now, is_time=name in times)]
        if changed:
            lines.append(Line(place, "changed_since", message=SINCE.format(names=", ".join(map(repr, changed)))))
            continue
        before = {item.attribute: item.account for item in found}
        rows.append(place)
        pieces.append(json_of({"integrationId": ids[place], "attributes": before}).encode() + b",")
    return EncodedRows(np.array(rows, dtype=np.int64), pa.array(pieces, pa.binary()), lines, len(ids))
