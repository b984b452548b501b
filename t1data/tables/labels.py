"""What people call a row: its label in the index of a frame, or its number in a file, counted from 1.

This is the one place that says so. A sentence that a journal may keep names other rows by their positions, since labels
can be customers' data; whoever shows it puts the labels in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

    from t1data.tables.problems import Problem

_MARKS: Final = ("\u2060", "\u2063")  # invisible, so that a number that is not put into words is right for a file
_MARKED: Final = re.compile(f"([0-9]{{1,18}})([{''.join(_MARKS)}])")


def position(row: int, *, second: bool = False) -> str:
    """Return a row as a sentence names it that is shown later, of the input or of the second one beside it."""
    return f"{row + 1}{_MARKS[second]}"


@dataclass(frozen=True)
class Labels:
    """The labels of the rows of an input.

    Attributes
    ----------
    index : pandas.Index, optional
        Of the frame; None for a file, whose rows are called by their numbers.
    second : pandas.Index, optional
        Of a second input that sentences name, such as the items beside the sessions.

    Examples
    --------
    >>> import pandas as pd
    >>> Labels(pd.Index(["x", "y"])).told(f"row {position(1)} says the same")
    'row y says the same'
    >>> Labels().of(1)
    2
    """

    index: pd.Index[Any] | None = None
    second: pd.Index[Any] | None = None

    def of(self, row: int) -> Any:
        """Return what a row is called."""
        return _label(self.index, row)

    def index_of(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> pd.Index[Any]:
        """Return what some rows are called, as the index of a frame of what is said of them."""
        import pandas as pd

        places = np.asarray(rows, dtype=np.int64)
        return pd.Index(places + 1, name="row") if self.index is None else self.index.take(places)

    def told(self, sentence: str) -> str:
        """Return a sentence with labels where it names rows by `position`."""
        return _MARKED.sub(lambda found: str(self._named(int(found[1]) - 1, found[2])), sentence)

    def _named(self, row: int, mark: str) -> Any:
        return _label(self.index if mark == _MARKS[0] else self.second, row)

    def listed(self, rows: Sequence[int], *, more: bool = False) -> str:
        """Return some rows in words."""
        return ", ".join(str(self.of(row)) for row in rows) + (", …" if more else "")


BY_NUMBER: Final = Labels()


def _label(index: pd.Index[Any] | None, row: int) -> Any:
    return index[row] if index is not None and row < len(index) else row + 1


def problem_frame(problems: Sequence[Problem], labels: Labels, *, value: bool = True) -> pd.DataFrame:
    """Return problems as people read them, on the index of the input.

    Parameters
    ----------
    problems : sequence of Problem
        In the order of the rows.
    labels : Labels
        Of the input.
    value : bool
        There is a column of what was found.
    """
    import pandas as pd

    names = ["integration_id", "column", "code", *(["value"] if value else []), "message"]
    told = [problem.told(labels) for problem in problems]
    return pd.DataFrame(
        [[getattr(problem, name) for name in names] for problem in told],
        columns=names,
        index=labels.index_of([problem.row for problem in problems]),
        dtype="string",
    )
