"""Cut the power: replay what a journal's files were when each request arrived, with the tail behind that torn.

python -m benchmarks.power --cuts 200 --seed 1

While a run sends, its files are copied whenever a request arrives: what the request needs must be in them. A cut is
such a copy, and perhaps a torn part of what was written next: cut short, with a hole, or rubbish. The run is opened,
judged and gone on with from there. What SQLite has written when a step returns is taken for being on the disk: that it
waits for the disk is not observed, only that it was told to.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing, nullcontext
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.account import Account, Exchange
from benchmarks.cases import Case, make_case
from benchmarks.figures import report, seed_of
from benchmarks.jobs import Order, set_up, work
from benchmarks.judge import Rest, judge_end, judge_rest, read_outcomes
from benchmarks.wounds import WOUNDS
from t1data.journal.place import connect
from tests.fault_server import FaultServer

FULL = 2
CUTS_A_RUN = 10


@dataclass(frozen=True)
class Copied:
    """The files of a journal at one moment, and how many requests had come by then."""

    requests: int
    main: bytes
    log: bytes


@dataclass
class Recording:
    """One run, and its files at each arrival of a request."""

    seed: str
    order: Order
    case: Case
    server: FaultServer
    copies: list[Copied] = field(default_factory=list)

    def record(self) -> Account:
        """Send everything once; return the account that it came to."""
        journal, lock = Path(self.order.journal), threading.Lock()

        def treat(exchange: Exchange) -> bool:
            with lock:  # no request is answered between its arrival and its copy, so that no copy knows later requests
                requests = len(exchange.account.ledger)
                log = _bytes(journal.with_name(f"{journal.name}-wal"))  # first: a checkpoint in between does no harm
                self.copies.append(Copied(requests, _bytes(journal), log))
            exchange.read()
            exchange.apply()
            exchange.reply()
            return True

        account = Account(treat=lambda number: ("", treat), bad=self.case.bad)
        self.server.script = (account.act,)
        work(self.order)
        return account

    def cut(self, account: Account, chance: random.Random) -> list[str]:
        """Cut the power at some moment, look, go on; return what was violated."""
        place = chance.randrange(len(self.copies))
        here = self.copies[place]
        following = self.copies[place + 1] if place + 1 < len(self.copies) else here
        with tempfile.TemporaryDirectory(prefix="t1data-power-") as folder:
            journal = Path(folder, "run.sqlite")
            journal.write_bytes(here.main)
            journal.with_name("run.sqlite-wal").write_bytes(torn(here, following, chance))
            then = Account(bad=self.case.bad, ledger=[copy(receipt) for receipt in account.ledger[: here.requests]])
            self.server.script = (then.act,)
            order = replace(self.order, journal=str(journal), outcomes=str(Path(folder, "outcomes.csv")))
            return self._go_on(order, then, chance)

    def _go_on(self, order: Order, account: Account, chance: random.Random) -> list[str]:
        rests = []
        for step in (None, chance.choice(("begin", "resume"))):
            if step is not None:
                account.life += 1
                work(replace(order, step=step))
            work(replace(order, step="outcomes"))
            outcomes, wrong = read_outcomes(Path(order.outcomes), self.case)
            rests.append(Rest(outcomes, len(account.ledger)))
            wrong += judge_rest(self.case, account.ledger, rests[-1], most_in_doubt=len(self.case.rows))
            if wrong:
                return wrong
        return judge_end(self.case, account.ledger, rests, patient=False)


def torn(here: Copied, following: Copied, chance: random.Random) -> bytes:
    """Return the log as a power cut may leave it: what stood there, and perhaps a part of what came next."""
    tail = following.log[len(here.log) :] if following.log.startswith(here.log) else b""
    way = chance.choice(("clean", "short", "hole", "rubbish"))
    if way == "rubbish":
        return here.log + chance.randbytes(chance.randrange(1, 9000))
    if way == "clean" or not tail:
        return here.log
    part = bytearray(tail[: chance.randrange(len(tail) + 1)])
    if way == "hole":
        start = chance.randrange(len(part) + 1) // 512 * 512
        part[start : start + 512] = bytes(len(part[start : start + 512]))
    return here.log + bytes(part)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def play(seed: str, cuts: int, broken: str | None) -> tuple[dict[str, int], list[str]]:
    """Record one run, by its seed, and cut it as often; return counts and what was violated."""
    chance = random.Random(seed)
    limit = chance.choice((5, 20, 50))
    case = make_case(chance, batch_limit=limit, batches=chance.randint(6, 20), bad=chance.choice((0.0, 0.01)))
    with tempfile.TemporaryDirectory(prefix="t1data-power-") as folder, FaultServer() as server:
        source = Path(folder, "people.csv")
        case.write(source)
        order = Order(
            job="upsert_profiles",
            step="begin",
            url=server.url,
            input=str(source),
            journal=str(Path(folder, "run.sqlite")),
            outcomes=str(Path(folder, "outcomes.csv")),
            connections=chance.choice((1, 4)),
            batch_limit=limit,
        )
        recording = Recording(seed, order, case, server)
        with set_up(order):
            with WOUNDS[broken]() if broken else nullcontext():
                account = recording.record()
            wrong = [said for _ in range(cuts) for said in recording.cut(account, chance)]
    return {"runs": 1, "cuts": cuts, "rows": cuts * len(case.rows)}, [f"seed {seed}: {said}" for said in wrong]


def waits_for_the_disk() -> list[str]:
    """Say when a journal is not told to wait for the disk."""
    with tempfile.TemporaryDirectory() as folder, closing(connect(Path(folder, "run.sqlite"))) as db:
        level = db.execute("PRAGMA synchronous").fetchone()[0]
    return (
        [] if level == FULL else [f"P9: synchronous is {level}, and must be {FULL} (SQLite {sqlite3.sqlite_version})"]
    )


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return 1 when anything was violated."""
    options = _parser().parse_args(arguments)
    started, sums, wrong, number = time.monotonic(), dict[str, int](), waits_for_the_disk(), 0
    while sums.get("cuts", 0) < options.cuts and not wrong:
        number += 1
        found, wrong = play(options.only or f"{options.seed}-{number}", CUTS_A_RUN, options.broken)
        sums = {name: sums.get(name, 0) + count for name, count in found.items()}
        if options.only:
            break
    figures: dict[str, Any] = {"harness": "power", "seed": options.seed, "broken": options.broken, **sums}
    figures |= {"seconds": round(time.monotonic() - started, 1), "violations": len(wrong)}
    return report(figures, wrong, again=f"python -m benchmarks.power --only {seed_of(wrong)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.power", description=__doc__)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", help="one run, by the name that a violation gives it")
    parser.add_argument("--broken", choices=sorted(WOUNDS), help="record a broken engine, which must be noticed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
