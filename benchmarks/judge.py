"""The judge: reads the server's ledger and the outcome file, never the tool's own word. Pure; P numbers are promises.

P1 one outcome a row · P2 nothing altered · P3 accepted means accepted · P5 nothing lost · P6 settled rows are never
sent again · P7 in doubt is exact · P9 nothing leaves before its intent is durable · P12 patience · P13 one id, one
flight · P15 a refused key stops the run
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.account import Receipt
from benchmarks.cases import Case, Row

OUTCOMES = frozenset({"accepted", "invalid", "refused", "unsent", "in_doubt"})
SETTLED = frozenset({"accepted", "invalid", "refused"})
SHOWN = 5
LEAKS = 0.01  # seconds by which a request may seem to come early: it was on its way when the answer was


@dataclass(frozen=True)
class Rest:
    """A moment when no client ran: the outcome of each row then, and how many requests the ledger had."""

    outcomes: tuple[str, ...]
    requests: int

    def count(self, outcome: str) -> int:
        """Return how many rows had this outcome."""
        return self.outcomes.count(outcome)


def read_outcomes(path: Path, case: Case) -> tuple[tuple[str, ...], list[str]]:
    """Return the outcome of each row of the file, and what is wrong with the file itself (P1)."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    outcomes = tuple(line["outcome"] for line in lines)
    wrong = []
    if [line["row"] for line in lines] != [str(number + 1) for number in range(len(case.rows))]:
        wrong.append(f"P1: {len(lines)} lines for {len(case.rows)} rows, or not in their order")
    elif [line["integration_id"] for line in lines] != [row.id for row in case.rows]:
        wrong.append("P1: an id in the outcome file is not that of its row")
    wrong += [f"P1: outcome {name!r}" for name in set(outcomes) - OUTCOMES]
    return outcomes, wrong


def judge_rest(case: Case, ledger: Sequence[Receipt], rest: Rest, *, most_in_doubt: int) -> list[str]:
    """Hold the outcomes at a moment of rest against the ledger."""
    seen = by_id(ledger)
    wrong = shown(
        f"{said} (row {place + 1}, {outcome})"
        for place, (row, outcome) in enumerate(zip(case.rows, rest.outcomes, strict=True))
        for said in _RULES[outcome](row, seen[row.id])
    )
    return wrong + too_many_in_doubt(case, rest, most_in_doubt)


def too_many_in_doubt(case: Case, rest: Rest, most: int) -> list[str]:
    """Find that more rows are in doubt than can have been in flight (P7)."""
    doubtful = [row for row, outcome in zip(case.rows, rest.outcomes, strict=True) if outcome == "in_doubt"]
    sent = sum(row.twin is None for row in doubtful)
    return [f"P7: {sent} rows in doubt, and at most {most} can have been in flight"] if sent > most else []


def _accepted(row: Row, seen: list[Receipt]) -> Iterator[str]:
    if not any(receipt.confirmed for receipt in seen):
        yield "P3: accepted, and no whole success ever went back for it"


def _refused(row: Row, seen: list[Receipt]) -> Iterator[str]:
    if row.due != "refused":
        yield "P16: a good row is called refused"
    if not any(r.fate == "refused" and r.answered and len(r.profiles) == 1 for r in seen):
        yield "P16: called refused without having been refused alone"


def _invalid(row: Row, seen: list[Receipt]) -> Iterator[str]:
    if row.due != "invalid":
        yield "P1: a row that can be sent is called invalid"
    if seen and row.twin is None:
        yield "P1: called invalid, and it was sent"


def _unsent(row: Row, seen: list[Receipt]) -> Iterator[str]:
    if row.twin is None and _may_be_applied(seen):  # a twin waits until its own place is reached
        yield "P7/P9: it reached the server and may have been applied, and it is called unsent"


def _may_be_applied(seen: list[Receipt]) -> bool:
    """Whether its sender must think it possible: a refusal of the very same body clears what came before it."""
    refused = {receipt.ids: receipt.number for receipt in seen if receipt.fate == "refused" and receipt.answered}
    return any(receipt.open and receipt.number > refused.get(receipt.ids, 0) for receipt in seen)


def _in_doubt(row: Row, seen: list[Receipt]) -> Iterator[str]:
    if row.due == "invalid":
        yield "P1: it cannot be sent, and is called in doubt"


_RULES = {
    "accepted": _accepted,
    "refused": _refused,
    "invalid": _invalid,
    "unsent": _unsent,
    "in_doubt": _in_doubt,
}


