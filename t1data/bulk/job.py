"""What a job tells the engine: how a batch travels, and what its answer brings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from t1data.bulk.batches import Batch


class Answered(Protocol):
    """What is read of an answer."""

    @property
    def status(self) -> int: ...  # noqa: D102
    @property
    def body(self) -> bytes: ...  # noqa: D102
    @property
    def attempts(self) -> int: ...  # noqa: D102
    @property
    def waited(self) -> float: ...  # noqa: D102
    @property
    def warning(self) -> str: ...  # noqa: D102


Send = Callable[[Batch, threading.Event, Callable[[str, float], None]], Answered]


@dataclass(frozen=True)
class Goods:
    """What an answer brought for the rows of a batch.

    Attributes
    ----------
    got : ndarray of bool
        For each row, whether the answer holds what was asked for it.
    message : str, optional
        What is odd about the answer, without customers' data.
    """

    got: npt.NDArray[np.bool_]
    message: str | None = None


@dataclass(frozen=True)
class Job:
    """How the rows of one job travel.

    Attributes
    ----------
    send : callable
        Sends a batch.
    batch_limit, max_bytes : int
        Of one request.
    connections : int
        Requests in flight at once.
    repeatable : bool
        Whether a batch may be sent again when its fate is unknown. Only then is a refused batch narrowed.
    read : callable, optional
        Reads the goods from an answer's body; without it the status alone says that all rows were accepted.
    by_key : bool
        The rows have keys, and a request takes several rows of one key.
    names_one : bool
        The path names a customer, a code or a session: a 404 is about that one and not about the whole run.
    changes_nothing : bool
        The requests only read: what got no clear answer is not in doubt, it is simply not read yet.
    """

    send: Send
    batch_limit: int
    max_bytes: int = 4_000_000
    connections: int = 4
    repeatable: bool = True
    read: Callable[[Batch, bytes], Goods] | None = None
    by_key: bool = False
    names_one: bool = False
    changes_nothing: bool = False
