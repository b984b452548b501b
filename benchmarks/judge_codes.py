"""The judge of runs that make codes: nothing lost, nothing made twice, whatever answers were lost. Pure.

What was asked for may be made once only. A row that is in doubt stays so until somebody has looked on the server, and
then it must be what the server has. The campaign knows whose codes it has shown, and when.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.account import Receipt
from benchmarks.campaign import Campaign, made_by
from benchmarks.cases import Case, Row
from benchmarks.judge import Rest, altered, by_id, sent_again, shown

Brought = list[tuple[int, str]]
Looked = Callable[[Receipt], bool]


def read_codes(path: Path) -> Brought:
    """Return the row, from 0, and the code of each line of a file of codes."""
    with path.open(newline="", encoding="utf-8") as file:
        return [(int(line["row"]) - 1, line["code"]) for line in csv.DictReader(file)]


def judge_codes(case: Case, ledger: Sequence[Receipt], rest: Rest, brought: Brought, campaign: Campaign) -> list[str]:
    """Hold outcomes and codes at a moment of rest against what was made until then."""
    seen = by_id(ledger)
    codes = made(ledger)
    wrong = [
        f"P8: the code {code} is there {times} times"
        for code, times in Counter(c for _, c in brought).items()
        if times > 1
    ]
    by_row = dict(brought)
    for place, (row, outcome) in enumerate(zip(case.rows, rest.outcomes, strict=True)):
        wrong += [
            f"{said} (row {place + 1}, {outcome})"
            for said in _RULES[outcome](
                row, seen[row.id], partial(campaign.looked, advocate=row.id), codes.get(row.id, []), by_row.get(place)
            )
        ]
    return shown(wrong)


def made(ledger: Sequence[Receipt]) -> dict[str, list[str]]:
    """Return the codes that were made for each advocate, in turn."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for receipt in ledger:
        for code in made_by(receipt):
            found[code.advocate].append(code.code)
    return found


def _accepted(row: Row, seen: list[Receipt], looked: Looked, codes: list[str], brought: str | None) -> Iterator[str]:
    if brought not in codes:
        yield f"P8: its code is said to be {brought}, and the server made {codes}"


def _unsent(row: Row, seen: list[Receipt], looked: Looked, codes: list[str], brought: str | None) -> Iterator[str]:
    if codes:
        yield f"P7: called unsent, and the server made {codes}"
    if any(receipt.open and not looked(receipt) for receipt in seen):
        yield "P7: a request for it had no answer, and it is called unsent though nobody has looked"
    yield from _without_code(brought)


def _in_doubt(row: Row, seen: list[Receipt], looked: Looked, codes: list[str], brought: str | None) -> Iterator[str]:
    if row.due == "invalid":
        yield "P1: it cannot be sent, and is called in doubt"


def _refused(row: Row, seen: list[Receipt], looked: Looked, codes: list[str], brought: str | None) -> Iterator[str]:
    yield "P16: called refused, and the server refused no row"


def _invalid(row: Row, seen: list[Receipt], looked: Looked, codes: list[str], brought: str | None) -> Iterator[str]:
    if row.due != "invalid" or seen:
        yield "P1: called invalid, and it can be sent or was"
    yield from _without_code(brought)


def _without_code(brought: str | None) -> Iterator[str]:
    if brought is not None:
        yield f"P8: it has the code {brought}"


_RULES = {
    "accepted": _accepted,
    "unsent": _unsent,
    "in_doubt": _in_doubt,
    "refused": _refused,
    "invalid": _invalid,
}


def judge_codes_end(
    case: Case, ledger: Sequence[Receipt], rests: Sequence[Rest], campaign: Campaign, *, unclear: Collection[str]
) -> list[str]:
    """Hold a finished run against the ledger: in doubt is only what nobody can know, and all else has its one code."""
    last = rests[-1].outcomes
    wrong = shown(
        f"P7: due {row.due}, and it ended as {outcome} (row {place + 1})"
        for place, (row, outcome) in enumerate(zip(case.rows, last, strict=True))
        if row.due != outcome and not (outcome == "in_doubt" and row.id in unclear)
    )
    return wrong + _made_twice(ledger, campaign) + altered(case, ledger) + sent_again(case, ledger, rests)


def _made_twice(ledger: Sequence[Receipt], campaign: Campaign) -> list[str]:
    """Find requests for an advocate whose code was made, or may have been made as far as anybody had looked by then."""
    perhaps: dict[str, Receipt] = {}
    found = []
    for receipt in ledger:
        for id_ in receipt.ids:
            before = perhaps.get(id_)
            if before is not None and (
                before.fate == "applied" or not campaign.looked(before, id_, before=receipt.number)
            ):
                found.append(f"P6: request {receipt.number} may make a second code for {id_!r}")
        if receipt.open:
            perhaps |= dict.fromkeys(receipt.ids, receipt)
    return shown(found)
