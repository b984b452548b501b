"""Check, plan and upsert customer profiles from a file, a frame or a stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t1data.bulk.batches import Batch, EncodedRows, cut
from t1data.bulk.delivery import Answered, Job
from t1data.bulk.engine import Engine
from t1data.bulk.progress import Progress, watching
from t1data.client import OPERATIONS, Client
from t1data.journal.names import new_run_id, runs_folder
from t1data.journal.runs import Run, read_run
from t1data.journal.store import Journal
from t1data.profiles.plan import UpsertPlan
from t1data.profiles.prepare import Options, Part, Prepared, prepare, read_catalogue
from t1data.tables.duplicates import Policy
from t1data.tables.layout import Missing
from t1data.tables.problems import Problem
from t1data.tables.twins import find_twins

if TYPE_CHECKING:
    import pandas as pd

OPERATION = "update_customer_profiles_v2"
JOB = "upsert_profiles"
PREFIX, SUFFIX = b'{"customerProfiles":[', b"]}"
MOST_PROBLEMS = 100_000  # kept in a frame for people; the journal has a line for every row


def check_profiles(
    data: Any,
    *,
    client: Client | None = None,
    id: str = "integration_id",
    attributes: Sequence[str] | Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    missing: Missing | Mapping[str, Missing] = "omit",
    duplicates: Policy = "reject",
    tz: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    delimiter: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
) -> pd.DataFrame:
    """Return everything that would keep rows from being sent; nothing is sent.

    Parameters
    ----------
    data, id, attributes, ... :
        As for `upsert_profiles`.
    client : Client, optional
        With a management key, names and types are held against the account's attributes (one request that reads).

    Returns
    -------
    DataFrame
        One line a problem: ``integration_id, column, code, value, message``, indexed like the input (for a file: the
        row number, from 1). At most 100,000 lines. Empty when every row can be sent.

    Raises
    ------
    InputError
        The input as a whole cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"integration_id": ["001", " 2"], "Age": [41, 17]})
    >>> check_profiles(people)["code"].tolist()
    ['id_whitespace']
    """
    options = Options(
        id, attributes, types, defaults, constants, missing, duplicates, tz, decimal, encoding, delimiter,
        truncate_times, allow_suspect_ids, ids_from_floats,
    )  # fmt: skip
    prepared = prepare(data, options, catalogue=read_catalogue(client))
    return _problem_frame(prepared, _problems(prepared.parts()))


def plan_upsert(
    client: Client,
    data: Any,
    *,
    id: str = "integration_id",
    attributes: Sequence[str] | Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    missing: Missing | Mapping[str, Missing] = "omit",
    duplicates: Policy = "reject",
    tz: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    delimiter: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
) -> UpsertPlan:
    """Return what `upsert_profiles` would do with the same arguments; nothing is changed on the server.

    Parameters
    ----------
    client : Client
        Its pace gives the time. With a management key, names and types are held against the account's attributes.
    data, id, attributes, ... :
        As for `upsert_profiles`.

    Returns
    -------
    UpsertPlan
        Rows, problems, requests, seconds, cells that would be cleared; printed, it says so in words.

    Raises
    ------
    InputError
        The input as a whole cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> client = Client("http://127.0.0.1:9", "a-key-of-16-letters")
    >>> people = pd.DataFrame({"integration_id": ["001", "002"], "Age": [41, 17]})
    >>> plan_upsert(client, people)
    <UpsertPlan DataFrame: 2 of 2 rows in 1 requests, 0 invalid, 0 cells cleared>
    """
    options = Options(
        id, attributes, types, defaults, constants, missing, duplicates, tz, decimal, encoding, delimiter,
        truncate_times, allow_suspect_ids, ids_from_floats,
    )  # fmt: skip
    return _plan(client, prepare(data, options, catalogue=read_catalogue(client)))


def upsert_profiles(
    client: Client,
    data: Any,
    *,
    journal: str | Path | None = None,
    id: str = "integration_id",
    attributes: Sequence[str] | Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    missing: Missing | Mapping[str, Missing] = "omit",
    duplicates: Policy = "reject",
    tz: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    delimiter: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Run:
    """Create or update customers, up to 1000 a request, with exactly one outcome for every row.

    Attributes that are sent are set, others stay as they are. The rule engine does not run. Each request is in the
    journal before it leaves; calling again with the same journal goes on where a run ended.

    Parameters
    ----------
    client : Client
        Where to, with which key, at what pace.
    data : path, DataFrame, pyarrow Table or reader, or object with an Arrow stream
        A CSV file (also gzip), a Parquet file, a folder or glob of Parquet files; or rows in memory.
    journal : path, optional
        The file that records the run; a new one in the user's state folder (``T1DATA_RUNS``) by default.
    id : str
        The column of the integration ids. They are text always, sent exactly as they stand.
    attributes : list or mapping, optional
        Columns to send, or column → attribute. All columns but the id by default.
    types : mapping, optional
        Column → type in Talon.One's words (``string, number, boolean, time, location, (list string)``, …). Needed for
        text files where a column is not what its cells look like; numbers and booleans are recognised when every
        cell, as written, is one.
    defaults : mapping, optional
        Column → value where a cell has none.
    constants : mapping, optional
        Attribute → value for all rows.
    missing : {"omit", "clear"} or mapping by column
        A cell without a value leaves the attribute alone, or clears it.
    duplicates : {"reject", "first", "last"}
        Rows with one id that say the same go out once. Of rows that contradict each other none is sent, or the first,
        or the last.
    tz : str, optional
        The zone of times that name none, such as ``"Europe/Berlin"``.
    decimal : {".", ","}
        The decimal mark of numbers in text.
    encoding, delimiter : str, optional
        Of a text file; UTF-8 and the delimiter that its header shows by default.
    truncate_times : bool
        Cut times to microseconds instead of refusing finer ones.
    allow_suspect_ids : bool
        Send ids that look as if a spreadsheet had damaged them.
    ids_from_floats : bool
        Take an id column of whole floating point numbers below 2**53.
    connections : int
        Requests in flight at once. No id is ever in two of them.
    progress : bool or callable, optional
        Show a bar (by default where a person watches), or call back with a `Progress`.

    Returns
    -------
    Run
        ``run.counts``, ``run.failures``, ``run.outcomes``. Refused rows do not raise; see `Run.raise_for_failures`.

    Raises
    ------
    InputError, ConfigError
        Before anything is sent.
    JournalError
        The journal cannot be written, belongs to another job, or is in use.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     people = pd.DataFrame({"integration_id": ["001", "002"], "Name": ["Ada", "Grace"]})
    ...     t1.upsert_profiles(client, people).counts["accepted"]
    2
    """
    options = Options(
        id, attributes, types, defaults, constants, missing, duplicates, tz, decimal, encoding, delimiter,
        truncate_times, allow_suspect_ids, ids_from_floats,
    )  # fmt: skip
    client.check_unlocked(OPERATION)
    prepared = prepare(data, options, catalogue=read_catalogue(client))
    return send(client, prepared, journal=journal, connections=connections, progress=progress)


def send(
    client: Client,
    prepared: Prepared,
    *,
    journal: str | Path | None = None,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
) -> Run:
    """Send a prepared input, or what its journal does not hold as settled."""
    id_ = new_run_id(JOB, time.time())
    path = Path(journal) if journal is not None else runs_folder() / f"{id_}.sqlite"
    with Journal(path) as record, watching(progress, total=prepared.survey.rows) as watch:
        record.begin(id_, JOB, base_url=client.base_url, facts=prepared.facts(), rows=prepared.survey.rows)
        record.repeat_open()
        try:
            Engine(record, _job(client, connections), watch).run(part.rows for part in prepared.parts())
        finally:
            record.finish(stopped=watch.stopped)
    return read_run(path, ids=prepared.ids, index=prepared.source.index)


def _job(client: Client, connections: int) -> Job:
    def send(body: bytes, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        return client.send(OPERATION, query={"silent": "yes"}, body=body, stop=stop, on_wait=on_wait)

    limit = OPERATIONS[OPERATION].batch_limit or 1
    return Job(send, PREFIX, SUFFIX, batch_limit=limit, connections=connections)


def _plan(client: Client, prepared: Prepared) -> UpsertPlan:
    import pandas as pd

    job = _job(client, 1)
    cleared: dict[str, int] = {}
    problems: list[Problem] = []
    bad_rows: set[int] = set()

    def rows() -> Iterator[EncodedRows]:
        for part in prepared.parts():
            for name, count in part.cleared.items():
                cleared[name] = cleared.get(name, 0) + count
            problems.extend(part.problems[: MOST_PROBLEMS - len(problems)])
            bad_rows.update(problem.row for problem in part.problems)
            yield part.rows

    batches = [len(b) for b in cut(rows(), limit=job.batch_limit, max_bytes=job.max_bytes) if isinstance(b, Batch)]
    ready, same = sum(batches), sum(duplicate.same for duplicate in prepared.duplicates.values())
    layout, source = prepared.layout, prepared.source
    columns = pd.DataFrame(
        [(c.name, c.attribute, c.type, c.missing, c.default, cleared.get(c.attribute, 0)) for c in layout.columns],
        columns=["column", "attribute", "type", "missing", "default", "cleared"],
    )
    return UpsertPlan(
        source=source.name,
        base_url=client.base_url,
        rows=prepared.survey.rows,
        ready=ready,
        invalid=len(bad_rows),
        collapsed=same,
        blank_lines=prepared.survey.blank_lines,
        requests=len(batches),
        seconds=len(batches) / client.rate if client.rate else None,
        id_column=layout.id_column,
        columns=columns,
        constants=layout.constants,
        problems=_problem_frame(prepared, problems),
        reading={k: v for k, v in (("delimiter", source.delimiter), ("encoding", source.encoding)) if v},
        catalogue_checked=prepared.catalogue_checked,
        twins=find_twins(source, layout.id_column),
    )


def _problems(parts: Iterator[Part]) -> list[Problem]:
    found: list[Problem] = []
    for part in parts:
        found += part.problems[: MOST_PROBLEMS - len(found)]
    return found


def _problem_frame(prepared: Prepared, problems: list[Problem]) -> pd.DataFrame:
    import pandas as pd

    index = prepared.source.index
    labels = [p.row + 1 for p in problems] if index is None else index[[p.row for p in problems]]
    names = ["integration_id", "column", "code", "value", "message"]
    return pd.DataFrame(
        [[getattr(problem, name) for name in names] for problem in problems],
        columns=names,
        index=pd.Index(labels, name="row" if index is None else index.name),
        dtype="string",
    )
