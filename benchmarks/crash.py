"""Kill -9 a client that sends, as often as asked, and hold what is left against the server's ledger.

python -m benchmarks.crash --kills 200 --seed 1

Each episode is one input and one journal: a process runs the job and is killed, another goes on and is killed too, and
so forth, until one is left to finish. After each death the outcome file is judged, and at the end the whole run.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.account import Account
from benchmarks.campaign import Campaign, make_campaign, unclear
from benchmarks.cases import Case, make_advocates, make_case
from benchmarks.children import NO_RUN, Nursery
from benchmarks.figures import keep, report, seed_of
from benchmarks.jobs import JOBS, Order, Step
from benchmarks.judge import Rest, applied_again, judge_end, judge_rest, read_outcomes, too_many_in_doubt
from benchmarks.judge_codes import judge_codes, judge_codes_end, read_codes
from benchmarks.kills import KINDS, choose_death, live
from benchmarks.wounds import WOUNDS
from tests.fault_server import FaultServer

KILLED = -9
LONGEST = 12  # lives of one episode: a broken engine may never finish
RESUME_CONNECTIONS = 4  # what `resume` uses, which takes no number


@dataclass
class Tally:
    """What has been seen so far, by all workers."""

    kills: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    most_in_doubt: int = 0
    violations: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Episode:
    """One input from its first process to its last."""

    seed: str
    kinds: tuple[str, ...]
    order: Order
    case: Case
    account: Account
    campaign: Campaign
    chance: random.Random
    rests: list[Rest] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def play(self, nursery: Nursery, server: FaultServer) -> None:
        """Kill as often as the seed says, then let one process finish."""
        left = self.chance.randint(1, 4)
        for self.account.life in range(LONGEST):
            step = self._step()
            status = self._live(nursery, server, step, is_last=left == 0)
            if self.violations or (status == 0 and step != "reconcile"):
                break
            left = max(0, left - (status == KILLED))
        for step in () if self.repeatable else ("reconcile", "resume"):
            if not self.violations:
                self._live(nursery, server, step, is_last=True)
        if not self.violations:
            self.violations += self._judge_end()

    def _live(self, nursery: Nursery, server: FaultServer, step: Step, *, is_last: bool) -> int:
        """Let one process do a step, or kill it; return how it ended, when what it left has been judged."""
        requests = len(self.case.rows) // self.case.batch_limit
        kind = self.chance.choice(self.kinds)
        death = None if is_last else choose_death(self.chance, kind, seconds=0.012 * requests, requests=requests)
        order = replace(self.order, step=step, fail=death.point if death else None)
        status = live(nursery, order, self.account, death, self.chance)
        if status == KILLED and death is not None:
            self.kills[f"{death.kind}:{death.name}"] += 1
        elif status != 0:
            self.violations.append(f"a client ended with {status} of its own; see the log")
        server.settle()
        self._judge_rest(nursery, status)
        return status

    def _step(self) -> Step:
        """Go on by name, or by the same call with the same journal; before there is a run, only the call will do."""
        ways: tuple[Step, ...] = ("resume", "begin") if self.repeatable else ("resume", "begin", "reconcile")
        return self.chance.choice(ways) if self.rests else "begin"

    def _judge_rest(self, nursery: Nursery, status: int) -> None:
        nursery.start(replace(self.order, step="outcomes", fail=None))
        found = nursery.status()
        if found == 0:
            self._judge_outcomes(killed=status == KILLED)
        elif found != NO_RUN:
            self.violations.append(f"the outcomes of a run cannot be read ({found}); see the log")
        elif self.account.ledger:
            self.violations.append("P9: requests went out, and the journal holds no run")

    def _judge_outcomes(self, *, killed: bool) -> None:
        outcomes, wrong = read_outcomes(Path(self.order.outcomes), self.case)
        self.violations += wrong
        if wrong:
            return
        rest = Rest(outcomes, len(self.account.ledger))
        self.rests.append(rest)
        most = self._most_in_doubt(killed=killed)
        if self.repeatable:
            self.violations += judge_rest(self.case, self.account.ledger, rest, most_in_doubt=most)
        else:
            codes = read_codes(Path(f"{self.order.outcomes}.codes"))
            self.violations += judge_codes(self.case, self.account.ledger, rest, codes, self.campaign)
            self.violations += too_many_in_doubt(self.case, rest, most)

    def _judge_end(self) -> list[str]:
        if self.repeatable:
            return judge_end(self.case, self.account.ledger, self.rests)
        mayhap = unclear(self.campaign, listed=self.order.application_id is not None)
        return judge_codes_end(self.case, self.account.ledger, self.rests, self.campaign, unclear=mayhap)

    def _most_in_doubt(self, *, killed: bool) -> int:
        """Return how many rows were in flight at the last kill, or at all kills where doubt stays until resolved."""
        deaths = int(killed) if self.repeatable else self.kills.total()
        return deaths * max(self.order.connections, RESUME_CONNECTIONS) * self.case.batch_limit

    @property
    def repeatable(self) -> bool:
        """Whether requests of the job may go out twice."""
        return JOBS[self.order.job].repeatable


def make_episode(seed: str, kinds: tuple[str, ...], folder: Path, url: str, *, job: str, wound: str | None) -> Episode:
    """Choose input, batch size, connections and journal mode by the seed."""
    chance = random.Random(seed)
    limit = chance.choice((5, 20, 20, 50, 1000))
    bad = chance.choice((0.0, 0.001, 0.003 if limit == 1000 else 0.01))
    batches = 6 if limit == 1000 else chance.randint(8, 25)
    if JOBS[job].repeatable:
        case = make_case(chance, batch_limit=limit, batches=batches, bad=bad)
    else:
        case = make_advocates(chance, batch_limit=limit, batches=batches)
    pointers = chance.choice(("none", "every", "first", "lying", "outside"))
    account = Account(bad=case.bad, pointers=pointers, wire=JOBS[job].wire)
    campaign = replace(make_campaign(chance, case, account.ledger), troubles=0)
    account.look = campaign.look
    source = folder / chance.choice(("people.csv", "people.csv", "people.parquet"))
    case.write(source)
    order = Order(
        job=job,
        step="begin",
        url=url,
        input=str(source),
        journal=str(folder / "run.sqlite"),
        outcomes=str(folder / "outcomes.csv"),
        connections=chance.choice((1, 4, 8)),
        batch_limit=limit,
        network=chance.random() < 0.3,
        application_id=1 if limit == 1000 else chance.choice((None, 1)),  # 1000 inventories take a while
        wound=wound,
    )
    return Episode(seed, kinds, order, case, account, campaign, chance)


def run_worker(tally: Tally, seeds: Iterator[str], options: argparse.Namespace, home: Path) -> None:
    """Play episodes until there were enough kills, or something is wrong."""
    nursery, ends = Nursery(home / "children.log"), time.monotonic() + 60 * options.minutes
    kinds = KINDS if options.kind == "all" else (options.kind,)
    try:
        while tally.kills.total() < options.kills and not tally.violations and time.monotonic() < ends:
            seed = next(seeds, None)
            if seed is None:
                break
            with tempfile.TemporaryDirectory(prefix="episode-", dir=home) as folder:
                episode = _play(seed, kinds, Path(folder), nursery, options)
                _add(tally, episode)
                if episode.violations:
                    tally.kept.append(str(keep(Path(folder), episode.seed, episode.account.ledger, options.keep)))
    finally:
        nursery.close()


def _play(seed: str, kinds: tuple[str, ...], folder: Path, nursery: Nursery, options: argparse.Namespace) -> Episode:
    server = FaultServer()
    with server:
        episode = make_episode(seed, kinds, folder, server.url, job=options.job, wound=options.broken)
        server.script = (episode.account.act,)
        try:
            episode.play(nursery, server)
        except TimeoutError as error:
            episode.violations.append(str(error))
    return episode


def _add(tally: Tally, episode: Episode) -> None:
    ledger = episode.account.ledger
    doubts = [rest.count("in_doubt") for rest in episode.rests]
    with tally.lock:
        tally.kills.update(episode.kills)
        tally.sums.update(runs=1, rows=len(episode.case.rows), requests=len(ledger))
        tally.sums.update(rows_applied_again=applied_again(ledger), rows_in_doubt_at_kills=sum(doubts))
        tally.sums.update({"kills_network_journal": episode.kills.total() * episode.order.network})
        tally.most_in_doubt = max([tally.most_in_doubt, *doubts])
        tally.violations += [f"seed {episode.seed}: {said}" for said in episode.violations]


def figures(tally: Tally, options: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """Return the one line of figures."""
    kills = tally.kills.total()
    return {
        "harness": "crash",
        "job": options.job,
        "kind": options.kind,
        "seed": options.seed,
        "broken": options.broken,
        "kills": kills,
        **tally.sums,
        "most_in_doubt_at_a_kill": tally.most_in_doubt,
        "kills_a_minute": round(60 * kills / seconds),
        "seconds": round(seconds, 1),
        "violations": len(tally.violations),
        "kept": tally.kept,
        "by_point": dict(sorted(tally.kills.items())) if options.points else len(tally.kills),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return 1 when anything was violated."""
    options = _parser().parse_args(arguments)
    tally, started = Tally(), time.monotonic()
    numbered = (f"{options.seed}-{number}" for number in itertools.count(1))
    seeds = iter([options.only]) if options.only else numbered
    lock = threading.Lock()

    def shared() -> Iterator[str]:
        while True:
            with lock:
                seed = next(seeds, None)
            if seed is None:
                return
            yield seed

    with tempfile.TemporaryDirectory(prefix="t1data-crash-") as home:
        workers = []
        for number in range(options.workers):
            place = Path(home, str(number))
            place.mkdir()
            workers.append(threading.Thread(target=run_worker, args=(tally, shared(), options, place)))
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    again = f"python -m benchmarks.crash --job {options.job} --kind {options.kind} --only {seed_of(tally.violations)}"
    if options.broken:
        again += f" --broken {options.broken}"
    return report(figures(tally, options, time.monotonic() - started), tally.violations, again=again)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--kind", choices=(*KINDS, "all"), default="all")
    parser.add_argument("--job", choices=sorted(JOBS), default="upsert_profiles")
    parser.add_argument("--only", help="one episode, by the name that a violation gives it")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop earlier, after so long")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--broken", choices=sorted(WOUNDS), help="run a broken engine, which must be noticed")
    parser.add_argument("--points", action="store_true", help="list the kills at each point")
    parser.add_argument("--keep", type=Path, help="where a failing episode is kept; a new temporary folder by default")
    return parser


if __name__ == "__main__":
    sys.exit(main())
