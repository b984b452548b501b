"""What many customers hold, read one by one under one pace, as tidy frames."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from t1data.bulk.batches import Batch
from t1data.bulk.job import Answered, Goods, Job
from t1data.bulk.named import Named, name_rows, path_of
from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import Client
from t1data.errors import InputError
from t1data.inventories.columns import SECTIONS
from t1data.inventories.record import GOODS, Inventories, check_folder, inventories_of
from t1data.inventories.records import read_inventory
from t1data.journal.runs import Run
from t1data.tables.choices import ID, require_known
from t1data.tables.reading import Reading

OPERATION = "get_customer_inventory"
JOB = "fetch_inventories"


def fetch_inventories(
    client: Client,
    ids: Any,
    *,
    include: Collection[str] = SECTIONS,
    id: str = ID,
    to: str | Path | None = None,
    overwrite: bool = False,
    allow_suspect_ids: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    journal: str | Path | None = None,
    connections: int = 8,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
    resume_old: bool = False,
) -> Inventories:
    """Read what customers hold, one request a customer, and return it as tidy frames.

    Nothing is changed. A run that was interrupted goes on with the same journal, and no customer is read twice. The
    journal holds the answers as they came, so purge it when it has served (`t1data.purge_run`).

    Parameters
    ----------
    client : Client
        Where to, with which key, at what pace. With a management key, attributes get the account's types.
    ids : path, DataFrame, Series, list of str, or anything with an Arrow stream
        The customers; one who stands in two rows is read once.
    include : collection of str
        Which sections, of ``profile, referrals, coupons, loyalty, giveaways, achievements``.
    id : str
        The column of the integration ids.
    to : path, optional
        A folder for one Parquet file a table, written in bounded memory; the frames are then read from it when they
        are looked at. `t1data.resume` goes on to write it, over what was there when the run was stopped.
    overwrite : bool
        Replace files of an earlier run in that folder.
    allow_suspect_ids, encoding, delimiter, sheet, journal, connections, progress, control, resume_old :
        As for `upsert_profiles`.

    Returns
    -------
    Inventories
        ``profiles, audiences, referrals, referred_customers, coupons, coupon_limits, loyalty, loyalty_cards,
        giveaways, achievements``, each with ``integration_id`` first and the same columns when it is empty; and
        ``outcomes``, in which a customer whom nobody knows is ``refused`` with the reason ``not_found``.

    Raises
    ------
    InputError, ConfigError, NotSentError
        Before anything is sent.
    JournalError
        The journal cannot be written, belongs to another job, or is in use.

    Examples
    --------
    >>> import t1data as t1
    >>> with t1.Sandbox(seed=1) as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     _ = client.update_customer_profile_v2("ada", {"attributes": {"Name": "Ada"}})
    ...     stock = t1.fetch_inventories(client, ["ada", "nobody"], include=["profile", "coupons"])
    >>> stock.profiles[["integration_id", "attributes.Name"]].values.tolist()
    [['ada', 'Ada']]
    >>> stock.outcomes["outcome"].tolist()
    ['accepted', 'refused']
    """
    sections = _sections(include)
    client.reach()
    reading = Reading(encoding, delimiter, sheet)
    named = name_rows(ids, id=id, allow_suspect_ids=allow_suspect_ids, reading=reading)
    folder = None if to is None else str(Path(to).absolute())
    recipe = {"path": path_of(ids), "id": id, "allow_suspect_ids": allow_suspect_ids, "to": folder}
    recipe |= reading.recipe()
    facts = named.facts() | {"layout": {"include": sections}, "recipe": recipe, "types": _types(client)}
    going = Going(journal, progress, control, resume_old)
    if to is not None:
        check_folder(Path(to), overwrite=overwrite)
    run = read_all(client, named, facts, going=going, connections=connections)
    found = inventories_of(run, named.input())
    return found if to is None else found.write(to, overwrite=overwrite)


def read_all(client: Client, named: Named, facts: Mapping[str, Any], *, going: Going, connections: int = 8) -> Run:
    """Read the customers that the journal does not hold yet."""
    parts = (rows for rows, _ in named.parts())
    cargo = Cargo(JOB, client.base_url, facts, named.survey.rows, parts, named.input(), GOODS)
    return run_job(_job(client, facts["layout"]["include"], connections), cargo, going)


def _job(client: Client, sections: Collection[str], connections: int) -> Job:
    query = dict.fromkeys(sections, "true")

    def get(batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        assert batch.key is not None
        return client.send(OPERATION, batch.key, query=query, stop=stop, on_wait=on_wait)

    return Job(get, 1, connections=connections, read=_read, names_one=True, changes_nothing=True)


def _read(batch: Batch, body: bytes) -> Goods:
    try:
        good = read_inventory(body) is not None
    except ValueError:
        good = False
    message = None if good else "the answer is not built as an inventory; its bytes are kept"
    return Goods(np.full(len(batch), good), message)


def _sections(include: Collection[str]) -> list[str]:
    given = [include] if isinstance(include, str) else list(include)
    require_known("include", given, valid=SECTIONS)
    if not given:
        raise InputError(f"include: name at least one of {', '.join(SECTIONS)}; without any the server tells nothing")
    return [name for name in SECTIONS if name in given]


def _types(client: Client) -> dict[str, dict[str, str]]:
    """Return entity → attribute → type, as far as the account can be asked."""
    if client.management is None:
        return {}
    found: dict[str, dict[str, str]] = {}
    for attribute in client.management.list_attributes():
        found.setdefault(attribute["entity"], {})[attribute["name"]] = attribute["type"]
    return found
