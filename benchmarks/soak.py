"""Send a file of many rows, kill the sender half-way, go on; watch memory, the journal's size and the way back.

python -m benchmarks.soak --rows 10000000

Client and server are two processes. The server reads bodies and throws them away; the client's memory is looked at in
each hundredth of the rows, and its slope is taken after the first fifth of each process.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.account import message
from benchmarks.children import kill
from benchmarks.figures import report
from benchmarks.jobs import KEY
from tests.fault_server import Caller, FaultServer

ROOT = Path(__file__).resolve().parents[1]
BATCH, PART = 1000, 100_000
MOST_MEMORY, STEEPEST = 300.0, 1.0  # MB; MB a million rows
MOST_JOURNAL, LATEST = 5e6, 30.0  # bytes; seconds until the first row of a resume is accepted


@dataclass
class Watch:
    """What is seen of one client process."""

    pid: int = 0
    started: float = 0.0
    first: float = 0.0
    requests: int = 0
    kill_at: int | None = None
    every: int = 1
    memory: list[tuple[int, float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def act(self, caller: Caller) -> bool:
        """Read a request, look at its sender, answer that it is done."""
        caller.read_body()
        with self.lock:
            self.first = self.first or time.monotonic()
            self.requests += 1
            if self.requests % self.every == 0:
                self.memory.append((self.requests * BATCH, resident(self.pid)))
            if self.requests == self.kill_at:
                kill(self.pid)
        caller.send(message(204))
        return True

    @property
    def slope(self) -> float:
        """MB a million rows, from the samples after the first fifth."""
        rows, memory = np.array(self.memory[len(self.memory) // 5 :]).T
        return float(np.polyfit(rows / 1e6, memory, 1)[0])


def resident(pid: int) -> float:
    """Return the memory of a process that is in RAM and its own, in MB."""
    try:
        pages, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[1:3])
    except (OSError, ValueError):
        return 0.0
    return (pages - shared) * 4096 / 1e6


def write_input(path: Path, rows: int) -> None:
    """Write people with an id and three attributes, in bounded memory."""
    schema = pa.schema([("integration_id", pa.string()), ("Name", pa.string()), ("Points", pa.int64())])
    with pq.ParquetWriter(path, schema) as out:
        for start in range(0, rows, PART):
            numbers = range(start, min(rows, start + PART))
            columns = [[f"customer-{n:09d}" for n in numbers], [f"Customer {n % 9973}" for n in numbers], list(numbers)]
            out.write_table(pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema))


def live(server: FaultServer, watch: Watch, step: str, folder: Path) -> int:
    """Run one client process to its end; return its status."""
    command = [sys.executable, "-m", "benchmarks.soak", "--step", step, "--url", server.url, "--home", str(folder)]
    watch.started = time.monotonic()
    server.script = (watch.act,)
    with subprocess.Popen(command, cwd=ROOT) as process:
        watch.pid = process.pid
        return process.wait()


def client(step: str, url: str, folder: Path) -> None:
    """Be the client: begin, or go on."""
    import t1data as t1

    with t1.Client(url, KEY, rate=None) as sender:
        if step == "begin":
            t1.upsert_profiles(sender, folder / "people.parquet", journal=folder / "run.sqlite", progress=False)
        else:
            run = t1.resume(sender, folder / "run.sqlite", progress=False)
            if run.counts["accepted"] != run.rows:
                raise SystemExit(f"{run!r}")


def soak(rows: int, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Send, kill in the middle, go on; return figures and what was violated."""
    write_input(folder / "people.parquet", rows)
    requests = rows // BATCH
    first, second = (Watch(every=max(1, requests // 100)) for _ in range(2))
    first.kill_at = requests // 2
    with FaultServer() as server:
        statuses = [live(server, first, "begin", folder), live(server, second, "resume", folder)]
    took = time.monotonic() - first.started
    figures = {
        "rows": rows,
        "requests": first.requests + second.requests,
        "rows_a_second": round(rows / took),
        "most_memory_mb": round(max(memory for watch in (first, second) for _, memory in watch.memory), 1),
        "slope_mb_a_million_rows": [round(watch.slope, 2) for watch in (first, second)],
        "journal_bytes": (folder / "run.sqlite").stat().st_size,
        "resume_first_request_s": round(second.first - second.started, 1),
    }
    return figures, _violations(figures, statuses)


def _violations(figures: dict[str, Any], statuses: list[int]) -> list[str]:
    limits = (
        (statuses != [-9, 0], f"the processes ended with {statuses}"),
        (figures["requests"] * BATCH < figures["rows"], "P5: fewer requests came than rows need"),
        (figures["most_memory_mb"] > MOST_MEMORY, "X13: too much memory"),
        (max(figures["slope_mb_a_million_rows"]) > STEEPEST and figures["rows"] >= 1_000_000, "X13: memory grows"),
        (figures["journal_bytes"] > MOST_JOURNAL, "the journal is too large"),
        (figures["resume_first_request_s"] > LATEST, "the way back takes too long"),
    )
    return [said for violated, said in limits if violated]


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return 1 when a limit was passed."""
    options = _parser().parse_args(arguments)
    if options.step:
        client(options.step, options.url, options.home)
        return 0
    with tempfile.TemporaryDirectory(prefix="t1data-soak-") as folder:
        figures, wrong = soak(options.rows, Path(folder))
    return report({"harness": "soak", **figures, "violations": len(wrong)}, wrong)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--step", choices=("begin", "resume"), help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
