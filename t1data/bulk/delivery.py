"""One batch from intent to the outcome of each of its rows.

A refused batch is narrowed, and its parts go through the same door as new batches, until every bad row has been
refused alone and every good one accepted.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from t1data.bulk.batches import Batch, halves, merged, without_named
from t1data.bulk.progress import Watch
from t1data.bulk.refusals import hopeless, reason_of, said_of_row
from t1data.errors import (
    AnswerError,
    AuthError,
    CertificateError,
    ConnectError,
    InDoubtError,
    NotFoundError,
    NotSentError,
    RateLimitedError,
    RedirectError,
    RefusedError,
    RequestError,
    TooLargeError,
)
from t1data.journal.records import Span
from t1data.journal.store import Journal

ALIKE = 8  # this many rows refused alone with the same words and none accepted: it is the mapping, not the rows
WORTH_STOPPING = 50  # with fewer rows left than this, finding out costs no more than explaining
SEARCHES = 8  # after so many bad rows found one by one, plain halving needs fewer requests
FAILURES_IN_A_ROW = 3  # batches without any clear answer before the run stops

_KEY_REFUSED = (401, 403)  # also after an attempt whose fate is unknown, so that the rows are in doubt

# An answer of these kinds is about the whole run, not about a row: the rows stay unsent and the run stops.
_ABOUT_THE_RUN = (AuthError, NotFoundError, RedirectError, RateLimitedError, ConnectError, CertificateError)


class Answered(Protocol):
    """What is read of an answer."""

    @property
    def status(self) -> int: ...  # noqa: D102
    @property
    def attempts(self) -> int: ...  # noqa: D102
    @property
    def waited(self) -> float: ...  # noqa: D102


Send = Callable[[bytes, threading.Event, Callable[[str, float], None]], Answered]


@dataclass(frozen=True)
class Job:
    """How the rows of one job travel: the call that sends a body, its envelope, the limits."""

    send: Send
    prefix: bytes
    suffix: bytes
    batch_limit: int
    max_bytes: int = 4_000_000
    connections: int = 4


@dataclass
class _Tally:
    """What became of the rows of one batch that were sent alone."""

    accepted: int = 0
    words: list[str] = field(default_factory=list)
    trusts_pointers: bool = True

    @property
    def all_alike(self) -> bool:
        return not self.accepted and len(self.words) >= ALIKE and len(set(self.words)) == 1


class Delivery:
    """Sends the batches of one run, from several threads at once, and settles each in the journal."""

    def __init__(self, journal: Journal, job: Job, watch: Watch, *, first_number: int = 1) -> None:
        self._journal = journal
        self._job = job
        self._watch = watch
        self._numbers = itertools.count(first_number)
        self._lock = threading.Lock()
        self._failures = 0
        self._deferred: list[Batch] = []
        self._alike_batches = 0
        self._last_alike: str | None = None

    def numbered(self, batch: Batch) -> Batch:
        """Return the batch with the next free number."""
        with self._lock:
            number = next(self._numbers)
        return Batch(batch.rows, batch.pieces, batch.spans, batch.lines, number)

    def deliver(self, batch: Batch, *, defer: bool = True) -> None:
        """Send a batch, and the parts to which it is narrowed, until each of its rows has an outcome."""
        todo, tally = [batch], _Tally()
        while todo and not self._watch.stopping.is_set():
            current = todo.pop()
            answer = self._send(current)
            if isinstance(answer, int):
                tally.accepted += answer
            elif len(current) == 1:
                tally.words.append(self._refuse_row(current, answer))
            else:
                todo += self._narrow(current, answer, tally)
            if defer and tally.all_alike and sum(map(len, todo)) > WORTH_STOPPING:
                self._defer(todo, tally.words[-1])
                return

    def _narrow(self, batch: Batch, error: RefusedError, tally: _Tally) -> list[Batch]:
        """Find bad rows of a refused batch; return the parts of it that are still to be sent."""
        hint = without_named(batch, error.problems) if tally.trusts_pointers else None
        if hint is not None:
            named, rest = [self.numbered(part) for part in hint[0]], self.numbered(hint[1])
            self._refuse(batch, error, parts=[*named, rest])
            for row in named:
                tally.trusts_pointers &= self._try_row(row, tally)
            return [rest]
        if tally.words and not tally.accepted:  # perhaps all are bad: look at a few more rows before searching
            parts = [self.numbered(batch.part(slice(0, 1))), self.numbered(batch.part(slice(1, len(batch))))]
            self._refuse(batch, error, parts=parts)
            return parts[::-1]
        if len(tally.words) < SEARCHES and not isinstance(error, TooLargeError):
            return self._search(batch, error, tally)
        parts = [self.numbered(part) for part in halves(batch)]
        self._refuse(batch, error, parts=parts)
        return parts[::-1]

    def _search(self, batch: Batch, error: RefusedError, tally: _Tally) -> list[Batch]:
        """Find one bad row by halving; return the rows whose fate is open, as one batch.

        Costs about log2(rows) + 2 requests: when a half is accepted the other one holds the bad row and need not be
        sent whole, and the halves put aside on the way go out together.
        """
        aside: list[Batch] = []
        suspect: Batch = batch
        refusal: RefusedError | None = error
        while len(suspect) > 1 and not self._watch.stopping.is_set():
            first, second = (self.numbered(part) for part in halves(suspect))
            if refusal is not None:
                self._refuse(suspect, refusal, parts=[first, second])
            else:
                self._recut([suspect], batch, [first, second])
            answer = self._send(first)
            if isinstance(answer, RefusedError):
                aside.append(second)
                suspect, refusal = first, answer
            elif answer:
                tally.accepted += answer
                suspect, refusal = second, None
            else:  # neither yes nor no: nothing can be concluded about the second half
                return [*aside, second]
        if len(suspect) == 1 and refusal is not None:
            tally.words.append(self._refuse_row(suspect, refusal))
        elif len(suspect) == 1:
            self._try_row(suspect, tally)
        elif refusal is not None:
            self._refuse(suspect, refusal, parts=[self.numbered(part) for part in halves(suspect)])
        if len(aside) < 2:
            return aside
        rest = self.numbered(merged(batch, aside))
        self._recut(aside, batch, [rest])
        return [rest]

    def _try_row(self, row: Batch, tally: _Tally) -> bool:
        """Send one row alone; return whether it was refused."""
        if self._watch.stopping.is_set():
            return True
        answer = self._send(row)
        if isinstance(answer, int):
            tally.accepted += answer
            return False
        tally.words.append(self._refuse_row(row, answer))
        return True

    def _send(self, batch: Batch) -> int | RefusedError:
        """Send one batch and settle it; return how many rows were accepted. A refusal is returned unsettled."""
        number = batch.number or 0
        self._watch.control.wait_while_paused()
        self._journal.intend(number)
        try:
            answer = self._job.send(
                batch.body(self._job.prefix, self._job.suffix), self._watch.stopping, self._watch.waiting
            )
        except _ABOUT_THE_RUN as error:
            self._withhold(number, error, stop=True)
        except RefusedError as error:
            self._failures = 0
            return error
        except NotSentError as error:
            self._withhold(number, error, stop=False)
        except InDoubtError as error:
            self._doubt(batch, error)
        else:
            self._failures = 0
            self._journal.settle(number, "accept", status=answer.status, attempts=answer.attempts, waited=answer.waited)
            self._watch.count("accepted", len(batch), requests=answer.attempts)
            return len(batch)
        return 0

    def _withhold(self, number: int, error: RequestError, *, stop: bool) -> None:
        self._journal.settle(number, "withhold", status=error.status, attempts=error.attempts)
        self._watch.count("accepted", 0, requests=error.attempts)
        if stop:
            self._watch.stop(str(error))

    def _doubt(self, batch: Batch, error: InDoubtError) -> None:
        self._journal.settle(
            batch.number or 0,
            "doubt",
            status=error.status,
            attempts=error.attempts,
            reason=reason_of(error),
            message=str(error),
        )
        self._watch.count("in_doubt", len(batch), requests=error.attempts)
        self._failures += 1
        if isinstance(error, AnswerError) or error.status in _KEY_REFUSED or self._failures >= FAILURES_IN_A_ROW:
            self._watch.stop(str(error))

    def _refuse(self, batch: Batch, error: RefusedError, *, parts: list[Batch]) -> None:
        self._journal.settle(
            batch.number or 0,
            "refuse",
            status=error.status,
            attempts=error.attempts,
            reason=reason_of(error),
            parts=_facts(parts),
        )
        self._watch.count("accepted", 0, requests=error.attempts)

    def _recut(self, old: list[Batch], parent: Batch, parts: list[Batch]) -> None:
        self._journal.recut([part.number or 0 for part in old], parent.number or 0, _facts(parts))

    def _refuse_row(self, batch: Batch, error: RefusedError) -> str:
        """Settle one row as refused; return the server's words about it, without the row's values."""
        field_, message = said_of_row(error, batch.pieces[0].as_py())
        self._journal.settle(
            batch.number or 0,
            "refuse",
            status=error.status,
            attempts=error.attempts,
            reason=reason_of(error),
            field=field_,
            message=message,
        )
        self._watch.count("refused", 1, requests=error.attempts)
        return message

    # --- when all rows fail alike ---------------------------------------------------------------------

    def _defer(self, todo: list[Batch], words: str) -> None:
        """Put the rest of a batch aside: two such batches and nothing accepted stop the run."""
        with self._lock:
            self._deferred += todo
            self._alike_batches += 1
            self._last_alike = words
            enough = self._alike_batches >= 2 and not self._watch.counted("accepted")
        if enough:
            self._watch.stop(hopeless(words))

    def finish_deferred(self) -> None:
        """Take up what was put aside, when some rows were accepted after all; else stop with the reason."""
        if self._last_alike and not self._watch.counted("accepted"):
            self._watch.stop(hopeless(self._last_alike))
        for batch in self._deferred:
            if not self._watch.stopping.is_set():
                self.deliver(batch, defer=False)


def _facts(parts: list[Batch]) -> list[tuple[int, tuple[Span, ...], int]]:
    return [(part.number or 0, part.spans, len(part)) for part in parts]
