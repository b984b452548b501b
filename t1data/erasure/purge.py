"""People who were erased on the server, taken out of what older runs have left on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t1data.bulk.named import name_rows
from t1data.erasure.erase import JOB
from t1data.erasure.scrub import scrub_file, scrub_marks, scrubber
from t1data.errors import InputError, JournalError
from t1data.journal.answers import EMPTIED, batches_of
from t1data.journal.hashes import hash_id, machine_key
from t1data.journal.names import runs_folder
from t1data.journal.outcomes import head_of
from t1data.journal.place import BEFORE, MARKS
from t1data.journal.reads import read_answer_places, reading
from t1data.journal.rewrite import rewrite_answers
from t1data.tables.reading import Reading

if TYPE_CHECKING:
    import pandas as pd

_UNKNOWN = (
    "what names them is gone; but an answer here need not name its customer, and the run's input is not at hand to tell"
    " whose it is: purge the whole run (t1data runs purge)"
)
_UNREAD = (
    "people are taken out of journals and of files of rows (.csv, .parquet); delete this one, or write it anew without"
    " them"
)
_KINDS = {".sqlite": "journal", BEFORE: "journal", MARKS: "marks", ".csv": "rows", ".parquet": "rows"}


@dataclass(frozen=True)
class _People:
    ids: frozenset[str]
    column: str

    def take_from(self, path: Path, kind: str) -> tuple[int, str | None]:
        """Return how much was taken out, and what could not be."""
        if kind == "journal":
            return self._from_journal(path)
        if kind == "marks":
            key = machine_key()
            return scrub_marks(path, [hash_id(key, id_) for id_ in self.ids]), None
        return scrub_file(path, self.ids, column=self.column), None

    def _from_journal(self, path: Path) -> tuple[int, str | None]:
        with reading(path) as db:
            head = head_of(db, path)
            keeps_answers = next(read_answer_places(db), None) is not None
            rows = self._rows_in(head.facts)
            theirs = batches_of(rows or set(), db)
        scrub = scrubber(self.ids)
        done = rewrite_answers(path, lambda batch, body: EMPTIED if batch in theirs else scrub(body))
        unknown = rows is None and "id" in head.facts.get("recipe", {}) and head.operation != JOB and keeps_answers
        return done, _UNKNOWN if unknown else None

    def _rows_in(self, facts: dict[str, Any]) -> set[int] | None:
        """Return the rows of a run that are about these people, None when its input is not at hand."""
        recipe = facts.get("recipe", {})
        if recipe.get("path") is None or "id" not in recipe:
            return None
        try:
            named = name_rows(recipe["path"], id=recipe["id"], allow_suspect_ids=True, reading=Reading.of(recipe))
            if named.source.fingerprint()["sha256"] != facts["input"]["sha256"]:
                return None
        except InputError:
            return None
        pairs = (zip(rows.tolist(), ids.to_pylist(), strict=True) for rows, ids in named.input().ids())
        return {row for part in pairs for row, id_ in part if id_ in self.ids}


def purge_people(
    ids: Any,
    *,
    id: str = "integration_id",
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    folder: str | Path | None = None,
    also: Sequence[str | Path] = (),
) -> pd.DataFrame:
    """Take people out of older journals and outcome files of this machine; nothing is sent.

    Journals name no customer, but keep the answers that brought something home, such as referral codes: there, all
    that names one of these people is taken out, and its bytes are gone from the file. Outcomes stay as they are, by row
    number. From files of outcomes and of failed rows (CSV, Parquet) their rows are taken out, and the bytes of other
    rows stay. What is not looked at: files that lie elsewhere and are not named here, inputs, exports and backups.
    Whose an answer is that need not name its customer, such as an inventory, is told by the run's input, when that is a
    file that is still there; else the note says that the whole run is to be purged.

    Parameters
    ----------
    ids : path, DataFrame, Series, list of str, or anything with an Arrow stream
        The people.
    id : str
        The column of the ids.
    encoding, delimiter, sheet : str, optional
        How a file is read, as for `upsert_profiles`.
    folder : path, optional
        Where journals lie, and outcome files beside them; the usual folder of runs by default.
    also : sequence of path
        Journals, outcome files, and folders of them, that lie elsewhere.

    Returns
    -------
    DataFrame
        One line a file that was looked at: ``file, kind, removed, note``. `kind` is ``journal`` (answers that were
        rewritten), ``marks`` (hashes), ``rows`` or, for a file in `also` of no such kind, ``other``; a file that could
        not be rewritten has no number and says why.

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

    people = _People(frozenset(_read(ids, id, Reading(encoding, delimiter, sheet))), id)
    lines = [_purged(path, people) for path in _files([Path(folder or runs_folder())], also)]
    frame = pd.DataFrame(lines, columns=["file", "kind", "removed", "note"])
    return frame.astype({"file": "string", "kind": "string", "removed": "Int64", "note": "string"})


def _read(ids: Any, column: str, reading: Reading) -> Iterator[str]:
    for _, names in name_rows(ids, id=column, allow_suspect_ids=True, reading=reading).input().ids():
        yield from names.drop_null().to_pylist()


def _files(folders: list[Path], also: Sequence[str | Path]) -> Iterator[Path]:
    for path in map(Path, also):
        if not path.exists():
            raise InputError(f"also: there is no {path}")
    places = [*folders, *map(Path, also)]
    found = (each for place in places for each in (sorted(place.iterdir()) if place.is_dir() else [place]))
    named = set(map(Path, also))  # what a person names is never passed over in silence
    yield from dict.fromkeys(each for each in found if each.is_file() and (each.suffix in _KINDS or each in named))


def _purged(path: Path, people: _People) -> tuple[str, str, int | None, str | None]:
    kind = _KINDS.get(path.suffix)
    if kind is None:
        return str(path), "other", None, _UNREAD
    try:
        return str(path), kind, *people.take_from(path, kind)
    except (InputError, JournalError) as error:
        return str(path), kind, None, str(error)
