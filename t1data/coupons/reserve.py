"""Reserve coupons for customers, and release them, up to 1000 customers a request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from t1data.bulk.named import path_of
from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.coupons.pairs import pair_rows
from t1data.coupons.plan import ReservationPlan, make_plan
from t1data.coupons.send import OPERATION_OF, send
from t1data.journal.runs import Run
from t1data.tables.reading import Reading


def plan_reservations(
    client: Client,
    data: Any,
    *,
    coupon: str = "coupon",
    id: str = "integration_id",
    allow_suspect_ids: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> ReservationPlan:
    """Return what `reserve_coupons` or `release_coupons` would do with the same arguments; nothing is sent.

    Parameters
    ----------
    client : Client
        Its pace gives the time.
    data, coupon, id, allow_suspect_ids, encoding, delimiter, sheet :
        As for `reserve_coupons`.

    Returns
    -------
    ReservationPlan
        Pairs, coupons, requests, seconds, problems; printed, it says so in words.

    Raises
    ------
    InputError
        The input as a whole cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> client = Client("http://127.0.0.1:9", "a-key-of-16-letters")
    >>> pairs = pd.DataFrame({"coupon": ["SUMMER", "SUMMER", "25%OFF"], "integration_id": ["ada", "grace", "ada"]})
    >>> plan_reservations(client, pairs)
    <ReservationPlan DataFrame: 3 pairs of 2 coupons in 2 requests, 0 invalid>
    """
    reading = Reading(encoding, delimiter, sheet)
    return make_plan(
        client, pair_rows(data, coupon=coupon, id=id, allow_suspect_ids=allow_suspect_ids, reading=reading)
    )


def reserve_coupons(
    client: Client,
    data: Any,
    *,
    coupon: str = "coupon",
    id: str = "integration_id",
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
    """Reserve coupons for customers: one request a coupon for each 1000 customers, one outcome for every row.

    A coupon that must be reserved can then be redeemed by its holders only; any other one merely shows with them, and
    anybody can redeem it. The coupon's own reservation limit does not count for this call. A reservation that is
    there already stays as it is, so an interrupted run goes on without harm.

    Parameters
    ----------
    client : Client
        Where to, with which key, at what pace.
    data : path, DataFrame, pyarrow Table or reader, or object with an Arrow stream
        One row a pair of coupon and customer; a pair that stands twice goes out once.
    coupon : str
        The column of the codes. They are text always, sent exactly as they stand: ``%``, ``/``, blanks and umlauts
        are no trouble.
    id : str
        The column of the integration ids.
    allow_suspect_ids : bool
        Send ids and codes that look as if a spreadsheet had damaged them.
    encoding, delimiter, sheet, journal, connections, progress, control, resume_old :
        As for `upsert_profiles`.

    Returns
    -------
    Run
        ``run.counts``, ``run.failures``, ``run.outcomes``. Where the account has no such coupon, its rows are
        ``refused`` with the reason ``not_found``.

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
    >>> coupons = [{"value": "25%OFF"}]
    >>> with t1.Sandbox() as sandbox:
    ...     sandbox.load({"campaigns": [{"id": 1, "name": "Summer", "features": ["coupons"], "coupons": coupons}]})
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     pairs = pd.DataFrame({"coupon": ["25%OFF", "NONE"], "integration_id": ["ada", "ada"]})
    ...     run = t1.reserve_coupons(client, pairs, progress=False)
    >>> run.outcomes["outcome"].tolist()
    ['accepted', 'refused']
    """
    going = Going(journal, progress, control, resume_old)
    reading = Reading(encoding, delimiter, sheet)
    return _begin(client, "reserve_coupons", data, coupon, id, allow_suspect_ids, reading, going, connections)


def release_coupons(
    client: Client,
    data: Any,
    *,
    coupon: str = "coupon",
    id: str = "integration_id",
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
    """Take reservations of coupons from customers: one request a coupon for each 1000 customers.

    A customer who holds none is passed over by the server, and the row is ``accepted``. Other holders of the coupon
    keep theirs.

    Parameters
    ----------
    client, data, coupon, id, allow_suspect_ids, encoding, delimiter, sheet :
        As for `reserve_coupons`.
    journal, connections, progress, control, resume_old :
        As for `reserve_coupons`.

    Returns
    -------
    Run
        As for `reserve_coupons`.

    Raises
    ------
    InputError, ConfigError, NotSentError, JournalError
        As for `reserve_coupons`.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> coupons = [{"value": "25%OFF"}]
    >>> with t1.Sandbox() as sandbox:
    ...     sandbox.load({"campaigns": [{"id": 1, "name": "Summer", "features": ["coupons"], "coupons": coupons}]})
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     pairs = pd.DataFrame({"coupon": ["25%OFF"], "integration_id": ["ada"]})
    ...     t1.release_coupons(client, pairs, progress=False).counts["accepted"]
    1
    """
    going = Going(journal, progress, control, resume_old)
    reading = Reading(encoding, delimiter, sheet)
    return _begin(client, "release_coupons", data, coupon, id, allow_suspect_ids, reading, going, connections)


def _begin(
    client: Client,
    job: str,
    data: Any,
    coupon: str,
    id: str,
    allow_suspect_ids: bool,
    reading: Reading,
    going: Going,
    connections: int,
) -> Run:
    client.check_unlocked(OPERATION_OF[job])
    pairs = pair_rows(data, coupon=coupon, id=id, allow_suspect_ids=allow_suspect_ids, reading=reading)
    client.reach()
    recipe = {"job": job, "path": path_of(data), "allow_suspect_ids": allow_suspect_ids, **reading.recipe()}
    return send(client, job, pairs, pairs.facts() | {"recipe": recipe}, going=going, connections=connections)
