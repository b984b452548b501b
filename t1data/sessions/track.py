"""Track custom events for many customers; what must not be repeated is not repeated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from t1data.body import encode_query
from t1data.bulk.batches import Batch
from t1data.bulk.effects import read_goods
from t1data.bulk.job import Answered, Job
from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import OPERATIONS, Client
from t1data.errors import ConflictError, NotSentError
from t1data.journal.runs import Run
from t1data.sessions.effects import effect_frame
from t1data.sessions.events import Events, Options, prepare
from t1data.sessions.plan import RowPlan, seconds_of, tally
from t1data.sessions.tables import Ways

JOB = "track_events"
GOODS = {"effects": effect_frame}
OPERATIONS_BY_VERSION = {1: "track_event", 2: "track_event_v2"}
_SECTIONS = b',"responseContent":["triggeredCampaigns"]}'


def plan_events(
    client: Client,
    data: Any,
    *,
    version: int = 2,
    type: str | None = None,
    type_column: str = "type",
    id: str = "integration_id",
    session: str = "session_id",
    attributes: Sequence[str] | Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    types: Mapping[str, str] | None = None,
    dry: bool = False,
    tz: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
) -> RowPlan:
    """Return what `track_events` would do with the same arguments; nothing is changed on the server.

    Parameters
    ----------
    client : Client
        Its pace gives the time. With a management key, attributes are held against those of the account.
    data, version, ... :
        As for `track_events`.

    Returns
    -------
    RowPlan
        Rows, problems, requests and seconds; printed, it says so in words.

    Raises
    ------
    InputError
        The input as a whole cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> client = Client("http://127.0.0.1:9", "a-key-of-16-letters")
    >>> visits = pd.DataFrame({"integration_id": ["001", "002"], "type": ["visit", "talon_session_closed"]})
    >>> plan_events(client, visits)
    <RowPlan DataFrame: 1 of 2 events, 1 invalid>
    """
    ways = Ways(types, tz, decimal, encoding, delimiter, truncate_times, allow_suspect_ids, sheet, ids_from_floats)
    options = Options(version, type, type_column, id, session, attributes, constants or {}, ways, dry)
    return _plan(client, prepare(data, options, client))


def track_events(
    client: Client,
    data: Any,
    *,
    version: int = 2,
    type: str | None = None,
    type_column: str = "type",
    id: str = "integration_id",
    session: str = "session_id",
    attributes: Sequence[str] | Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    types: Mapping[str, str] | None = None,
    dry: bool = False,
    tz: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
    journal: str | Path | None = None,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
    resume_old: bool = False,
    resend_in_doubt: bool = False,
) -> Run:
    """Track a custom event for each row, with exactly one outcome for every one; effects come home.

    This cannot be repeated: each request fires the rules again. So a request whose answer was lost is not sent again;
    its row is ``in_doubt`` until you say `resend_in_doubt`. Events of one customer go one after the other, in the order
    of the input.

    Parameters
    ----------
    client : Client
        Where to, with which key, at what pace.
    data : path, DataFrame, pyarrow Table or reader, or object with an Arrow stream
        One line an event.
    version : {2, 1}
        Of the operation. One of 2021: each event belongs to a session, and may be nobody's. Accounts of today have two.
    type : str, optional
        The type of all events. Names that begin with ``talon_`` are reserved.
    type_column : str
        The column of the types, where `type` is not given.
    id : str
        The column of the customers' ids.
    session : str
        The column of the sessions' ids, for version 1.
    attributes : list or mapping, optional
        Columns to send, or column → attribute. All columns but those above by default. A cell without a value is left
        out.
    constants : mapping, optional
        Attribute → value for all events.
    types, tz, decimal, encoding, delimiter, sheet, truncate_times, allow_suspect_ids, ids_from_floats :
        As for `upsert_profiles`.
    dry : bool
        Evaluate and keep nothing.
    journal, connections, progress, control, resume_old :
        As for `upsert_profiles`.
    resend_in_doubt : bool
        With the journal of an earlier run, send again what is in doubt: rules may then have fired twice.

    Returns
    -------
    Run
        ``run.effects`` has one line an effect.

    Raises
    ------
    InputError, ConfigError, JournalError, NotSentError
        Before anything is sent.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     signups = pd.DataFrame({"integration_id": ["001", "002"]})
    ...     t1.track_events(client, signups, type="signup", progress=False).counts["accepted"]
    2
    """
    ways = Ways(types, tz, decimal, encoding, delimiter, truncate_times, allow_suspect_ids, sheet, ids_from_floats)
    options = Options(version, type, type_column, id, session, attributes, constants or {}, ways, dry)
    prepared = prepare(data, options, client)
    client.check_unlocked(OPERATIONS_BY_VERSION[version])
    client.reach()
    going = Going(journal, progress, control, resume_old, resend_in_doubt)
    return send(client, prepared, going, connections=connections)


def send(client: Client, prepared: Events, going: Going, *, connections: int = 4) -> Run:
    """Send prepared events, or what their journal does not hold as settled."""
    cargo = Cargo(
        JOB,
        client.base_url,
        prepared.facts(),
        prepared.table.survey.rows,
        (rows for rows, _ in prepared.parts()),
        prepared.input(),
        goods=GOODS,
    )
    return run_job(_job(client, prepared.options, connections), cargo, going)


def _job(client: Client, options: Options, connections: int) -> Job:
    operation, is_new = OPERATIONS_BY_VERSION[options.version], options.version == 2
    query = encode_query({"silent": "no" if is_new else None, "dry": options.dry or None})

    def post(batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        event = batch.body()
        body = event[:-1] + _SECTIONS if is_new else event
        try:
            return client.send(operation, query=query, body=body, stop=stop, on_wait=on_wait)
        except ConflictError as error:
            # Another request was at this customer, and the event was not tracked: it is no fault of the row.
            raise NotSentError(str(error), operation=operation, status=error.status, attempts=error.attempts) from error

    facts = OPERATIONS[operation]
    return Job(
        post,
        batch_limit=1,
        connections=connections,
        repeatable=facts.repeatable,
        read=read_goods,
        changes_nothing=options.dry,
    )


def _plan(client: Client, prepared: Events) -> RowPlan:
    found, table, options = tally(prepared.parts()), prepared.table, prepared.options
    notes = ["a second run tracks the events a second time: this cannot be repeated"] if not options.dry else []
    if options.version == 1:
        notes.append("accounts of today have version 2 only")
    return RowPlan(
        table.source.name,
        client.base_url,
        "event",
        table.survey.rows,
        found.ready,
        found.invalid,
        found.collapsed,
        0,
        seconds_of(client, found.ready),
        (("events", table.source.labels, found.problems),),
        found.reasons,
        options.dry,
        (*table.source.notes, *notes),
    )
