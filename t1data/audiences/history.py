"""How an audience grew and shrank, from snapshots of its members in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from t1data.audiences.columns import ID
from t1data.audiences.diff import diff_audiences
from t1data.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_ENDINGS: Final = (".csv", ".csv.gz", ".csv.zst", ".parquet")


def audience_history(folder: str | Path, *, on: str = ID) -> pd.DataFrame:
    """Return the size of an audience in each snapshot of a folder, and who came and went since the one before.

    Parameters
    ----------
    folder : path
        One file a snapshot, CSV (also packed) or Parquet, in the order of their names: begin these with the date,
        ``2026-07-31.csv``. Other files are left alone, and so are names that begin with a dot or an underscore.
    on : str
        The column of the ids.

    Returns
    -------
    DataFrame
        Indexed by ``snapshot``, the file's name without its ending: ``size``, ``joined`` and ``left``. Nobody knows who
        joined or left before the first, so there these are missing.

    Raises
    ------
    InputError
        There is no such folder, no snapshot in it, or one that cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for day, ids in (("2026-07-01", "1 2"), ("2026-07-02", "2 3 4")):
    ...         lines = ["integration_id", *ids.split()]
    ...         _ = Path(folder, f"{day}.csv").write_text("\\n".join(lines))
    ...     audience_history(folder).loc["2026-07-02"].to_dict()
    {'size': 3, 'joined': 2, 'left': 1}
    """
    import pandas as pd

    files = _snapshots(Path(folder))
    rows = list(_rows(files, on))
    index = pd.Index([_stem(file) for file in files], name="snapshot")
    return pd.DataFrame(rows, index=index, columns=["size", "joined", "left"], dtype="Int64")


def _snapshots(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder. Give the folder that holds the snapshots.")
    found = [path for path in folder.iterdir() if path.name.endswith(_ENDINGS) and path.name[0] not in "._"]
    if not found:
        raise InputError(f"{folder} holds no snapshot: no file that ends in {', '.join(_ENDINGS)}.")
    return sorted(found, key=lambda path: path.name)


def _rows(files: list[Path], on: str) -> Iterator[tuple[Any, ...]]:
    """Each snapshot is held against the one before it; the first against itself, for its size alone."""
    yield diff_audiences(files[0], files[0], on=on, compare=[]).counts["after"], None, None
    for before, after in pairwise(files):
        counts = diff_audiences(before, after, on=on, compare=[]).counts
        yield counts["after"], counts["added"], counts["removed"]


def _stem(file: Path) -> str:
    return next(file.name.removesuffix(ending) for ending in _ENDINGS if file.name.endswith(ending))
