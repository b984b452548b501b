"""Check, plan and upsert customer profiles from a file, a frame or a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.journal.runs import Run
from t1data.profiles.plan import UpsertPlan
from t1data.profiles.planning import make_plan, problems_of
from t1data.profiles.prepare import Options, catalogue_of, prepare
from t1data.profiles.send import operation_of, send
from t1data.tables.duplicates import Policy
from t1data.tables.labels import problem_frame
from t1data.tables.layout import Missing

if TYPE_CHECKING:
    import pandas as pd


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
    sheet: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
    run_rule_engine: bool = False,
    dry: bool = False,
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
        id, attributes, types, defaults, constants, missing, duplicates, tz, decimal, encoding, delimiter, sheet,
        truncate_times, allow_suspect_ids, ids_from_floats, run_rule_engine, dry,
    )  # fmt: skip
    prepared = prepare(data, options, catalogue=catalogue_of(client))
    return problem_frame(problems_of(prepared.parts()), prepared.source.labels)


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
    sheet: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
    run_rule_engine: bool = False,
    dry: bool = False,
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
    <UpsertPlan DataFrame: 2 of 2 rows in 1 request, 0 invalid, 0 cells cleared>
    """
    options = Options(
        id, attributes, types, defaults, constants, missing, duplicates, tz, decimal, encoding, delimiter, sheet,
        truncate_times, allow_suspect_ids, ids_from_floats, run_rule_engine, dry,
    )  # fmt: skip
    return make_plan(client, prepare(data, options, catalogue=catalogue_of(client)))


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
    sheet: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
    run_rule_engine: bool = False,
    dry: bool = False,
    only_changed: bool = False,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
    resume_old: bool = False,
) -> Run:
    """Create or update customers, up to 1000 a request, with exactly one outcome for every row.

    Attributes that are sent are set, others stay as they are. The rule engine runs only where it is asked for, and then
    each customer is a request of its own. Each request is in the
    journal before it leaves; calling again with the same journal goes on where a run ended.

    Parameters
    ----------
    client : Client
        Where to, with which key, at what pace.
    data : path, DataFrame, pyarrow Table or reader, or object with an Arrow stream
        A CSV file (also gzip), an XLSX workbook (extra ``excel``), a Parquet file, a folder or glob of Parquet files;
        or rows in memory.
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
    sheet : str, optional
        Of a workbook; the only one that is shown and holds anything by default.
    truncate_times : bool
        Cut times to microseconds instead of refusing finer ones.
    allow_suspect_ids : bool
        Send ids that look as if a spreadsheet had damaged them.
    ids_from_floats : bool
        Take an id column of whole floating point numbers below 2**53.
    run_rule_engine : bool
        Let the campaigns react: one customer a request, and the effects come home in ``run.effects``. Ids must then be
        such that an address can name them.
    dry : bool
        With `run_rule_engine`: evaluate only, nothing is changed.
    only_changed : bool
        Read every customer first (one request each) and send only rows of which something differs; the others are
        ``accepted`` with the reason ``unchanged``. What was read is kept, so that `undo_upsert` can bring it back.
    connections : int
        Requests in flight at once. No id is ever in two of them.
    progress : bool or callable, optional
        Show a bar (by default where a person watches), or call back with a `Progress`.
    control : Control, optional
        A handle by which another thread stops or pauses the run. Ctrl-C stops it too.
    resume_old : bool
        Go on with a run that began more than 24 hours ago, though the account may hold newer values by now.

    Returns
    -------
    Run
        ``run.counts``, ``run.failures``, ``run.outcomes``. Refused rows do not raise; see `Run.raise_for_failures`.

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
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     people = pd.DataFrame({"integration_id": ["001", "002"], "Name": ["Ada", "Grace"]})
    ...     t1.upsert_profiles(client, people).counts["accepted"]
    2
    """
    options = Options(
        id, attributes, types, defaults, constants, missing, duplicates, tz, decimal, encoding, delimiter, sheet,
        truncate_times, allow_suspect_ids, ids_from_floats, run_rule_engine, dry, only_changed,
    )  # fmt: skip
    client.check_unlocked(operation_of(options))
    client.reach()
    prepared = prepare(data, options, catalogue=catalogue_of(client))
    going = Going(journal, progress, control, resume_old)
    return send(client, prepared, going, connections=connections)
