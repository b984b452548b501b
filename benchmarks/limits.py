"""How much of the server's own limit an upsert reaches, start and tail included, beside a client with ready bodies.

    python -m benchmarks.limits --case rate
    python -m benchmarks.limits --case 100ms --seconds 20

`rate`: the server takes 60 requests a second (a bucket of 6; 429 beyond it) at 50 ms each, and the client keeps to that
pace as its user would say it, `rate=60`. `100ms` and `50ms`: it serves 16 requests at a time, each for so long. `ready`
is a client that only sends bodies which were made before: what it does not reach, the machine is too busy for, or the
last answer is waited for. `undurable` is t1data with a journal that waits for no disk. The share of the limit is told
for each; of the journal, how much longer the run takes for its waiting, and its CPU, both as shares of the wall time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, wraps
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.first import warm_up
from benchmarks.pairs import Figures, Side, compare, fresh, spend, tell
from benchmarks.people import SEED, write
from benchmarks.sink import ROW, Sink
from benchmarks.upsert_sides import KEY

BATCH = 1000
MOST_IN_JOURNAL = 0.03
PATH = "/v2/customer_profiles?silent=yes"
HEADERS = {"Authorization": f"ApiKey-v1 {KEY}", "Content-Type": "application/json"}


@dataclass(frozen=True)
class Case:
    """A server with a limit, and the client that its user would make for it.

    Attributes
    ----------
    latency, in_service, rate :
        Of the `Sink`.
    connections : int
        Of the client; some more than are served at once.
    goal : float
        Share of the limit that is to be reached.
    """

    latency: float
    in_service: int
    rate: float
    connections: int
    goal: float

    @property
    def limit(self) -> float:
        """Requests a second that the server serves at most."""
        return self.rate or self.in_service / self.latency


CASES = {
    "rate": Case(0.05, 0, 60, 8, 0.99),
    "100ms": Case(0.1, 16, 0, 20, 0.95),
    "50ms": Case(0.05, 16, 0, 20, 0.90),
}


# --- the two clients, each in a process of its own -----------------------------------------------------


class Clock:
    """CPU seconds of all threads inside the public methods of a class."""

    def __init__(self, watched: type) -> None:
        self.seconds = 0.0
        self._mine = threading.local()
        self._lock = threading.Lock()
        for name, method in list(vars(watched).items()):
            if callable(method) and not name.startswith("_"):
                setattr(watched, name, self._timed(method))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._mine, "inside", False):
                return method(*args, **kwargs)
            self._mine.inside, before = True, time.thread_time()
            try:
                return method(*args, **kwargs)
            finally:
                self._mine.inside = False
                with self._lock:
                    self.seconds += time.thread_time() - before

        return timed


def t1data(case: Case, path: Path, base_url: str) -> None:
    """Upsert with everything on, at the pace that the server allows."""
    import t1data as t1
    from t1data.journal.store import Journal

    warm_up(path.parent)
    clock, client = Clock(Journal), t1.Client(base_url, KEY, rate=case.rate or None)

    def work() -> Figures:
        journal = path.with_suffix(".sqlite")
        run = t1.upsert_profiles(client, path, journal=journal, connections=case.connections, progress=False)
        return {"rows": run.counts["accepted"]}

    spend(lambda: {**work(), "journal": clock.seconds})


def undurable(case: Case, path: Path, base_url: str) -> None:
    """Upsert with a journal whose steps are not waited for until they are on the disk."""
    from t1data.bulk import run

    run.Journal = partial(run.Journal, durable=False)
    t1data(case, path, base_url)


def ready(case: Case, path: Path, base_url: str) -> None:
    """Send ready bodies through as many connections, evenly spaced where there is a rate."""
    import pyarrow.parquet as pq

    from t1data.transport.pace import Pacer, wait_for

    requests = pq.read_metadata(path).num_rows // BATCH
    bodies = islice(cycle(list(islice(_bodies(path), 20))), requests)
    pacer = Pacer(case.rate or None)

    def work() -> None:
        connection = HTTPConnection(base_url.removeprefix("http://"))
        for body in bodies:
            pacer.pause(None, wait_for)
            connection.request("PUT", PATH, body=body, headers=HEADERS)
            connection.getresponse().read()

    def run() -> Figures:
        threads = [threading.Thread(target=work) for _ in range(case.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"rows": requests * BATCH}

    spend(run)


def _bodies(path: Path) -> Iterator[bytes]:
    """Yield the first bodies of a file, as t1data makes them."""
    from t1data.bulk.batches import Batch
    from t1data.bulk.cutting import cut
    from t1data.profiles.prepare import Options, prepare

    rows = (part.rows for part in prepare(path, Options()).parts())
    for batch in cut(rows, limit=BATCH, max_bytes=4_000_000):
        if isinstance(batch, Batch):
            yield batch.body(b'{"customerProfiles":[', b"]}")


SIDES = {"t1data": t1data, "undurable": undurable, "ready": ready}


# --- the comparison ------------------------------------------------------------------------------------


def run(name: str, case_name: str, path: Path) -> Figures:
    """Run one client once, in front of a sink of its own, and return its share of the limit."""
    path.with_suffix(".sqlite").unlink(missing_ok=True)
    case = CASES[case_name]
    with Sink(latency=case.latency, in_service=case.in_service, rate=case.rate, count=ROW) as sink:
        command = [sys.executable, "-m", "benchmarks.limits", "--side", name, case_name, str(path), sink.base_url]
        figures = fresh(command)
        seen = sink.seen()
    if seen.rows != figures["rows"]:
        raise SystemExit(f"{name}: {figures['rows']} rows were accepted, {seen.rows} came")
    within = seen.requests / (seen.last - seen.first) / case.limit
    share = seen.requests / figures["wall"] / case.limit
    return {**figures, "share": share, "within": within, "too_many": seen.too_many}


def measured(case_name: str, seconds: float, pairs: int, folder: Path) -> Figures:
    """Compare the two clients."""
    case = CASES[case_name]
    path = write(folder / "people.parquet", round(case.limit * seconds) * BATCH)
    sides = [Side(name, lambda name=name: run(name, case_name, path)) for name in SIDES]
    found = compare(sides, pairs=pairs)
    shares = {name: _spread([figures["share"] for figures in runs]) for name, runs in found.items()}
    beside = [mine["share"] / best["share"] for mine, best in zip(found["t1data"], found["ready"], strict=True)]
    journal = _journal(found)
    return {
        "limit": f"{case.limit:g} requests/s",
        "share": shares,
        "between_first_and_last": _spread([figures["within"] for figures in found["t1data"]]),
        "beside_ready": _spread(beside),
        "goal": case.goal,
        "reached": statistics.median(beside) >= case.goal,
        "answers_429": sum(figures["too_many"] for figures in found["t1data"]),
        "journal": journal
        | ({"at_most": MOST_IN_JOURNAL, "reached": max(0, journal["longer"]) + journal["cpu"] <= MOST_IN_JOURNAL}),
    }


def _journal(found: dict[str, list[Figures]]) -> dict[str, float]:
    """Return what the journal adds to the run, as shares of the wall time: by waiting for the disk, and by CPU."""
    longer = [1 - free["wall"] / mine["wall"] for mine, free in zip(found["t1data"], found["undurable"], strict=True)]
    cpu = [figures["journal"] / figures["wall"] for figures in found["t1data"]]
    return {"longer": round(statistics.median(longer), 4), "cpu": round(statistics.median(cpu), 4)}


def _spread(values: list[float]) -> Figures:
    middle = statistics.median(values)
    return {"median": round(middle, 4), "least": round(min(values), 4), "most": round(max(values), 4)}


def main(arguments: list[str] | None = None) -> int:
    """Measure from the command line."""
    options = _parser().parse_args(arguments)
    if options.side:
        name, case, path, base_url = options.side
        SIDES[name](CASES[case], Path(path), base_url)
        return 0
    with tempfile.TemporaryDirectory(prefix="t1data-limits-") as folder:
        figures = measured(options.case, options.seconds, options.pairs, Path(folder))
    what = {"case": options.case, "seconds": options.seconds, "seed": SEED, "pairs": options.pairs}
    return tell("limits", {**what, **figures})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.limits", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES, default="rate")
    parser.add_argument("--seconds", type=float, default=15, help="at the limit; the rows are as many as that takes")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--side", nargs=4, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