def judge_end(case: Case, ledger: Sequence[Receipt], rests: Sequence[Rest], *, patient: bool = True) -> list[str]:
    """Hold a finished run against the ledger: everything settled as it is due, nothing settled sent again.

    A client that is not `patient` gives a request up and sends it anew while a busy server may still be at it, so two
    flights prove nothing there.
    """
    last = rests[-1].outcomes
    wrong = shown(
        f"P5: due {row.due}, and it ended as {outcome} (row {place + 1})"
        for place, (row, outcome) in enumerate(zip(case.rows, last, strict=True))
        if row.due != outcome
    )
    return wrong + altered(case, ledger) + sent_again(case, ledger, rests) + (_two_flights(ledger) if patient else [])


def altered(case: Case, ledger: Iterable[Receipt]) -> list[str]:
    """Find values that came otherwise than they stand in the input (P2)."""
    due = {row.id: row.attributes for row in case.rows if row.due != "invalid"}
    return shown(
        f"P2: {id_!r} came as {found!r}, due {due.get(id_)!r}"
        for receipt in ledger
        for id_, found in receipt.profiles
        if due.get(id_) != found
    )


def sent_again(case: Case, ledger: Sequence[Receipt], rests: Iterable[Rest]) -> list[str]:
    """Find rows that were settled at some moment of rest and sent again later (P6)."""
    found = []
    for rest in rests:
        settled = {row.id for row, outcome in zip(case.rows, rest.outcomes, strict=True) if outcome in SETTLED}
        found += [
            f"P6: {id_!r} was settled, and request {receipt.number} sent it again"
            for receipt in ledger[rest.requests :]
            for id_, _ in receipt.profiles
            if id_ in settled
        ]
    return shown(found)


def _two_flights(ledger: Iterable[Receipt]) -> list[str]:
    found = []
    flights: dict[str, float] = {}
    for receipt in sorted(ledger, key=lambda receipt: receipt.arrived):
        for id_, _ in receipt.profiles:
            if flights.get(id_, 0.0) > receipt.arrived:
                found.append(f"P13: {id_!r} was in two requests at once")
            flights[id_] = max(receipt.left, flights.get(id_, 0.0))
    return shown(found)


def judge_manners(ledger: Sequence[Receipt], *, connections: int) -> list[str]:
    """Find that a client was impatient or deaf, whatever became of its rows."""
    return _came_too_early(ledger) + _went_on_without_key(ledger, connections)


def _came_too_early(ledger: Sequence[Receipt]) -> list[str]:
    """Find rows that one client sent again sooner than the server had allowed it (P12)."""
    allowed: dict[tuple[int, str], float] = {}
    wrong = []
    for receipt in sorted(ledger, key=lambda receipt: receipt.arrived):
        for id_, _ in receipt.profiles:
            if receipt.arrived < allowed.get((receipt.life, id_), 0.0) - LEAKS:
                wrong.append(f"P12: request {receipt.number} came before the server allowed it")
            if receipt.asked:
                allowed[receipt.life, id_] = receipt.left + receipt.asked
    return wrong[:5]


def _went_on_without_key(ledger: Sequence[Receipt], connections: int) -> list[str]:
    """Find requests of a run that went on after its key was refused (P15)."""
    wrong = []
    for life in {receipt.life for receipt in ledger}:
        mine = [receipt for receipt in ledger if receipt.life == life]
        first = next((place for place, receipt in enumerate(mine) if receipt.status == 401), len(mine))
        late = [receipt for receipt in mine[first + 1 :] if receipt.arrived > mine[first].left + 0.25]
        if len(late) > connections:
            wrong.append(f"P15: {len(late)} requests went out after the key was refused")
    return wrong


def applied_again(ledger: Iterable[Receipt]) -> int:
    """Return how many times a row was applied that had been applied before."""
    times = [id_ for receipt in ledger if receipt.fate == "applied" for id_, _ in receipt.profiles]
    return len(times) - len(set(times))


def by_id(ledger: Iterable[Receipt]) -> defaultdict[str, list[Receipt]]:
    """Return the requests that were about each customer."""
    seen: defaultdict[str, list[Receipt]] = defaultdict(list)
    for receipt in ledger:
        for id_, _ in receipt.profiles:
            seen[id_].append(receipt)
    return seen


def shown(found: Iterable[str]) -> list[str]:
    """Return the first violations of a kind, and how many more there are."""
    every = list(found)
    return every[:SHOWN] + ([f"... and {len(every) - SHOWN} more like it"] if len(every) > SHOWN else [])
