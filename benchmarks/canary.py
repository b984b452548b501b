"""Let a key and some persons that nobody has go through everything, and search for them in every byte that is left.

python -m benchmarks.canary

Each scene is a process of its own, whose standard output, errors, logs at DEBUG and files are kept. The key may be
found nowhere; the persons nowhere but in the inputs, in files that were asked for, and in kept answers with codes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.canary_forms import KEY, MANAGEMENT_KEY, PERSONS, sightings
from benchmarks.canary_scenes import BROKEN, SCENES, act, write_inputs
from benchmarks.figures import report

ROOT = Path(__file__).resolve().parents[1]
MEANT = ("inputs", "asked")  # folders of a scene that hold persons because somebody wanted it so


def play(scene: str, home: Path, broken: str | None) -> None:
    """Run a scene in a process of its own; the one that is to be killed is killed as soon as it says so."""
    for folder in (*MEANT, "runs"):
        (home / folder).mkdir(parents=True)
    write_inputs(home / "inputs")
    command = [sys.executable, "-X", "faulthandler", "-m", "benchmarks.canary", "--scene", scene, "--home", str(home)]
    command += ["--broken", broken] if broken else []
    environment = os.environ | {
        "T1DATA_API_KEY": KEY,
        "T1DATA_MANAGEMENT_KEY": MANAGEMENT_KEY,
        "T1DATA_RUNS": str(home / "runs"),
        "IPYTHONDIR": str(home / "ipython"),
        "TMPDIR": str(home / "runs"),
    }
    with (home / "stdout").open("wb") as out, (home / "stderr").open("wb") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT, env=environment)
        while process.poll() is None:
            if (home / "kill me").exists():
                process.send_signal(signal.SIGKILL)
            time.sleep(0.02)
    if process.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"scene {scene} ended with {process.returncode}: {(home / 'stderr').read_text()[-2000:]}")


def search(home: Path) -> Iterator[str]:
    """Say of each file below `home` what it holds and must not."""
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        name, content = path.relative_to(home), path.read_bytes()
        for secret in (KEY, MANAGEMENT_KEY):
            yield from (f"P20: {name} holds a key, {form}" for form in sightings(content, secret))
        if name.parts[1] not in MEANT:
            content = without_answers(path) if path.suffix == ".sqlite" else content
            for number, person in enumerate(PERSONS):
                yield from (f"P21: {name} knows a person ({number}, {form})" for form in sightings(content, person))


def without_answers(journal: Path) -> bytes:
    """Return a journal's bytes as they would be without the answers that it keeps for their codes."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, journal.name)
        for suffix in ("", "-wal"):
            if (beside := journal.with_name(journal.name + suffix)).exists():
                shutil.copy(beside, copy.with_name(copy.name + suffix))
        with closing(sqlite3.connect(copy)) as db:
            db.execute("PRAGMA secure_delete = ON")
            if not db.execute("SELECT count(*) FROM answer").fetchone()[0]:
                return journal.read_bytes()
            db.execute("DELETE FROM answer")
            db.commit()
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return copy.read_bytes()


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; return 1 when anything was found where it must not be."""
    options = _parser().parse_args(arguments)
    if options.scene:
        act(options.scene, options.home, options.broken)
        return 0
    started, home = time.monotonic(), Path(tempfile.mkdtemp(prefix="t1data-canary-"))
    scenes = options.only or list(SCENES)
    for scene in scenes:
        play(scene, home / scene, options.broken)
    found = list(search(home))
    files = [path for path in home.rglob("*") if path.is_file()]
    figures: dict[str, Any] = {
        "harness": "canary",
        "broken": options.broken,
        "scenes": len(scenes),
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "secrets": 2 + len(PERSONS),
        "seconds": round(time.monotonic() - started, 1),
        "violations": len(found),
        "kept": str(home) if found else None,
    }
    if not found:
        shutil.rmtree(home)
    return report(figures, found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.canary", description=__doc__)
    parser.add_argument("--only", action="append", choices=sorted(SCENES), help="one scene; can be said again")
    parser.add_argument("--broken", choices=sorted(BROKEN), help="with something that tells on purpose")
    parser.add_argument("--scene", choices=sorted(SCENES), help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
