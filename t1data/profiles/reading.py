"""What the account holds of the customers of an input, read one by one under one pace."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.bulk.batches import Batch
from t1data.bulk.job import Answered, Goods, Job
from t1data.bulk.named import name_rows
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import Client
from t1data.errors import InputError
from t1data.journal.answers import answers_by_row
from t1data.journal.runs import Run
from t1data.profiles.prepare import Prepared
from t1data.tables.choices import ID

JOB = "read_profiles"
_OPERATION = "get_customer_inventory"

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """Some customers of an input, and what it says of them.

    Attributes
    ----------
    rows : ndarray of int64
        Their row numbers in the input, from 0.
    pieces : pyarrow BinaryArray
        What would be sent of each: a JSON object, and a comma after it.
    invalid : int
        How many rows of the input cannot be sent, so that they are not among these.
    """

    rows: npt.NDArray[np.int64]
    pieces: pa.BinaryArray
    invalid: int = 0

    def ids(self) -> list[str]:
        """Return who they are."""
        return [self._piece(at)["integrationId"] for at in range(len(self.rows))]

    def attributes(self, at: int) -> Attributes:
        """Return what the input says of one of them, numbers exact."""
        said: Attributes = self._piece(at)["attributes"]
        return said

    def _piece(self, at: int) -> Any:
        return exact(self.pieces[at].as_buffer().to_pybytes()[:-1])


def want(prepared: Prepared, *, sample: int | None = None, seed: int = 0) -> Wanted:
    """Return the customers that can be sent, or some of them drawn by `seed`; held in memory."""
    if sample is not None and (isinstance(sample, bool) or not isinstance(sample, Integral) or sample < 1):
        raise InputError(f"sample: got {sample!r}, valid is a number of customers, 1 or more")
    found = [part.rows for part in prepared.parts()]
    rows = np.concatenate([part.rows for part in found])
    pieces = pa.chunked_array([part.pieces for part in found]).combine_chunks()
    if not len(rows):
        raise InputError("no row of the input can be sent, so there is nobody to compare")
    invalid = sum(line.same_as is None for part in found for line in part.lines)
    if sample is None or sample >= len(rows):
        return Wanted(rows, pieces, invalid)
    at = np.sort(np.random.default_rng(seed).choice(len(rows), size=sample, replace=False))
    return Wanted(rows[at], pieces.take(pa.array(at)), invalid)


def read_profiles(client: Client, ids: Any, *, going: Going, connections: int = 8) -> Run:
    """Read the profiles of customers that the journal does not hold yet."""
    named = name_rows(ids, id=ID, allow_suspect_ids=True)  # looked at already, with all of the input
    parts = (rows for rows, _ in named.parts())
    facts = named.facts() | {"layout": {}, "recipe": {"path": None}}
    cargo = Cargo(JOB, client.base_url, facts, named.survey.rows, parts, named.input())
    return run_job(_job(client, connections), cargo, going)


def found_profiles(journal: Path) -> Iterator[tuple[int, Attributes]]:
    """Yield the place of each customer that the account has, and the attributes there, numbers exact."""
    for place, body in answers_by_row(journal):
        yield place, exact(body)["profile"].get("attributes") or {}


def exact(text: bytes) -> Any:
    """Read JSON without rounding a number."""
    return json.loads(text, parse_float=Decimal)


def _job(client: Client, connections: int) -> Job:
    def get(batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        return client.send(_OPERATION, batch.key or "", query={"profile": "true"}, stop=stop, on_wait=on_wait)

    return Job(get, 1, connections=connections, read=_read, names_one=True, changes_nothing=True)


def _read(batch: Batch, body: bytes) -> Goods:
    try:
        answer = json.loads(body)
        profile = answer.get("profile") if isinstance(answer, dict) else None
        good = isinstance(profile, dict) and isinstance(profile.get("attributes") or {}, dict)
    except ValueError:
        good = False
    return Goods(np.full(len(batch), good), None if good else "the answer holds no profile; its bytes are kept")
