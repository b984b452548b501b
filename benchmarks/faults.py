"""Mix faults by seed, let a run go through them, and hold the outcome of every row against the server's ledger.

python -m benchmarks.faults --seeds 300 --seed 1

A run that stops is gone on with, as its user would, until the faults have run out. All waits are real but tiny.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.account import Account
from benchmarks.cases import Case, make_case
from benchmarks.codes import CodesTrial, make_codes_trial
from benchmarks.figures import keep, report, seed_of
from benchmarks.jobs import JOBS, Order, set_up, work
from benchmarks.judge import Rest, applied_again, judge_end, judge_manners, judge_rest, read_outcomes
from benchmarks.mixes import IMPATIENT, Mix, make_mix
from benchmarks.wounds import WOUNDS
from tests.fault_server import FaultServer

IDLE = 4  # runs in a row that send nothing and settle nothing: more will not help


@dataclass
class Seen:
    """What has been seen, in one mix or in many."""

    sums: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def add(self, other: Seen) -> None:
        """Add what was seen in another mix."""
        self.sums.update(other.sums)
        self.kinds.update(other.kinds)
        self.violations += other.violations
        self.kept += other.kept


@dataclass
class Trial:
    """One input on its way through one mix of faults."""

    order: Order
    case: Case
    mix: Mix
    account: Account
    rests: list[Rest] = field(default_factory=list)

    def play(self) -> list[str]:
        """Run, and go on until everything is settled; return what was violated."""
        idle = 0
        while idle < IDLE:
            before = len(self.account.ledger)
            self.account.life += 1
            work(replace(self.order, step="begin" if self.account.life % 2 else "resume"), limits=IMPATIENT)
            if wrong := self._judge_rest():
                return wrong
            if not {"unsent", "in_doubt"}.intersection(self.rests[-1].outcomes):
                break
            idle = idle + 1 if len(self.account.ledger) == before else 0
        wrong = judge_end(self.case, self.account.ledger, self.rests, patient=False)
        return wrong + judge_manners(self.account.ledger, connections=self.order.connections)

    def _judge_rest(self) -> list[str]:
        work(replace(self.order, step="outcomes"))
        outcomes, wrong = read_outcomes(Path(self.order.outcomes), self.case)
        if wrong:
            return wrong
        rest = Rest(outcomes, len(self.account.ledger))
        self.rests.append(rest)
        return judge_rest(self.case, self.account.ledger, rest, most_in_doubt=len(self.case.rows))


def make_trial(seed: str, folder: Path, url: str) -> Trial:
    """Choose input, batches, connections and faults by the seed."""
    chance = random.Random(seed)
    limit = chance.choice((1, 5, 20))
    requests = chance.randint(20, 60) if chance.random() < 0.9 else 200
    case = make_case(chance, batch_limit=limit, batches=requests, bad=chance.choice((0.0, 0.01, 0.03)))
    mix = make_mix(chance, requests)
    pointers = chance.choice(("none", "every", "first", "lying", "outside"))
    source = folder / chance.choice(("people.csv", "people.parquet"))
    case.write(source)
    order = Order(
        job="upsert_profiles",
        step="begin",
        url=url,
        input=str(source),
        journal=str(folder / "run.sqlite"),
        outcomes=str(folder / "outcomes.csv"),
        connections=chance.choice((1, 4, 8)),
        batch_limit=limit,
    )
    return Trial(order, case, mix, Account(treat=mix.treat, bad=case.bad, pointers=pointers))


def _trial(job: str, seed: str, folder: Path, url: str) -> Trial | CodesTrial:
    return (make_trial if JOBS[job].repeatable else make_codes_trial)(seed, folder, url)


def run_seed(seed: str, options: argparse.Namespace) -> Seen:
    """Play one mix and return what was seen."""
    with tempfile.TemporaryDirectory(prefix="t1data-mix-") as folder:
        server = FaultServer()
        with server, WOUNDS[options.broken]() if options.broken else nullcontext():
            trial = _trial(options.job, seed, Path(folder), server.url)
            server.script = (trial.account.act,)
            with set_up(trial.order):
                wrong = trial.play()
        ledger = trial.account.ledger
        sums = Counter(mixes=1, rows=len(trial.case.rows), requests=len(ledger), runs=len(trial.rests))
        sums["rows_applied_again"] = applied_again(ledger)
        if isinstance(trial, CodesTrial):
            sums["reads"] = trial.campaign.reads
        kinds = Counter(receipt.kind for receipt in ledger)
        kept = [str(keep(Path(folder), seed, ledger, options.keep))] if wrong else []
        return Seen(sums, kinds, [f"seed {seed}: {said}" for said in wrong], kept)


def run_seeds(options: argparse.Namespace) -> Seen:
    """Play all mixes, several processes at a time since most of a mix is waiting, up to the first violation."""
    seen, ends = Seen(), time.monotonic() + 60 * options.minutes
    seeds = [options.only] if options.only else [f"{options.seed}-{n}" for n in range(1, options.seeds + 1)]
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        playing = [pool.submit(run_seed, seed, options) for seed in seeds]
        for done in as_completed(playing):
            seen.add(done.result())
            if seen.violations or time.monotonic() > ends:
                pool.shutdown(cancel_futures=True)
                break
    return seen


def figures(seen: Seen, options: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """Return the one line of figures."""
    return {
        "harness": "faults",
        "job": options.job,
        "seed": options.seed,
        "broken": options.broken,
        **seen.sums,
        "faults": sum(count for kind, count in seen.kinds.items() if kind != "honest"),
        "kinds": len(seen.kinds) - ("honest" in seen.kinds),
        "mixes_a_minute": round(60 * seen.sums["mixes"] / seconds),
        "seconds": round(seconds, 1),
        "violations": len(seen.violations),
        "kept": seen.kept,
        **({"by_kind": dict(sorted(seen.kinds.items()))} if options.kinds else {}),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return 1 when anything was violated."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    seen = run_seeds(options)
    again = f"python -m benchmarks.faults --job {options.job} --only {seed_of(seen.violations)}"
    if options.broken:
        again += f" --broken {options.broken}"
    return report(figures(seen, options, time.monotonic() - started), seen.violations, again=again)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--job", choices=sorted(JOBS), default="upsert_profiles")
    parser.add_argument("--only", help="one mix, by the name that a violation gives it")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop earlier, after so long")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--broken", choices=sorted(WOUNDS), help="run a broken engine, which must be noticed")
    parser.add_argument("--kinds", action="store_true", help="list the faults of each kind")
    parser.add_argument("--keep", type=Path, help="where a failing mix is kept; a new temporary folder by default")
    return parser


if __name__ == "__main__":
    sys.exit(main())
