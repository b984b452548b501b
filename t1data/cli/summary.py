"""A run in a few lines for people: how many rows, why some failed, where things lie, what to type next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t1data.cli.options import in_flags
from t1data.cli.talk import say, typed
from t1data.words import many

if TYPE_CHECKING:
    from t1data.journal.runs import Run

_MOST_REASONS = 5
_RECONCILED = ("create_referrals",)  # what cannot be sent again, and can be looked for
_OUTCOMES = ("accepted", "invalid", "refused", "unsent", "in_doubt")


@dataclass(frozen=True)
class Reason:
    """Why rows were not accepted, and the first of them."""

    outcome: str
    code: str
    rows: int
    first_row: int
    message: str

    def __str__(self) -> str:
        where = f"{self.rows:,} rows, the first is {self.first_row:,}" if self.rows > 1 else f"row {self.first_row:,}"
        said = in_flags(self.message) or self.code
        return f"{self.outcome.replace('_', ' ')} ({where}): {said}"


def reasons_of(journal: Path) -> list[Reason]:
    """Count why rows were invalid, refused or in doubt, the most frequent first, in bounded memory."""
    rows: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], tuple[int, str]] = {}
    for line in _failed_lines(journal):
        key = (line["outcome"], line["reason"] or "")
        rows[key] += 1
        first.setdefault(key, (line["row"], line["message"] or ""))
    return [Reason(*key, count, *first[key]) for key, count in rows.most_common()]


def _failed_lines(journal: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    from t1data.journal.outcomes import outcome_chunks

    failed = pa.array(["invalid", "refused", "in_doubt"])
    for chunk in outcome_chunks(journal):
        lines = chunk.filter(pc.is_in(chunk["outcome"], failed))
        yield from lines.select(["row", "outcome", "reason", "message"]).to_pylist()


def say_run(run: Run, *, outcomes: str | None = None, go_on: Sequence[str] = (), interrupted: bool = False) -> None:
    """Say what a run did.

    Parameters
    ----------
    run : Run
        It.
    outcomes : str, optional
        Where its outcomes were written.
    go_on : sequence of str
        Options for the line that resumes it.
    interrupted : bool
        Whether a signal stopped it.
    """
    say()
    say(counts_in_words(run))
    reasons = reasons_of(run.journal)
    for reason in reasons[:_MOST_REASONS]:
        say(f"  {reason}")
    if len(reasons) > _MOST_REASONS:
        say(f"  and {many(len(reasons) - _MOST_REASONS, 'reason')} more")
    if run.stopped:
        say(f"Stopped early: {'interrupted' if interrupted else in_flags(run.stopped)}")
    say(f"Run       {run.id}")
    say(f"Journal   {run.journal}")
    if outcomes:
        say(f"Outcomes  {outcomes}")
    for label, line in next_steps(run, outcomes=outcomes, go_on=go_on):
        say(f"{label:<9} {line}")


def counts_in_words(run: Run) -> str:
    """Return the counts that are not zero: ``"3 rows: 2 accepted, 1 invalid"``."""
    parts = [f"{run.counts[name]:,} {name.replace('_', ' ')}" for name in _OUTCOMES if run.counts[name]]
    return f"{many(run.rows, 'row')}: {', '.join(parts) or 'none'}"


def next_steps(run: Run, *, outcomes: str | None = None, go_on: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield what can be done with a run, each with the command to type."""
    name = name_of(run)
    if run.counts["in_doubt"] and run.operation in _RECONCILED:
        yield "Find out", typed("runs", "reconcile", name, *without_live(go_on))
    elif not run.complete:
        yield "Go on", typed("runs", "resume", name, *go_on)
    elif run.counts["accepted"] != run.rows:
        if not outcomes:
            yield "Each row", typed("runs", "outcomes", name, "--to", "outcomes.csv")
        yield "To mend", typed("runs", "failures", name, "--to", "failed.csv")


def without_live(words: Sequence[str]) -> list[str]:
    """Return the options of a connection less that of a live environment, which only writes take."""
    live = words.index("--live") if "--live" in words else len(words)
    return [*words[:live], *words[live + 2 :]]


def name_of(run: Run) -> str:
    """Return how the commands find a run: by its id where journals usually lie, else by its file."""
    from t1data.journal.names import runs_folder

    usual = run.journal.name == f"{run.id}.sqlite" and run.journal.parent.absolute() == runs_folder().absolute()
    return run.id if usual else str(run.journal)
