"""How each job is begun, gone on with and asked for its outcomes: the one place that calls t1data's public functions.

Another job needs one more `Adapter`, and an `Account` that reads its bodies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import t1data as t1
from benchmarks.account import PROFILES, REFERRALS, Wire
from t1data.client import OPERATIONS
from t1data.journal import place
from t1data.management import Management
from t1data.transport.retry import Limits

Step = Literal["begin", "resume", "reconcile", "outcomes"]

KEY = "a-key-that-nobody-has-0001"
PATIENCE = Limits()
FAST = 1e6  # requests a second: so that no refusal slows a harness down


@dataclass(frozen=True)
class Order:
    """One piece of work for one process.

    `network` makes the journal believe that it lies on a network home, where it keeps no write-ahead log; with an
    `application_id` a run is reconciled by the list of codes, else by inventories; `wound` is one of
    `benchmarks.wounds`; `fail` is a fail point, see `benchmarks.failpoints`.
    """

    job: str
    step: Step
    url: str
    input: str
    journal: str
    outcomes: str
    connections: int
    batch_limit: int
    network: bool = False
    application_id: int | None = None
    wound: str | None = None
    fail: tuple[str, str, int] | None = None


@dataclass(frozen=True)
class Adapter:
    """One bulk job: the operation that it sends, how it begins, whether its requests may go out twice."""

    operation: str
    begin: Callable[[t1.Client, Order], Any]
    wire: Wire
    repeatable: bool = True


def _upsert(client: t1.Client, order: Order) -> Any:
    return t1.upsert_profiles(
        client,
        order.input,
        journal=order.journal,
        connections=order.connections,
        progress=False,
        allow_suspect_ids=True,  # the ids of the cases are odd on purpose
    )


def _referrals(client: t1.Client, order: Order) -> Any:
    return t1.create_referrals(
        client, order.input, campaign_id=45, journal=order.journal, connections=order.connections, progress=False
    )


JOBS = {
    "upsert_profiles": Adapter("update_customer_profiles_v2", _upsert, PROFILES),
    "create_referrals": Adapter("create_referrals_for_multiple_advocates", _referrals, REFERRALS, repeatable=False),
}


def work(order: Order, *, limits: Limits = PATIENCE) -> None:
    """Do what is ordered, by the public functions, in this process."""
    adapter = JOBS[order.job]
    if order.step == "outcomes":
        run = t1.open_run(order.journal)
        run.write_outcomes(order.outcomes, overwrite=True)
        if not adapter.repeatable:
            run.codes.to_csv(f"{order.outcomes}.codes", index_label="row")
        return
    manages = KEY if order.step == "reconcile" else None  # a job would look for the account's attributes with it
    with t1.Client(order.url, KEY, management_key=manages, rate=FAST, limits=limits) as client:
        if order.step == "begin":
            adapter.begin(client, order)
        elif order.step == "reconcile":
            t1.reconcile(client, order.journal, application_id=order.application_id)
        else:
            t1.resume(client, order.journal, progress=False)


@contextmanager
def set_up(order: Order) -> Iterator[None]:
    """Let this process send small batches, and keep its journal as on a network home if that is asked for."""
    operation = OPERATIONS[JOBS[order.job].operation]
    small = {operation.name: replace(operation, batch_limit=order.batch_limit)}
    on_network = _yes if order.network else place.on_network
    unpaced = patch.dict(Management.__init__.__kwdefaults__, rate=None)
    with patch.dict(OPERATIONS, small), patch.object(place, "on_network", on_network), unpaced:
        yield


def _yes(path: Path, *, mounts: str | None = None) -> bool:
    return True


def has_run(journal: Path) -> bool:
    """Tell whether a journal holds the head of a run, so that it can be resumed by name."""
    try:
        t1.open_run(journal)
    except t1.errors.JournalError as error:
        print(error, flush=True)  # into the log
        return False
    return True
