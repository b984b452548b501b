"""Go on with a run that reads inventories, from what its journal says about the input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from t1data.bulk.intake import reopened
from t1data.bulk.named import Named, name_rows
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.inventories.fetch import read_all
from t1data.inventories.record import GOODS, check_folder, inventories_of
from t1data.journal.outcomes import Input, head_of
from t1data.journal.reads import reading
from t1data.journal.runs import Run
from t1data.tables.reading import Reading

goods = GOODS


def resume(client: Client, facts: dict[str, Any], *, data: Any, going: Going) -> Run:
    """Read the customers that were not read yet, and write the tables where the run was to write them."""
    if folder := facts["recipe"].get("to"):
        check_folder(Path(folder), overwrite=True)
    client.reach()
    named = _named(facts, data)
    run = read_all(client, named, facts | named.facts(), going=going)
    if folder:
        inventories_of(run, named.input()).write(
            folder, overwrite=True
        )  # what it wrote when it was stopped, or nothing
    return run


def folder_of(run: Run) -> Path | None:
    """Return where a run writes its tables, if it was told to write any."""
    with reading(run.journal) as db:
        folder = head_of(db, run.journal).facts["recipe"].get("to")
    return Path(folder) if folder else None


def reopen(facts: dict[str, Any], data: Any) -> Input | None:
    """Return the input, or None when it is no longer there unchanged."""
    return reopened(_named, facts, data)


def _named(facts: dict[str, Any], data: Any) -> Named:
    recipe = facts["recipe"]
    return name_rows(data, id=recipe["id"], allow_suspect_ids=recipe["allow_suspect_ids"], reading=Reading.of(recipe))
