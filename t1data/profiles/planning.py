"""What an upsert would do, found by preparing every row and sending none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from t1data.bulk.batches import Batch, EncodedRows
from t1data.bulk.cutting import cut
from t1data.client import Client
from t1data.profiles.plan import UpsertPlan
from t1data.profiles.prepare import Part, Prepared
from t1data.profiles.send import job_of
from t1data.tables.labels import problem_frame
from t1data.tables.layout import Layout
from t1data.tables.problems import Problem
from t1data.tables.twins import find_twins

if TYPE_CHECKING:
    import pandas as pd

READING = ("delimiter", "encoding", "sheet")  # how a file was read, told in the plan
MOST_PROBLEMS = 100_000  # kept in a frame for people; the journal has a line for every row


def make_plan(client: Client, prepared: Prepared) -> UpsertPlan:
    """Return the plan of a prepared input."""
    job = job_of(client, prepared.options, 1)
    cleared: dict[str, int] = {}
    problems: list[Problem] = []
    bad_rows: set[int] = set()

    def rows() -> Iterator[EncodedRows]:
        for part in prepared.parts():
            for name, count in part.cleared.items():
                cleared[name] = cleared.get(name, 0) + count
            problems.extend(part.problems[: MOST_PROBLEMS - len(problems)])
            bad_rows.update(problem.row for problem in part.problems)
            yield part.rows

    batches = [len(b) for b in cut(rows(), limit=job.batch_limit, max_bytes=job.max_bytes) if isinstance(b, Batch)]
    ready, same = sum(batches), sum(duplicate.same for duplicate in prepared.duplicates.values())
    layout, source = prepared.layout, prepared.source
    return UpsertPlan(
        source=source.name,
        base_url=client.base_url,
        rows=prepared.survey.rows,
        ready=ready,
        invalid=len(bad_rows),
        collapsed=same,
        blank_lines=prepared.survey.blank_lines,
        requests=len(batches),
        seconds=len(batches) / client.rate if client.rate else None,
        id_column=layout.id_column,
        columns=_column_frame(layout, cleared),
        constants=layout.constants,
        problems=problem_frame(problems, source.labels),
        reading={name: read for name in READING if (read := getattr(source, name))},
        catalogue_checked=prepared.catalogue_checked,
        twins=find_twins(source, layout.id_column),
        notes=source.notes,
        suspicions=tuple(suspect.message for suspect in prepared.survey.suspects),
    )


def _column_frame(layout: Layout, cleared: Mapping[str, int]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        [(c.name, c.attribute, c.type, c.missing, c.default, cleared.get(c.attribute, 0)) for c in layout.columns],
        columns=["column", "attribute", "type", "missing", "default", "cleared"],
    )


def problems_of(parts: Iterator[Part]) -> list[Problem]:
    """Return the first problems of an input."""
    found: list[Problem] = []
    for part in parts:
        found += part.problems[: MOST_PROBLEMS - len(found)]
    return found
