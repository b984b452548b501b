"""One batch from intent to the outcome of each of its rows.

A refused batch is narrowed, and its parts go through the same door as new batches, until every bad row has been
refused alone and every good one accepted. Where the answer carries goods, it is kept before it is read.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace

from t1data.bulk.batches import Batch
from t1data.bulk.job import Answered, Job
from t1data.bulk.narrowing import ALIKE, Narrowing
from t1data.bulk.progress import Watch
from t1data.bulk.refusals import hopeless, is_of_api, mask, reason_of, said_of_rows
from t1data.errors import (
    AnswerError,
    AuthError,
    CertificateError,
    ConflictError,
    ConnectError,
    InDoubtError,
    NotFoundError,
    RateLimitedError,
    RedirectError,
    RefusedError,
    RequestError,
    TooLargeError,
)
from t1data.journal.store import Journal

WORTH_STOPPING = 50  # with fewer rows left than this, finding out costs no more than explaining
FAILURES_IN_A_ROW = 3  # batches without any clear answer before the run stops

_KEY_REFUSED = (401, 403)  # also after an attempt whose fate is unknown, so that the rows are in doubt

# An answer of these kinds is about the whole run, not about a row: the rows stay unsent and the run stops.
_ABOUT_THE_RUN = (AuthError, NotFoundError, RedirectError, RateLimitedError, ConnectError, CertificateError)


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
        self._words: list[str] = []

    @property
    def stopping(self) -> bool:
        """Whether no new request may start."""
        return self._watch.stopping.is_set()

    @property
    def _any_accepted(self) -> bool:
        """Whether some row was good, so that it is not the mapping: then nothing is put aside, where it is held."""
        return self._watch.counted("accepted") > 0

    def numbered(self, batch: Batch) -> Batch:
        """Return the batch with the next free number."""
        with self._lock:
            return replace(batch, number=next(self._numbers))

    def wait_while_paused(self) -> None:
        """Return when there is no pause, or no longer; what was settled does not wait with it."""
        if self._watch.control.paused:
            self._journal.flush()
        self._watch.control.wait_while_paused()

    def deliver(self, batch: Batch, *, defer: bool = True) -> None:
        """Send a batch, and the parts to which it is narrowed, until each of its rows has an outcome."""
        todo, narrowing = [batch], Narrowing(self)
        while todo and not self.stopping:
            todo += narrowing.deliver(todo.pop())[::-1]
            if defer and narrowing.all_alike and sum(map(len, todo)) > WORTH_STOPPING and not self._any_accepted:
                self._defer(todo, narrowing.words[-1])
                return

    def send(self, batch: Batch) -> int | RefusedError:
        """Send one batch and settle it; return how many rows were accepted. A refusal is returned unsettled."""
        self.wait_while_paused()
        self._journal.intend(batch.number)
        try:
            answer = self._job.send(batch, self._watch.stopping, self._watch.waiting)
        except RequestError as error:
            return self._failed(batch, error)
        self._failures = 0
        return self._accepted(batch, answer)

    def _failed(self, batch: Batch, error: RequestError) -> int | RefusedError:
        if isinstance(error, NotFoundError) and self._job.names_one and is_of_api(error.body):
            self.refuse(batch, error)
        elif isinstance(error, _ABOUT_THE_RUN):
            self._withhold(batch, error, stop=True)
        elif isinstance(error, RefusedError):
            self._failures = 0
            return self._refused(batch, error)
        elif isinstance(error, InDoubtError):
            self._doubt(batch, error)
        else:
            self._withhold(batch, error, stop=False)
        return 0

    def _accepted(self, batch: Batch, answer: Answered) -> int:
        number, status, attempts, waited = batch.number, answer.status, answer.attempts, answer.waited
        if self._job.read is not None:
            self._journal.keep_answer(number, answer.body, status=status, attempts=attempts, waited=waited)
            self._watch.count("accepted", 0, requests=answer.attempts)
            return self.read_goods(batch, answer.body)
        odd = answer.warning or None
        self._journal.settle(number, "accept", status=status, attempts=attempts, waited=waited, message=odd)
        self._watch.count("accepted", len(batch), requests=answer.attempts)
        return len(batch)

    def _refused(self, batch: Batch, error: RefusedError) -> int | RefusedError:
        """Settle a refusal that is not narrowed: nobody may find out by sending rows again that make new things."""
        if isinstance(error, ConflictError) and self._job.repeatable:  # somebody else was at the customer: not the row
            self._withhold(batch, error, stop=False)
            return 0
        if self._job.repeatable or (isinstance(error, TooLargeError) and len(batch) > 1):
            return error
        self.refuse(batch, error)
        return 0

    def _withhold(self, batch: Batch, error: RequestError, *, stop: bool) -> None:
        self._journal.settle(batch.number, "withhold", status=error.status, attempts=error.attempts)
        self._watch.count("accepted", 0, requests=error.attempts)
        if stop:
            self._watch.stop(_words(error, batch))

    def _doubt(self, batch: Batch, error: InDoubtError) -> None:
        if self._job.changes_nothing:
            self._withhold(batch, error, stop=False)
        else:
            self._note_doubt(batch, error)
        self._failures += 1
        if isinstance(error, AnswerError) or error.status in _KEY_REFUSED or self._failures >= FAILURES_IN_A_ROW:
            self._watch.stop(_words(error, batch))

    def _note_doubt(self, batch: Batch, error: InDoubtError) -> None:
        self._journal.settle(
            batch.number,
            "doubt",
            status=error.status,
            attempts=error.attempts,
            reason=reason_of(error),
            message=_words(error, batch),
            answer=error.body if self._job.read is not None and error.body else None,
        )
        self._watch.count("in_doubt", len(batch), requests=error.attempts)

    # --- goods ----------------------------------------------------------------------------------------

    def read_goods(self, batch: Batch, body: bytes) -> int:
        """Settle a batch by what its kept answer holds for each row; return for how many it holds the goods."""
        assert self._job.read is not None
        goods = self._job.read(batch, body)
        got = int(goods.got.sum())
        number, missing = batch.number, len(batch) - got
        if not missing:
            self._journal.settle(number, "accept", message=goods.message)
        elif not got:
            self._journal.settle(number, "doubt", reason="not_in_answer", message=goods.message)
        else:
            with_goods, without = (self.numbered(batch.part(keep)) for keep in (goods.got, ~goods.got))
            doubtful = without.as_part("in_doubt", reason="not_in_answer", message=goods.message)
            self._journal.settle(number, "accept", parts=[with_goods.as_part("done"), doubtful])
        self._watch.count("accepted", got)
        self._watch.count("in_doubt", missing)
        return got

    # --- what narrowing writes down -------------------------------------------------------------------

    def divide(self, batch: Batch, error: RefusedError, parts: list[Batch]) -> None:
        """Settle a refused batch by parts that take over its rows."""
        self._journal.settle(
            batch.number,
            "refuse",
            status=error.status,
            attempts=error.attempts,
            reason=reason_of(error),
            parts=[part.as_part() for part in parts],
        )
        self._watch.count("accepted", 0, requests=error.attempts)

    def recut(self, old: list[Batch], parent: Batch, parts: list[Batch]) -> None:
        """Replace parts that were never sent by others of the same rows."""
        numbers = [part.number for part in old]
        self._journal.recut(numbers, parent.number, [part.as_part() for part in parts])

    def refuse(self, batch: Batch, error: RefusedError) -> str:
        """Settle rows as refused; return the server's words about them, without the rows' values."""
        field, message = said_of_rows(error, batch.body(suffix=b","), batch.key, batch.lane)
        self._journal.settle(
            batch.number,
            "refuse",
            status=error.status,
            attempts=error.attempts,
            reason=reason_of(error),
            field=field,
            message=message,
        )
        self._watch.count("refused", len(batch), requests=error.attempts)
        if (self._job.batch_limit == 1 or not self._job.repeatable) and not isinstance(error, NotFoundError):
            self._stop_if_alike(message, len(batch))
        return message

    # --- when all rows fail alike ---------------------------------------------------------------------

    def _defer(self, todo: list[Batch], words: str) -> None:
        """Put the rest of a batch aside: two such batches and nothing accepted stop the run."""
        with self._lock:
            self._deferred += todo
            self._alike_batches += 1
            self._last_alike = words
            enough = self._alike_batches >= 2 and not self._any_accepted
        if enough:
            self._watch.stop(hopeless(words))

    def _stop_if_alike(self, words: str, rows: int) -> None:
        """Stop a run that narrows nothing when its first rows, or two batches, were all refused with the same words."""
        with self._lock:
            if len(self._words) < 2 * ALIKE:  # the first ones decide, and a million refusals are not held
                self._words += [words] * min(rows, ALIKE)
            alike = len(self._words) >= 2 * ALIKE and len(set(self._words)) == 1
        if alike and not self._any_accepted and self._watch.left > WORTH_STOPPING:
            self._watch.stop(hopeless(words))

    def finish_deferred(self) -> None:
        """Take up what was put aside, when some rows were accepted after all; else stop with the reason."""
        if self._last_alike and not self._any_accepted:
            self._watch.stop(hopeless(self._last_alike))
        for batch in self._deferred:
            if not self.stopping:
                self.deliver(batch, defer=False)


def _words(error: RequestError, batch: Batch) -> str:
    """Return what happened, without the rows' values: a server can say them back, and the journal keeps its words."""
    return mask(str(error), batch.body(suffix=b","), batch.key, batch.lane)
