"""People who were erased on the server, taken out of what older runs have left on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t1data.bulk.named import name_rows
from t1data.erasure.scrub import scrub_file, scrub_marks, scrubber
from t1data.errors import InputError, JournalError
from t1data.journal.hashes import hash_id, machine_key
from t1data.journal.names import runs_folder
from t1data.journal.place import MARKS
from t1data.journal.rewrite import rewrite_answers

if TYPE_CHECKING:
    import pandas as pd

_KINDS = {".sqlite": "journal", MARKS: "marks", ".csv": "rows", ".parquet": "rows"}


@dataclass(frozen=True)
class _People:
    ids: frozenset[str]
    column: str

    def take_from(self, path: Path, kind: str) -> int:
        if kind == "journal":
            return rewrite_answers(path, scrubber(self.ids))
        if kind == "marks":
            key = machine_key()
            return scrub_marks(path, [hash_id(key, id_) for id_ in self.ids])
        return scrub_file(path, self.ids, column=self.column)


def purge_people(
    ids: Any,
    *,
    id: str = "integration_id",
    folder: str | Path | None = None,
    also: Sequence[str | Path] = (),
) -> pd.DataFrame:
    """Take people out of older journals and outcome files of this machine; nothing is sent.

    Journals name no customer, but keep the answers that brought something home, such as referral codes: there, all
    that names one of these people is taken out, and its bytes are gone from the file. Outcomes stay as they are, by row
    number. From files of outcomes and of failed rows (CSV, Parquet) their rows are taken out, and the bytes of other
    rows stay. What is not looked at: files that lie elsewhere and are not named here, inputs, exports and backups; and
    an answer that is about one of them without naming the id cannot be told.

    Parameters
    ----------
    ids : path, DataFrame, Series, list of str, or anything with an Arrow stream
        The people.
    id : str
        The column of the ids.
    folder : path, optional
        Where journals lie, and outcome files beside them; the usual folder of runs by default.
    also : sequence of path
        Journals, outcome files, and folders of them, that lie elsewhere.

    Returns
    -------
    DataFrame
        One line a file that was looked at: ``file, kind, removed, note``. `kind` is ``journal`` (answers that were
        rewritten), ``marks`` (hashes) or ``rows``; a file that could not be rewritten has no number and says why.

    Raises
    ------
    InputError
        The ids cannot be read, or a path in `also` is not there.

    Examples
    --------
    >>> import t1data as t1
    >>> t1.purge_people(["007"], folder=Path("no-runs-yet")).columns.tolist()
    ['file', 'kind', 'removed', 'note']
    """
    import pandas as pd

    people = _People(frozenset(_read(ids, id)), id)
    lines = [_purged(path, people) for path in _files([Path(folder or runs_folder())], also)]
    frame = pd.DataFrame(lines, columns=["file", "kind", "removed", "note"])
    return frame.astype({"file": "string", "kind": "string", "removed": "Int64", "note": "string"})


def _read(ids: Any, column: str) -> Iterator[str]:
    for _, names in name_rows(ids, id=column, allow_suspect_ids=True).input().ids():
        yield from names.drop_null().to_pylist()


def _files(folders: list[Path], also: Sequence[str | Path]) -> Iterator[Path]:
    for path in map(Path, also):
        if not path.exists():
            raise InputError(f"also: there is no {path}")
    places = [*folders, *map(Path, also)]
    found = (each for place in places for each in (sorted(place.iterdir()) if place.is_dir() else [place]))
    yield from dict.fromkeys(each for each in found if each.is_file() and each.suffix in _KINDS)


def _purged(path: Path, people: _People) -> tuple[str, str, int | None, str | None]:
    kind = _KINDS[path.suffix]
    try:
        return str(path), kind, people.take_from(path, kind), None
    except (InputError, JournalError) as error:
        return str(path), kind, None, str(error)
