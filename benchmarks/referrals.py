"""A thousand codes in an answer: to a frame of codes by t1data, and by the models of the official SDK.

    python -m benchmarks.referrals
    python -m benchmarks.referrals --answers 2 --pairs 1

Both read the same answers, each code about 0.4 KB, from a file. t1data matches every code with its advocate, as it does
for the codes of a run. The figures are of one code, imports not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import sysconfig
import tempfile
from pathlib import Path

from benchmarks.pairs import Goal, Side, compare, fresh, spend, summary, tell
from benchmarks.stock import integration_id, referral

SEED = 1
CODES = 1000  # in an answer
GOALS = [Goal("sdk", "t1data", at_least=10)]


def t1data(path: Path) -> None:
    """Match codes with advocates and make the frame."""
    import pandas as pd  # noqa: F401 - so that it is not loaded in what is measured

    from t1data.bulk.cells import to_frame
    from t1data.referrals.codes import held_by, table_of

    bodies = path.read_bytes().splitlines()
    advocates = {number: integration_id(number) for number in range(CODES * len(bodies))}

    def work() -> None:
        parts = [range(start, start + CODES) for start in range(0, len(advocates), CODES)]
        found = enumerate(held_by(rows, body, advocates) for rows, body in zip(parts, bodies, strict=True))
        assert to_frame(table_of(found))["code"].notna().sum() == len(advocates)

    spend(work)


def sdk(path: Path) -> None:
    """Read the models and make a frame of them."""
    sys.path.append(os.environ["T1DATA_PACKAGES"])  # for pandas; what the SDK needs comes first
    import pandas as pd
    import talon_one

    bodies = path.read_text().splitlines()
    model = talon_one.CreateReferralsForMultipleAdvocates201Response

    def work() -> None:
        pd.DataFrame([code.to_dict() for body in bodies for code in model.from_json(body).data])

    spend(work)


def main(arguments: list[str] | None = None) -> int:
    """Compare from the command line."""
    from tests.sdk.environment import python_with

    as_it_is = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m benchmarks.referrals", description=__doc__, formatter_class=as_it_is)
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="t1data-referrals-") as folder:
        path, amount = Path(folder) / "answers.ndjson", options.answers * CODES
        path.write_text("".join(f"{json.dumps(answer)}\n" for answer in _answers(options.answers)))
        pythons = {"t1data": sys.executable, "sdk": str(python_with("new"))}
        sides = [Side(name, lambda name=name: _run(pythons[name], name, path), amount) for name in pythons]
        found = compare(sides, pairs=options.pairs)
    return tell("referrals", {"codes": amount, "seed": SEED, **summary(found, GOALS)})


def _answers(count: int) -> list[dict[str, object]]:
    chance = random.Random(SEED)
    made = [referral(number, integration_id(number), chance) for number in range(count * CODES)]
    return [{"totalResultSize": CODES, "data": made[start : start + CODES]} for start in range(0, count * CODES, CODES)]


def _run(python: str, name: str, path: Path) -> dict[str, object]:
    command = [python, "-m", "benchmarks.referrals", "--side", name, str(path)]
    return fresh(command, env={"T1DATA_PACKAGES": sysconfig.get_path("purelib")})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        {"t1data": t1data, "sdk": sdk}[sys.argv[2]](Path(sys.argv[3]))
    else:
        sys.exit(main())
