"""What the canaries go through: runs that are killed, refused, cut off; the command line; a notebook; tracebacks."""

from __future__ import annotations

import csv
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.account import PROFILES, REFERRALS, Account, Exchange, Treatment, Wire, honest
from benchmarks.campaign import Campaign
from benchmarks.canary_forms import EMAILS, IDS, NAMES
from benchmarks.mixes import IMPATIENT, KINDS
from benchmarks.mixes_codes import CODE_KINDS
from tests.fault_server import FaultServer, answer

log = logging.getLogger("scene")


def write_inputs(folder: Path) -> None:
    """Write the persons as files: as they are, and with some that cannot be sent."""
    rows = list(zip(IDS, NAMES, EMAILS, range(6), strict=True))
    for name, more in (
        ("people.csv", []),
        ("damaged.csv", [("shown by a check ", NAMES[0], EMAILS[0], "x"), (IDS[1], NAMES[2], "", "7")]),
    ):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("integration_id", "Name", "Email", "Points"), *rows, *more])
    (folder / "torn.csv").write_text(f'integration_id,Name\n{IDS[0]},"{NAMES[0]}\n', encoding="utf-8")


def act(scene: str, home: Path, broken: str | None) -> None:
    """Play a scene in this process, with all that is logged on standard error."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    with BROKEN[broken]() if broken else nullcontext():
        SCENES[scene](home)


# --- servers ------------------------------------------------------------------------------------------------


ATTRIBUTES = [
    {"entity": "CustomerProfile", "name": name, "title": name, "type": kind, "editable": True}
    for name, kind in (("Name", "string"), ("Email", "string"), ("Points", "number"))
]
ABOUT_ROWS = (400, 401, 403, 404, 409, 422, 429, 500, 503)  # answers that repeat what came


def tells_all(status: int) -> Treatment:
    """Refuse with an answer that repeats what came: the key, and ids, names and whole rows where it is about rows."""

    def treat(exchange: Exchange) -> bool:
        exchange.read()
        entry = exchange.caller.entry
        rows = entry.body.decode() if status in ABOUT_ROWS else ""
        said = f"{entry.header('Authorization')} {rows}"
        errors = [{"title": said, "details": f"{id_}: {values}"} for id_, values in exchange.receipt.profiles if rows]
        exchange.turn_away(status, {"message": said, "errors": errors}, {"X-Seen": entry.header("Authorization")[0]})
        return True

    return treat


@contextmanager
def serving(treatment: Callable[[int], Treatment], wire: Wire) -> Iterator[FaultServer]:
    """Serve an account in which a treatment by number decides; what is read is answered well."""
    account = Account(treat=lambda number: ("", treatment(number)), wire=wire)
    campaign = Campaign(account.ledger)
    catalogue = answer(200, {"data": ATTRIBUTES, "hasMore": False})
    account.look = lambda caller: (catalogue if "attributes" in caller.entry.target else campaign.look)(caller)
    with FaultServer(account.act) as server:
        yield server


# --- scenes -------------------------------------------------------------------------------------------------


def _client(url: str, **more: Any) -> Any:
    import t1data as t1

    return t1.Client(url, os.environ["T1DATA_API_KEY"], rate=None, limits=IMPATIENT, **more)


def _tell(error: BaseException) -> None:
    """Print an error in all the ways in which a report may show it, with the package's own locals."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in told.stack if f"{os.sep}t1data{os.sep}" in frame.filename]
    print("".join(traceback.StackSummary.from_list(ours).format()), repr(error), vars(error), file=sys.stderr)
    log.error("it failed", exc_info=error)


def faults(home: Path) -> None:
    """Send, go on, reconcile through every kind of fault; show each run, each error and its locals."""
    import t1data as t1

    people = home / "inputs" / "people.csv"
    jobs: tuple[tuple[Any, Wire, dict[str, Any]], ...] = (
        (t1.upsert_profiles, PROFILES, KINDS),
        (lambda *args, **named: t1.create_referrals(*args, campaign_id=45, **named), REFERRALS, CODE_KINDS),
    )
    for job, wire, kinds in jobs:
        treatments = {name: kind(_Chance()) for name, kind in kinds.items()}
        treatments |= {str(status): tells_all(status) for status in (400, 401, 403, 404, 409, 422, 429, 500, 503)}
        for name, treatment in treatments.items():
            data = people if wire is PROFILES else _advocates(people)
            with serving(lambda number, first=treatment: first if number < 3 else honest, wire) as server:
                _one_run(job, _client(server.url), data, home, f"{wire is PROFILES}-{name}")


def _one_run(job: Any, client: Any, data: Any, home: Path, name: str) -> None:
    import t1data as t1

    journal = home / "runs" / f"{name}.sqlite"
    for step in (
        lambda: job(client, data, journal=journal, progress=False),
        lambda: t1.reconcile(client, journal, data=data),
        lambda: t1.resume(client, journal, data=data, progress=False),
    ):
        try:
            run = step()
            print(run, run._repr_html_(), run.stopped, run.counts, run.batches.to_string())
            run.write_outcomes(home / "asked" / f"{name}.csv", overwrite=True)
            run.raise_for_failures()
        except t1.errors.T1DataError as error:
            _tell(error)


