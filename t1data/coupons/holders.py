"""Who holds reservations of coupons, read one coupon at a time under one pace."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from t1data.bulk.answers import parsed
from t1data.bulk.batches import Batch
from t1data.bulk.cells import Kind, legible, to_frame
from t1data.bulk.job import Answered, Goods, Job
from t1data.bulk.named import Named, name_rows, path_of
from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import OPERATIONS, Client
from t1data.coupons.send import HOLDERS
from t1data.journal.answers import answers_by_row
from t1data.journal.outcomes import Input
from t1data.journal.runs import Run
from t1data.tables.reading import Reading
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

JOB = "fetch_reservations"

Profile = dict[str, Any]

FIELDS: Final[Mapping[str, tuple[str, Kind]]] = {
    "integration_id": ("integrationId", "text"),
    "profile_id": ("id", "whole"),
    "created": ("created", "time"),
    "closed_sessions": ("closedSessions", "whole"),
    "total_sales": ("totalSales", "number"),
    "last_activity": ("lastActivity", "time"),
}
"""Column → the field of a profile, and what it is."""


def fetch_reservations(
    client: Client,
    codes: Any,
    *,
    coupon: str = "coupon",
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
    """Read who holds reservations of coupons, one request a coupon; the holders are in ``run.holders``.

    Nothing is changed. A run that was interrupted goes on with the same journal, and no coupon is read twice. The
    journal holds the answers as they came, so purge it when it has served (`t1data.purge_run`).

    Parameters
    ----------
    client : Client
        Where to, with which key, at what pace.
    codes : path, DataFrame, Series, list of str, or anything with an Arrow stream
        The coupons; one that stands in two rows is read once.
    coupon : str
        The column of the codes.
    allow_suspect_ids : bool
        Read codes that look as if a spreadsheet had damaged them.
    encoding, delimiter, sheet, journal, connections, progress, control, resume_old :
        As for `upsert_profiles`.

    Returns
    -------
    Run
        ``run.holders`` has one line a holder: ``coupon, integration_id, profile_id, created, closed_sessions,
        total_sales, last_activity`` and a column ``attributes.<name>`` for each attribute that any of them has. In
        ``run.outcomes``, whose ids are the codes, a coupon that the account does not have is ``refused`` with the
        reason ``not_found``.

    Raises
    ------
    InputError, ConfigError, NotSentError
        Before anything is sent.
    JournalError
        The journal cannot be written, belongs to another job, or is in use.

    Examples
    --------
    >>> import t1data as t1
    >>> coupons = [{"value": "25%OFF", "reserved_for": ["ada"]}]
    >>> with t1.Sandbox() as sandbox:
    ...     sandbox.load({"campaigns": [{"id": 1, "name": "Summer", "features": ["coupons"], "coupons": coupons}]})
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     run = t1.fetch_reservations(client, ["25%OFF", "NONE"], progress=False)
    >>> run.holders[["coupon", "integration_id"]].to_numpy().tolist(), run.failures["reason"].tolist()
    ([['25%OFF', 'ada']], ['not_found'])
    """
    reading = Reading(encoding, delimiter, sheet)
    named = name_rows(codes, id=coupon, allow_suspect_ids=allow_suspect_ids, parameter="coupon", reading=reading)
    client.reach()
    recipe = {"path": path_of(codes), "allow_suspect_ids": allow_suspect_ids, **reading.recipe()}
    facts = named.facts() | {"layout": {"coupon": named.column}, "recipe": recipe}
    going = Going(journal, progress, control, resume_old)
    return read_all(client, named, facts, going=going, connections=connections)


def read_all(client: Client, named: Named, facts: Mapping[str, Any], *, going: Going, connections: int = 4) -> Run:
    """Read the coupons that the journal does not hold yet."""
    parts = (rows for rows, _ in named.parts())
    cargo = Cargo(JOB, client.base_url, facts, named.survey.rows, parts, named.input(), {"holders": holder_frame})
    return run_job(_job(client, connections), cargo, going)


def _job(client: Client, connections: int) -> Job:
    def get(batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        assert batch.key is not None
        return client.send(HOLDERS, batch.key, stop=stop, on_wait=on_wait)

    return Job(
        get,
        1,
        connections=connections,
        repeatable=OPERATIONS[HOLDERS].repeatable,
        read=read_goods,
        names_one=True,
        changes_nothing=True,
    )


def read_goods(batch: Batch, body: bytes) -> Goods:
    """Say whether an answer lists holders."""
    try:
        holders, total = _holders(body)
    except ValueError:
        return Goods(
            np.zeros(len(batch), dtype=bool), "the answer is not built as a list of holders; its bytes are kept"
        )
    short = isinstance(total, int) and total > len(holders)
    message = f"the answer counts {many(total, 'holder')} and lists {len(holders):,}" if short else None
    return Goods(np.ones(len(batch), dtype=bool), message)


def _holders(body: bytes) -> tuple[list[Profile], Any]:
    answer = parsed(body)
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list) or not all(isinstance(one, dict) and "integrationId" in one for one in data):
        raise ValueError("no list of profiles")
    return data, answer.get("totalResultSize")


def holder_frame(journal: Path, source: Input | None) -> pd.DataFrame:
    """Return the holders of a run, one line a holder, coupons in the order of the input.

    Parameters
    ----------
    journal : Path
        Its kept answers are read.
    source : Input, optional
        The codes are read from it; without it they are missing.

    Returns
    -------
    DataFrame
        ``coupon, integration_id, profile_id, created, closed_sessions, total_sales, last_activity`` and
        ``attributes.<name>``; numbers nullable, times in UTC.
    """
    import pandas as pd

    found = sorted(_by_row(journal), key=lambda pair: pair[0])
    codes = _codes(source)
    coupons = [codes.get(row) for row, profiles in found for _ in profiles]
    holders = [profile for _, profiles in found for profile in profiles]
    fields = {name: legible([one.get(wire) for one in holders], kind) for name, (wire, kind) in FIELDS.items()}
    frame = to_frame(pa.table({"coupon": legible(coupons, "text"), **fields}))
    custom = [said if isinstance(said := one.get("attributes"), dict) else {} for one in holders]
    attributes = {
        f"attributes.{name}": pd.Series([values.get(name) for values in custom], dtype=object).convert_dtypes()
        for name in sorted(set[str]().union(*custom))
    }
    return pd.concat([frame, pd.DataFrame(attributes, index=frame.index)], axis=1)


def _by_row(journal: Path) -> Iterator[tuple[int, list[Profile]]]:
    """Yield the row of each coupon that was read, and its holders by the answer that came last."""
    for row, body in answers_by_row(journal):
        yield row, _holders(body)[0]


def _codes(source: Input | None) -> dict[int, str]:
    found: dict[int, str] = {}
    for rows, codes in source.ids() if source is not None else ():
        found.update(zip(rows.tolist(), codes.to_pylist(), strict=True))
    return found
