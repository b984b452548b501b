"""A run as people see it: five counts, one outcome a row, the batches; read from the journal at any time."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from t1data.errors import InputError, RunFailed
from t1data.journal.answers import answers_by_batch
from t1data.journal.columns import Columns, read_columns
from t1data.journal.files import write_failed_rows, write_outcomes
from t1data.journal.outcomes import SCHEMA, Input, count_outcomes, head_of, outcome_chunks
from t1data.journal.place import held_by
from t1data.journal.reads import reading
from t1data.journal.records import OUTCOMES
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

_BATCHES = pa.schema(
    [
        *((name, pa.int64()) for name in ("batch", "parent", "row_from", "row_to", "rows")),
        ("state", pa.string()),
        ("attempts", pa.int64()),
        ("http_status", pa.int64()),
        ("reason", pa.string()),
        ("message", pa.string()),
        *((name, pa.float64()) for name in ("started_at", "answered_at", "waited")),
    ]
)

GoodsReader = Callable[[Path, Input | None], "pd.DataFrame"]


@dataclass(frozen=True)
class Run:
    """What a bulk job did, row by row.

    Attributes
    ----------
    id : str
        The run's name, also in the journal.
    operation : str
        Such as ``"upsert_profiles"``.
    journal : Path
        The file that holds the record.
    rows : int
        Rows of the input.
    counts : mapping of str to int
        ``accepted, invalid, refused, unsent, in_doubt``; they add up to `rows`.
    stopped : str or None
        Why the run ended early, if it did.
    in_use : str or None
        Which process was sending it when it was looked at, and since when. What is out counts as ``in_doubt`` then.

    Examples
    --------
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     people = pd.DataFrame({"integration_id": ["001"], "Name": ["Ada"]})
    ...     run = t1.upsert_profiles(client, people, progress=False)
    >>> run.counts["accepted"]
    1
    """

    id: str
    operation: str
    journal: Path
    rows: int
    counts: Mapping[str, int]
    stopped: str | None
    in_use: str | None = None
    _input: Input | None = field(default=None, repr=False, compare=False)
    _goods: Mapping[str, GoodsReader] = field(default_factory=dict, repr=False, compare=False)

    @property
    def outcomes(self) -> pd.DataFrame:
        """One line a row of the input, in its order and on its index (for a file: the row number, from 1).

        Columns: ``integration_id, outcome, http_status, reason, field, message, batch, attempts``.
        """
        import pandas as pd

        chunks = list(outcome_chunks(self.journal, self._input))
        frame: pd.DataFrame = pa.Table.from_batches(chunks, schema=SCHEMA).to_pandas(types_mapper=_nullable)
        if self._input is not None and self._input.index is not None:
            return frame.drop(columns="row").set_index(pd.Index(self._input.index))
        return frame.set_index("row")

    def to_frame(self) -> pd.DataFrame:
        """Return `outcomes` with its index as a column: one line a row, ready to be joined or stored."""
        return self.outcomes.reset_index()

    @property
    def failures(self) -> pd.DataFrame:
        """The lines of `outcomes` that are not ``accepted``."""
        outcomes = self.outcomes
        return outcomes[outcomes["outcome"] != "accepted"]

    @property
    def codes(self) -> pd.DataFrame:
        """The referral codes that the run brought home, one line a code; see `t1data.create_referrals`."""
        return self.goods("codes")

    @property
    def holders(self) -> pd.DataFrame:
        """Who holds the coupons that the run asked for, one line a holder; see `t1data.fetch_reservations`."""
        return self.goods("holders")

    @property
    def effects(self) -> pd.DataFrame:
        """What the rule engine answered, one line an effect; see `t1data.update_sessions`."""
        return self.goods("effects")

    @property
    def totals(self) -> pd.DataFrame:
        """What each session came to, one line a session; see `t1data.update_sessions`."""
        return self.goods("totals")

    def goods(self, name: str) -> pd.DataFrame:
        """Return a frame of what the run brought home, read from the answers that were kept."""
        if name not in self._goods:
            raise AttributeError(f"a run of {self.operation} brings no {name}")
        return self._goods[name](self.journal, self._input)

    def raw_answers(self) -> list[tuple[int, bytes]]:
        """Return the answers that were kept, as they came, each with its batch's number: those that carry goods."""
        with reading(self.journal, whole=False) as db:
            return list(answers_by_batch(db))

    @property
    def batches(self) -> pd.DataFrame:
        """One line a batch of rows, in the order in which they were cut; see `batch_frame` for the columns."""
        return batch_frame(self.journal)

    @property
    def complete(self) -> bool:
        """Whether every row is settled: nothing unsent, nothing in doubt, and no process still at it."""
        return not (self.counts["unsent"] or self.counts["in_doubt"] or self.in_use)

    @property
    def has_input(self) -> bool:
        """Whether the input is there, unchanged, so that ids and rows can be read from it."""
        return self._input is not None

    def raise_for_failures(self) -> None:
        """Raise `RunFailed` unless every row was accepted."""
        if self.counts["accepted"] != self.rows:
            raise RunFailed(f"{_in_words(self)}; see run.failures")

    def write_outcomes(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write `outcomes` to a CSV or Parquet file in bounded memory, whole or not at all; see `write_outcomes`."""
        write_outcomes(self.journal, Path(path), source=self._input, overwrite=overwrite)

    def write_failed_rows(
        self,
        path: str | Path,
        *,
        outcomes: Collection[str] = ("invalid", "refused"),
        overwrite: bool = False,
    ) -> int:
        """Write the rows that were not accepted in the input's own columns, to be mended and sent as a new run.

        Parameters
        ----------
        path : path
            A ``.csv`` or ``.parquet`` file.
        outcomes : collection of str
            Which rows; ``unsent`` and ``in_doubt`` ones are better resumed.
        overwrite : bool
            Replace a file that is there.

        Returns
        -------
        int
            How many rows were written. A row of a text file that has too many or too few fields is not among them.

        Raises
        ------
        InputError
            The input is no longer there as it was, or the file cannot be written.
        """
        if self._input is None:
            raise InputError(
                f"the input of run {self.id} is no longer there as it was; give it: open_run(run, data=...)"
            )
        return write_failed_rows(self.journal, Path(path), source=self._input, outcomes=outcomes, overwrite=overwrite)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts for machines, as the last line of the command line prints them."""
        return {"run": self.id, "rows": self.rows, **self.counts}

    def __repr__(self) -> str:
        return f"<Run {self.id}: {_in_words(self)}>"

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{name.replace('_', ' ')}</th><td>{self.counts[name]:,}</td></tr>"
            for name in OUTCOMES
        )
        stopped = f"<p>Stopped early: {html.escape(self.stopped)}</p>" if self.stopped else ""
        stopped += f"<p>In use by {html.escape(self.in_use)}</p>" if self.in_use else ""
        return (
            f"<div><p><b>{html.escape(self.operation.replace('_', ' '))}</b>: {many(self.rows, 'row')}</p>{stopped}"
            f"<table>{cells}</table><p>Journal: {html.escape(str(self.journal))}</p></div>"
        )