def _advocates(people: Path) -> list[str]:
    with people.open(encoding="utf-8") as file:
        return [line["integration_id"] for line in csv.DictReader(file)]


class _Chance:
    """Always the first choice, and a middling number."""

    def choice(self, found: Any) -> Any:
        return found[0]

    def random(self) -> float:
        return 0.4


def killed(home: Path) -> None:
    """Send, and be killed while requests are out."""
    import t1data as t1

    def waits(exchange: Exchange) -> bool:
        exchange.read()
        (home / "kill me").touch()
        exchange.caller.closing.wait()
        return False

    with serving(lambda number: waits, PROFILES) as server:
        t1.upsert_profiles(_client(server.url), home / "inputs" / "people.csv", journal=home / "runs" / "killed.sqlite")


def shell(home: Path) -> None:
    """Type the commands that people type, with --debug."""
    from t1data.cli import run

    people, damaged, torn = (str(home / "inputs" / name) for name in ("people.csv", "damaged.csv", "torn.csv"))
    asked, journal = home / "asked", str(home / "runs" / "shell.sqlite")
    codes = str(home / "runs" / "codes.sqlite")
    with (
        serving(lambda number: tells_all(400) if number < 20 else honest, PROFILES) as first,
        serving(lambda number: CODE_KINDS["codes_cut"](_Chance()) if number < 2 else honest, REFERRALS) as second,
    ):
        os.environ["T1DATA_BASE_URL"] = first.url
        create = ["referrals", "create", people, "--campaign-id", "45", "--journal", codes, "--base-url", second.url]
        for words in (
            ["profiles", "check", damaged],
            ["profiles", "plan", damaged],
            ["profiles", "upsert", torn],
            ["profiles", "upsert", people, "--journal", journal],
            ["profiles", "upsert", people, "--journal", journal, "--no-such-option"],
            ["runs", "list"],
            ["runs", "show", journal],
            ["runs", "failures", journal],
            ["runs", "failures", journal, "--json"],
            ["runs", "failures", journal, "--to", str(asked / "failed.csv")],
            ["runs", "outcomes", journal, "--to", str(asked / "outcomes.csv")],
            ["runs", "resume", journal],
            create,
            ["runs", "show", codes],
            ["runs", "raw", codes, "--to", str(asked / "raw")],
            ["runs", "reconcile", codes, "--base-url", second.url],
            ["runs", "resume", codes, "--base-url", second.url],
            ["profiles", "upsert", people, "--base-url", "http://127.0.0.1:9"],
        ):
            print("$", *(Path(word).name for word in words), "->", run(["--debug", *words]))


def notebook(home: Path) -> None:
    """Execute a notebook that plans, sends, fails and shows it all, and save it with its output and widgets."""
    import nbclient
    import nbformat

    with serving(lambda number: tells_all(400) if number < 20 else honest, PROFILES) as server:
        cells = [
            "%xmode Verbose",
            "import os, logging, t1data as t1\nlogging.basicConfig(level=logging.DEBUG)",
            f"client = t1.Client.from_env(dict(os.environ, T1DATA_BASE_URL={server.url!r}), rate=None)\nclient",
            f"people = {str(home / 'inputs' / 'people.csv')!r}\nplan = t1.plan_upsert(client, people)\nplan",
            "print(plan)",
            "run = t1.upsert_profiles(client, people)\nrun",
            "print(run, client.management, vars(client))",
            "run.raise_for_failures()",
            "client.get_customer_inventory('..')",
        ]
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        nbclient.NotebookClient(book, timeout=60, allow_errors=True, store_widget_state=True).execute()
    nbformat.write(book, home / "notebook.ipynb")


SCENES: dict[str, Callable[[Path], None]] = {"faults": faults, "killed": killed, "shell": shell, "notebook": notebook}


# --- negative controls --------------------------------------------------------------------------------------


@contextmanager
def key_in_log() -> Iterator[None]:
    """Log the header of each request, as debugging code likes to."""
    from t1data.transport.lines import Line

    exchange = Line.exchange

    def logged(self: Any, request: Any, authorisation: Any, **more: Any) -> Any:
        logging.getLogger("sender").debug("sending with %r", authorisation())
        return exchange(self, request, authorisation, **more)

    with patch.object(Line, "exchange", logged):
        yield


@contextmanager
def words_as_they_came() -> Iterator[None]:
    """Write the server's words into the journal without masking the rows' values."""
    from t1data.bulk import delivery

    with patch.object(delivery, "said_of_rows", lambda error, *_: (None, json.loads(error.body)["message"])):
        yield


@contextmanager
def rows_in_a_cache() -> Iterator[None]:
    """Keep a person's row beside the journal, as a cache would."""
    from t1data.journal.store import Journal

    begin = Journal.begin

    def copying(self: Any, *args: Any, **more: Any) -> Any:
        with suppress(FileExistsError):
            (self.path.parent / "cache.bin").write_bytes(EMAILS[3].encode("utf-16-le"))
        return begin(self, *args, **more)

    with patch.object(Journal, "begin", copying):
        yield


BROKEN: dict[str, Callable[[], Any]] = {
    "key-in-log": key_in_log,
    "words-as-they-came": words_as_they_came,
    "rows-in-a-cache": rows_in_a_cache,
}
