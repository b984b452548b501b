"""Make an audience what a file says: read its members, find who joined and who left, and send only that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pyarrow as pa

from t1data.audiences.actions import look_over, read_actions
from t1data.audiences.apply import OPERATION, send
from t1data.audiences.columns import ID
from t1data.audiences.diff import hold
from t1data.audiences.find import audience_number
from t1data.audiences.frames import write_rows
from t1data.audiences.marks import ours
from t1data.audiences.plan import plan_of
from t1data.audiences.sides import Input, open_input
from t1data.audiences.ways import Ways, Word
from t1data.bulk.named import path_of
from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.runs import Run

if TYPE_CHECKING:
    import pandas as pd

Mode = Literal["mirror", "add", "remove", "mirror-ours"]


@dataclass(frozen=True)
class _Given:
    after: Input
    known: Input | None


@dataclass(frozen=True)
class _Planned:
    plan: pd.DataFrame
    audience_id: int
    members: list[str]


def plan_sync(
    client: Client,
    audience: int | str,
    after: Any,
    *,
    mode: Mode = "mirror",
    on: str = ID,
    max_removed: int | None = None,
    known: Any = None,
    encoding: Word = None,
    delimiter: Word = None,
    sheet: Word = None,
    allow_suspect_ids: bool = False,
) -> pd.DataFrame:
    """Return the actions by which `sync_audience` would make an audience what `after` says; nothing is changed.

    Parameters and errors are those of `sync_audience`; what is returned is the plan of `plan_audience`, and
    ``plan.attrs`` says also how many members are ``kept``.
    """
    given = _opened(after, known, on=on, ways=Ways(encoding, delimiter, sheet), allow_suspect_ids=allow_suspect_ids)
    return _planned(client, audience, given, mode=mode, max_removed=max_removed).plan


def sync_audience(
    client: Client,
    audience: int | str,
    after: Any,
    *,
    mode: Mode = "mirror",
    on: str = ID,
    max_removed: int | None = None,
    known: Any = None,
    encoding: Word = None,
    delimiter: Word = None,
    sheet: Word = None,
    plan_file: str | Path | None = None,
    allow_suspect_ids: bool = False,
    journal: str | Path | None = None,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
) -> Run:
    """Make an audience what `after` says: its members are read, and only the difference is sent.

    The run's rows are those of the plan, one for each customer who joins or leaves. After a stop, sync anew: the
    difference is then what is left. To resume or take back a run from another process, let it write its plan.

    Parameters
    ----------
    client : Client
        With a management key, which reads the members.
    audience : int or str
        Its number, or its name.
    after : path, frame or Arrow stream
        Who shall be in it.
    mode : {"mirror", "add", "remove", "mirror-ours"}
        ``mirror`` adds who is missing and takes out who is not in `after`; ``add`` and ``remove`` do one of the two.
        ``mirror-ours`` takes out only whom we added: those of whom a journal in this machine's folder of runs shows
        that a run added them, who were no members before, and that none took them out since. Whoever a purged journal,
        another machine or another program added stays. A customer whom we added, whom somebody else took out and added
        again, still counts as ours.
    on : str
        The column of the ids.
    max_removed : int, optional
        How many members may be taken out, when these are more than 1,000 or more than a tenth; when `after` is empty,
        exactly how many.
    known : path, frame or Arrow stream, optional
        The ids that the account has; see `plan_audience`.
    encoding, delimiter, sheet : str or mapping of str to str, optional
        How text files and workbooks are read, as for `diff_audiences`; the inputs are ``after`` and ``known``.
    plan_file : path, optional
        Where the plan is written before anything is sent, ``.csv`` or ``.parquet``. It holds the ids of customers.
    allow_suspect_ids : bool
        Take ids that look as if a spreadsheet had damaged them.
    journal, connections, progress, control :
        As for `upsert_profiles`.

    Returns
    -------
    Run
        With no rows when there was nothing to do.

    Raises
    ------
    InputError, ConfigError, NotSentError
        Before anything is sent: also when too many would be taken out, with the number that allows it.
    JournalError
        The journal cannot be written; or for ``mirror-ours`` one of the older ones cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     sandbox.load({"audiences": [{"id": 748, "name": "Regulars"}]})
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key)
    ...     july = pd.DataFrame({"integration_id": ["001", "002"]})
    ...     t1.sync_audience(client, "Regulars", july).counts["accepted"]
    2
    """
    client.check_unlocked(OPERATION)
    given = _opened(after, known, on=on, ways=Ways(encoding, delimiter, sheet), allow_suspect_ids=allow_suspect_ids)
    found = _planned(client, audience, given, mode=mode, max_removed=max_removed)
    plan: Any = found.plan
    if plan_file is not None:
        write_rows(pa.Table.from_pandas(plan, preserve_index=False).to_reader(), Path(plan_file), overwrite=False)
        plan = plan_file
    actions = read_actions(plan, allow_suspect_ids=True, allow_empty=True)
    return send(
        client,
        actions,
        {"path": path_of(plan), "allow_suspect_ids": True},
        going=Going(journal, progress, control),
        connections=connections,
        before={found.audience_id: set(found.members)},
    )


def _opened(after: Any, known: Any, *, on: str, ways: Ways, allow_suspect_ids: bool) -> _Given:
    """Open both inputs, of which the ids to come must not look as if a program had damaged them."""
    given = {"after": after} | ({} if known is None else {"known": known})
    words = ways.of(given)
    members = open_input(after, name="after", on=on, words=words["after"])
    look_over(members.source, members.id_column, allow_suspect_ids=allow_suspect_ids)
    return _Given(members, None if known is None else open_input(known, name="known", on=ID, words=words["known"]))


def _planned(client: Client, audience: int | str, given: _Given, *, mode: Mode, max_removed: int | None) -> _Planned:
    if mode not in get_args(Mode):
        raise InputError(f"mode: got {mode!r}, valid are {', '.join(map(repr, get_args(Mode)))}")
    if client.management is None:
        raise InputError("the members of an audience are read with a management key, and this client has none")
    number = audience_number(client, audience)
    members = client.management.export_members(number)
    diff = hold(_table(members), given.after, compare=[])
    if mode == "mirror-ours" and (strangers := _strangers(diff.removed[ID].tolist(), client.base_url, number)):
        # To leave those out who are not ours is to compare with an audience in which they are not.
        diff = hold(_table([id_ for id_ in members if id_ not in strangers]), given.after, compare=[])
    kind = "mirror" if mode == "mirror-ours" else mode
    plan = plan_of(diff, number, mode=kind, max_removed=max_removed, known=given.known)
    plan.attrs["kept"] = len(members) - plan.attrs["removed"]
    return _Planned(plan, number, members)


def _table(members: list[str]) -> Input:
    return open_input(pa.table({ID: pa.array(members, pa.string())}), name="before", on=ID)


def _strangers(removed: list[str], base_url: str, audience_id: int) -> set[str]:
    return set(removed) - set(ours(base_url, audience_id)(removed))
