"""Update customer sessions from two flat inputs, or ask what the campaigns would do with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.runs import Run
from t1data.sessions.carts import SameItems
from t1data.sessions.plan import RowPlan, seconds_of, tally
from t1data.sessions.prepare import Options, Prepared, check_homes, homeless, prepare
from t1data.sessions.send import OPERATION, send
from t1data.sessions.tables import Ways
from t1data.tables.labels import BY_NUMBER, Labels
from t1data.tables.shapes import Columns
from t1data.words import many

Moment = datetime | str | None


def plan_sessions(
    client: Client,
    sessions: Any,
    items: Any = None,
    *,
    id: str = "session_id",
    profile: str | None = "integration_id",
    columns: Columns = None,
    item_columns: Columns = None,
    constants: Mapping[str, Any] | None = None,
    item_constants: Mapping[str, Any] | None = None,
    types: Mapping[str, str] | None = None,
    same_items: SameItems = "reject",
    dry: bool = False,
    now: Moment = None,
    tz: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    item_sheet: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
) -> RowPlan:
    """Return what `update_sessions` would do with the same arguments; nothing is changed on the server.

    Parameters
    ----------
    client : Client
        Its pace gives the time. With a management key, attributes are held against those of the account.
    sessions, items, ... :
        As for `update_sessions`.

    Returns
    -------
    RowPlan
        Rows, items, problems, requests and seconds; printed, it says so in words.

    Raises
    ------
    InputError
        An input as a whole cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> client = Client("http://127.0.0.1:9", "a-key-of-16-letters")
    >>> states = ["cancelled", "closed"]
    >>> sessions = pd.DataFrame({"session_id": ["s", "s"], "integration_id": ["001", "001"], "state": states})
    >>> plan_sessions(client, sessions).problems["message"].tolist()
    ['The session cannot go from cancelled (row 0) to closed.']
    """
    ways = Ways(types, tz, decimal, encoding, delimiter, truncate_times, allow_suspect_ids, sheet, ids_from_floats)
    options = Options(
        id, profile, columns, item_columns, constants or {}, item_constants or {}, same_items, ways, dry,
        _future(now, dry=dry), item_sheet,
    )  # fmt: skip
    return _plan(client, prepare(sessions, items, options, client))


def update_sessions(
    client: Client,
    sessions: Any,
    items: Any = None,
    *,
    id: str = "session_id",
    profile: str | None = "integration_id",
    columns: Columns = None,
    item_columns: Columns = None,
    constants: Mapping[str, Any] | None = None,
    item_constants: Mapping[str, Any] | None = None,
    types: Mapping[str, str] | None = None,
    same_items: SameItems = "reject",
    dry: bool = False,
    now: Moment = None,
    tz: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    item_sheet: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
    journal: str | Path | None = None,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
    resume_old: bool = False,
) -> Run:
    """Create or update customer sessions, one a request, with exactly one outcome for every line; effects come home.

    Each line of `sessions` is one update. Lines of one session are its updates in their order, and no two requests for
    one customer are ever on the way at once. A session's items go with each of its lines, as its whole cart. With
    `dry` the campaigns of the account are only asked what they would do, and nothing is changed.

    Parameters
    ----------
    client : Client
        Where to, with which key, at what pace.
    sessions : path, DataFrame, pyarrow Table or reader, or object with an Arrow stream
        One line an update. A column by the name of a field is sent as that: ``state`` (``open``, ``closed`` or
        ``cancelled``; a cell without one is ``open``), ``coupon_code`` or ``coupon_codes``, ``referral_code``,
        ``store_integration_id``, ``identifiers``, ``loyalty_cards``, ``evaluable_campaign_ids``,
        ``attributes.<name>``, ``additional_costs.<name>`` (money). A cell without a value is left out.
    items : the same, optional
        One line an item of a cart: ``sku``, ``quantity`` (1 to 10,000), ``price`` (money), ``name``, ``category``,
        ``product``, ``weight`` (g), ``height``, ``width``, ``length`` (mm), ``attributes.<name>``,
        ``additional_costs.<name>``. At most 1000 a session, quantities of at most 10,000 together.
    id : str
        The column of the sessions' ids, in both inputs.
    profile : str or None
        The column of the customers' ids; a cell without one makes a session of nobody. None (or an empty name) when
        there is no such column.
    columns, item_columns : list or mapping, optional
        The columns to send, or column → field, as in ``{"amount": "price", "kind": "attributes.Genre"}``. By default
        all, each to the field of its name; a column that names none is an error.
    constants, item_constants : mapping, optional
        Field → value for all lines, as in ``{"state": "closed"}``.
    types : mapping, optional
        Column of attributes, in either input → type in Talon.One's words.
    same_items : {"reject", "keep"}
        An item that its session has already, to the letter, is most likely a slip: its session is not sent.
    dry : bool
        A what-if run: each line is evaluated by itself, and nothing is changed. So a session cannot be cancelled in
        it.
    now : datetime or str, optional
        With `dry`: a time in the future that the campaigns are asked for.
    tz, decimal, encoding, delimiter, truncate_times, allow_suspect_ids, ids_from_floats :
        As for `upsert_profiles`, for both inputs.
    sheet, item_sheet : str, optional
        Of a workbook, for the sessions and for the items.
    journal, connections, progress, control, resume_old :
        As for `upsert_profiles`.

    Returns
    -------
    Run
        ``run.effects`` (one line an effect), ``run.totals`` (one line a session); `summarise_effects` for the sum by
        campaign.

    Raises
    ------
    InputError, ConfigError, JournalError, NotSentError
        Before anything is sent.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> sessions = pd.DataFrame({"session_id": ["s1"], "integration_id": ["001"], "state": ["closed"]})
    >>> items = pd.DataFrame({"session_id": ["s1"], "sku": ["cd"], "quantity": [2], "price": [11.5]})
    >>> with t1.Sandbox() as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     run = t1.update_sessions(client, sessions, items, progress=False)
    >>> run.totals[["session_id", "state", "total"]].values.tolist()
    [['s1', 'closed', 23.0]]
    """
    ways = Ways(types, tz, decimal, encoding, delimiter, truncate_times, allow_suspect_ids, sheet, ids_from_floats)
    options = Options(
        id, profile, columns, item_columns, constants or {}, item_constants or {}, same_items, ways, dry,
        _future(now, dry=dry), item_sheet,
    )  # fmt: skip
    client.check_unlocked(OPERATION)
    prepared = prepare(sessions, items, options, client)
    check_homes(prepared)
    client.reach()
    return send(client, prepared, Going(journal, progress, control, resume_old), connections=connections)


def _plan(client: Client, prepared: Prepared) -> RowPlan:
    found, table = tally(prepared.parts()), prepared.sessions
    other = None if prepared.items is None else prepared.items.source
    labels, second = prepared.input().labels, BY_NUMBER if other is None else Labels(other.index, other.index)
    strange = len(homeless(prepared))
    notes = [*table.source.notes, *(other.notes if other is not None else ())]
    if strange:
        notes.append(f"{many(strange, 'item')} without a session: nothing is sent until that is mended")
    return RowPlan(
        table.source.name,
        client.base_url,
        "session",
        table.survey.rows,
        found.ready,
        found.invalid,
        found.collapsed,
        0 if prepared.items is None else prepared.items.survey.rows,
        seconds_of(client, found.ready),
        (("sessions", labels, found.problems), ("items", second, prepared.item_problems)),
        found.reasons,
        prepared.options.dry,
        tuple(notes),
    )


def _future(now: Moment, *, dry: bool) -> str | None:
    """Return the time to pretend as it is sent, held against what it may be."""
    if now is None:
        return None
    if not dry:
        raise InputError("now: a time can be pretended in a what-if run only; say dry=True")
    try:
        moment = datetime.fromisoformat(now) if isinstance(now, str) else now
    except ValueError:
        raise InputError(f"now: {now!r} is no time in RFC 3339 form") from None
    if not isinstance(moment, datetime):
        raise InputError(f"now: got a {type(moment).__name__}, valid are a time with a zone and text in RFC 3339 form")
    if moment.tzinfo is None:
        raise InputError("now: the time has no zone; add one, such as +00:00")
    if moment <= datetime.now(UTC):
        raise InputError("now: it is past already; a what-if run looks into the future")
    try:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise InputError("now: in UTC it is no time of the years 1 to 9999") from None
