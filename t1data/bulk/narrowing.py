"""How the bad rows of a refused batch are found, in few requests, and without calling a good row refused."""

from __future__ import annotations

from math import ceil, log2
from typing import Protocol

from t1data.bulk.batches import POINTERS_AT_MOST, Batch, halves, merged, without_named
from t1data.errors import RefusedError, TooLargeError

ALIKE = 8  # this many rows refused alone with the same words and none accepted: it is the mapping, not the rows
SEARCHES = 8  # after so many bad rows found one by one, plain halving needs fewer requests


def most_requests(rows: int, bad: int) -> int:
    """Return the budget: how many requests a batch costs at most, until each of its bad rows was refused alone.

    One for the batch. One for each good row that a lying pointer names, and one for the others: pointers are believed
    until then. For each bad row that is searched for, the halvings of a batch, the row alone and the rest together.
    For those that come after `SEARCHES`, the nodes of a tree of halves, which has fewer than two for each row.

    Parameters
    ----------
    rows : int
        Of the batch.
    bad : int
        How many of them the server refuses.

    Examples
    --------
    >>> [most_requests(1000, bad) for bad in (0, 1, 10, 100, 1000)]
    [1, 34, 158, 1038, 2118]
    """
    if not bad:
        return 1
    searches = min(bad, SEARCHES) * (ceil(log2(max(rows, 2))) + 2)
    return 1 + POINTERS_AT_MOST + 1 + searches + _nodes(rows, bad - SEARCHES)


def _nodes(rows: int, bad: int) -> int:
    """Return how many parts of a tree of halves are sent at most when so many of its leaves are bad."""
    return min(2 * rows, 2 * bad * (ceil(log2(rows / bad)) + 1)) if bad > 0 else 0


class Sender(Protocol):
    """What narrowing needs: to send a part, and to write down what it concludes."""

    @property
    def stopping(self) -> bool: ...  # noqa: D102
    def numbered(self, batch: Batch) -> Batch: ...  # noqa: D102
    def send(self, batch: Batch) -> int | RefusedError: ...  # noqa: D102
    def refuse(self, batch: Batch, error: RefusedError) -> str: ...  # noqa: D102
    def divide(self, batch: Batch, error: RefusedError, parts: list[Batch]) -> None: ...  # noqa: D102
    def recut(self, old: list[Batch], parent: Batch, parts: list[Batch]) -> None: ...  # noqa: D102


class Narrowing:
    """Narrows one batch, and remembers what it has learnt about it.

    Attributes
    ----------
    accepted : int
        Rows of the batch that were accepted so far.
    words : list of str
        What the server said of each row that was refused alone, of those that its pointers had not named: what it
        names itself tells nothing about the others.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._trusts_pointers = True
        self._named = 0
        self.accepted = 0
        self.words: list[str] = []

    @property
    def all_alike(self) -> bool:
        """Whether so many rows were refused with the same words, and none accepted, that the others will be too."""
        return not self.accepted and len(self.words) >= ALIKE and len(set(self.words)) == 1

    def deliver(self, batch: Batch) -> list[Batch]:
        """Send a part of the batch; return the smaller parts that are to be sent in its place, if it was refused."""
        answer = self._sender.send(batch)
        if isinstance(answer, int):
            self.accepted += answer
            return []
        if len(batch) == 1:
            self.words.append(self._sender.refuse(batch, answer))
            return []
        return self._narrowed(batch, answer)

    def _narrowed(self, batch: Batch, error: RefusedError) -> list[Batch]:
        none_is_good = not self.accepted and self._named >= ALIKE
        hint = without_named(batch, error.problems) if self._trusts_pointers and not none_is_good else None
        if hint is not None:
            return self._without_named(batch, error, *hint)
        if not self.accepted and (self.words or self._named):
            # Perhaps all are bad: look at a few more rows before searching.
            return self._divided(batch, error, [batch.part(slice(0, 1)), batch.part(slice(1, len(batch)))])
        if len(self.words) < SEARCHES and not isinstance(error, TooLargeError):
            return self._search(batch, error)
        return self._divided(batch, error, halves(batch))

    def _divided(self, batch: Batch, error: RefusedError, parts: list[Batch]) -> list[Batch]:
        parts = [self._sender.numbered(part) for part in parts]
        self._sender.divide(batch, error, parts)
        return parts

    def _without_named(self, batch: Batch, error: RefusedError, named: list[Batch], rest: Batch) -> list[Batch]:
        """Send the rows that the server's pointers name alone; one that is accepted shows that pointers lie here."""
        *rows, rest = self._divided(batch, error, [*named, rest])
        for row in rows:
            self._trusts_pointers &= self._try_row(row, named=True)
        return [rest]

    def _search(self, batch: Batch, error: RefusedError) -> list[Batch]:
        """Find one bad row by halving; return the rows whose fate is open, as one batch.

        Costs about log2(rows) + 2 requests: when a half is accepted the other one holds the bad row and need not be
        sent whole, and the halves put aside on the way go out together.
        """
        aside: list[Batch] = []
        suspect: Batch = batch
        refusal: RefusedError | None = error
        while len(suspect) > 1 and not self._sender.stopping:
            first, second = self._halved(suspect, refusal, batch)
            answer = self._sender.send(first)
            if isinstance(answer, RefusedError):
                aside.append(second)
                suspect, refusal = first, answer
            elif answer:
                self.accepted += answer
                suspect, refusal = second, None
            else:  # neither yes nor no: nothing can be concluded about the second half
                return [*aside, second]
        self._conclude(suspect, refusal)
        return self._together(aside, batch)

    def _halved(self, suspect: Batch, refusal: RefusedError | None, whole: Batch) -> list[Batch]:
        if refusal is not None:
            return self._divided(suspect, refusal, halves(suspect))
        parts = [self._sender.numbered(part) for part in halves(suspect)]
        self._sender.recut([suspect], whole, parts)  # bad by inference, and never sent whole
        return parts

    def _conclude(self, suspect: Batch, refusal: RefusedError | None) -> None:
        if refusal is None:
            if len(suspect) == 1:
                self._try_row(suspect)
        elif len(suspect) == 1:
            self.words.append(self._sender.refuse(suspect, refusal))
        else:  # stopped in the middle: what was refused as a whole stays open in its parts
            self._divided(suspect, refusal, halves(suspect))

    def _together(self, aside: list[Batch], whole: Batch) -> list[Batch]:
        if len(aside) < 2:
            return aside
        rest = self._sender.numbered(merged(whole, aside))
        self._sender.recut(aside, whole, [rest])
        return [rest]

    def _try_row(self, row: Batch, *, named: bool = False) -> bool:
        """Send one row alone; return whether it was refused."""
        if self._sender.stopping:
            return True
        before = len(self.words)
        self.deliver(row)
        refused = len(self.words) > before
        if named and refused:
            self.words.pop()
            self._named += 1
        return refused