def read_run(journal: Path, *, source: Input | None = None, goods: Mapping[str, GoodsReader] | None = None) -> Run:
    """Return the run that a journal holds.

    Parameters
    ----------
    journal : Path
        The file.
    source : Input, optional
        The ids of the outcomes are read from it again, since the journal holds none.
    goods : mapping of str to callable, optional
        What the run brought home: the name of a frame → what makes it.

    Raises
    ------
    JournalError
        When the file is missing or not a journal.
    """
    in_use = held_by(journal)  # before the counts: a run that ends in between is then called in use, and not undone
    with reading(journal) as db:
        head = head_of(db, journal)
        counts = count_outcomes(db, head)
    return Run(head.id, head.operation, journal, head.rows or 0, counts, head.stopped, in_use, source, goods or {})


def batch_frame(journal: Path) -> pd.DataFrame:
    """Return the batches of a run: ``batch, parent, row_from, row_to, rows, state, attempts, http_status, reason,
    message, started_at, answered_at, waited``; rows from 1, times in UTC, `waited` in seconds."""
    import pandas as pd

    with reading(journal) as db:
        found = pa.Table.from_batches(map(_batch_lines, read_columns(db)), schema=_BATCHES)
    frame: pd.DataFrame = found.to_pandas(types_mapper=_nullable)
    times = {name: pd.to_datetime(frame[name], unit="s", utc=True) for name in ("started_at", "answered_at")}
    return frame.assign(**times, waited=frame["waited"].astype("Float64"))


def _batch_lines(columns: Columns) -> pa.RecordBatch:
    table = columns.table
    named = {
        **dict(zip(table.schema.names, table.columns, strict=True)),
        "batch": table["number"],
        "row_from": pa.array(columns.first + 1),
        "row_to": pa.array(columns.last + 1),
        "http_status": table["status"],
    }
    return pa.record_batch([named[field.name].cast(field.type) for field in _BATCHES], schema=_BATCHES)


def last_line(run: Run) -> str:
    """Return the one machine-readable line with which every sending command ends."""
    return json.dumps(run.to_dict())


def _nullable(kind: pa.DataType) -> Any:
    import pandas as pd

    known = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.int16(): pd.Int16Dtype()}
    return known.get(kind, pd.StringDtype() if pa.types.is_string(kind) else None)


def _in_words(run: Run) -> str:
    parts = [f"{run.counts[name]:,} {name.replace('_', ' ')}" for name in OUTCOMES if run.counts[name]]
    how = f"in use by {run.in_use}" if run.in_use else f"stopped: {run.stopped}" if run.stopped else ""
    return f"{', '.join(parts) or 'no rows'}" + (f" ({how})" if how else "")
