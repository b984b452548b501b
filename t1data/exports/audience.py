"""One pass over customers: what an ad platform's file gets of each row, and what is counted on the way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from t1data.errors import InputError
from t1data.exports.match_keys import Judged, Match, judge
from t1data.exports.quality import CELLS, KeyQuality, MatchKeyReport
from t1data.exports.rows import text_of
from t1data.exports.rules import COUNTRIES, FAULTS
from t1data.exports.steps import trim, upper
from t1data.tables import Slice, Source
from t1data.tables.strings import EMPTY, NONE, mask, not_utf8, text, texts, without

if TYPE_CHECKING:
    import pandas as pd

Flags = npt.NDArray[np.bool_]

_MOST_LISTED: Final = 1000
_ADDRESS: Final = {"google_customer_match": ("First Name", "Last Name", "Country", "Zip")}
_FEWEST: Final = {"meta_custom_audience": 100}


class Pass:
    """Writes the rows of a source and counts.

    Parameters
    ----------
    source : Source
        The customers.
    matches : sequence of Match
        Which column goes where, in the order of the file.
    default_region : str, optional
        Country of phone numbers that do not say theirs.
    """

    def __init__(self, source: Source, matches: Sequence[Match], default_region: str | None) -> None:
        self._source, self._matches, self._region = source, matches, text(default_region)
        self._keys = [match.rule.key for match in matches]
        self._rows: Counter[str] = Counter()
        self._cells: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._faults: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._dropped: list[tuple[int, str, str, str]] = []
        self._complete: Counter[tuple[str, ...]] = Counter()

    def write(self, part: Path) -> None:
        """Write the file, and raise `InputError` when no row can be in it."""
        with part.open("wb") as file:
            file.write((",".join(self._keys) + "\n").encode())
            self._write_rows(file)
        if not self._rows["written"]:
            why = [f"{count:,} {FAULTS[code]}" for faults in self._faults.values() for code, count in faults.items()]
            raise InputError(
                f"{self._source.name} has no row with a value that finds a person, so nothing was written"
                + (f": {'; '.join(why)}" if why else "")
            )

    def _write_rows(self, file: BinaryIO) -> None:
        schema = pa.schema([(f"c{place}", pa.string()) for place in range(len(self._matches))])
        # No value can hold a comma, a quote or a line break: hashes and codes by their form. Arrow checks it again.
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
        with pyarrow.csv.CSVWriter(file, schema, write_options=options) as out:
            for piece in self._source.slices([match.column for match in self._matches]):
                written = self._judge(piece)
                found = self._find(written)
                out.write_batch(pa.RecordBatch.from_arrays(written, schema=schema).filter(mask(found)))
                self._rows["read"] += len(found)
                self._rows["unreadable"] += len(piece.problems)
                self._rows["written"] += int(found.sum())

    def _judge(self, piece: Slice) -> list[pa.StringArray]:
        columns = zip(piece.batch.columns, piece.batch.schema, strict=True)
        given = [text_of(column, field) for column, field in columns]
        broken = [not_utf8(cells) for cells in given]
        cells = [without(column, at) for column, at in zip(given, broken, strict=True)]
        regions = self._regions(cells)
        judged = [
            judge(match.rule, column, regions=regions if match.rule.is_phone else None)
            for match, column in zip(self._matches, cells, strict=True)
        ]
        for match, column, at in zip(self._matches, judged, broken, strict=True):
            self._count(piece, match, column, broken=at)
        return [column.written for column in judged]

    def _regions(self, columns: Sequence[pa.StringArray]) -> pa.StringArray:
        """Return the country of each row; a country that is no code is not replaced by the default one."""
        for key, cells in zip(self._keys, columns, strict=True):
            if key.lower() == "country":
                codes = upper(trim(cells))
                known = pc.if_else(pc.is_in(codes, texts(COUNTRIES)), codes, NONE)
                return pc.if_else(pc.fill_null(pc.equal(codes, EMPTY), True), self._region, known)
        return pa.repeat(self._region, len(columns[0]))

    def _count(self, piece: Slice, match: Match, judged: Judged, *, broken: npt.NDArray[np.int64]) -> None:
        key = match.rule.key
        self._cells[key].update(judged.counts)
        self._cells[key].update(dropped=len(broken), empty=-len(broken))
        for code, at in (judged.faults | ({"not_text": broken} if broken.size else {})).items():
            self._faults[key][code] += len(at)
            listed = at[: _MOST_LISTED - len(self._dropped)]
            self._dropped += [(row, key, match.column, code) for row in piece.rows[listed].tolist()]

    def _find(self, written: Sequence[pa.StringArray]) -> Flags:
        """Return which rows have a value that finds a person by itself, and count those with a whole address."""
        there: dict[str, Flags] = {}
        for key, column in zip(self._keys, written, strict=True):
            there[key] = there.get(key, np.False_) | column.is_valid().to_numpy(zero_copy_only=False)
        for address in _ADDRESS.values():
            if set(address) <= there.keys():
                self._complete[address] += int(np.all([there[key] for key in address], axis=0).sum())
        finds = [there[match.rule.key] for match in self._matches if match.rule.identifies]
        return np.any(finds, axis=0) if finds else np.zeros(len(written[0]), bool)

    def report(self, platform: str, path: Path, repeats: Mapping[str, int]) -> MatchKeyReport:
        """Say what was written, key by key."""
        read, written, unreadable = (self._rows[name] for name in ("read", "written", "unreadable"))
        return MatchKeyReport(
            platform=platform,
            source=self._source.name,
            path=path,
            rows=read + unreadable,
            written=written,
            left_out=read - written,
            unreadable=unreadable,
            keys=tuple(self._quality(key, repeats[key]) for key in dict.fromkeys(self._keys)),
            dropped=self._dropped_frame(),
            notes=tuple(self._notes(platform)),
        )

    def _quality(self, key: str, duplicates: int) -> KeyQuality:
        columns = tuple(match.column for match in self._matches if match.rule.key == key)
        counts = {name: self._cells[key][name] for name in CELLS}
        return KeyQuality(key, columns, **counts, duplicates=duplicates, faults=dict(self._faults[key].most_common()))

    def _dropped_frame(self) -> pd.DataFrame:
        import pandas as pd

        index = self._source.labels.index_of([row for row, *_ in self._dropped])
        cells = [rest for _, *rest in self._dropped]
        return pd.DataFrame(cells, index=index, columns=["key", "column", "code"], dtype="string")

    def _notes(self, platform: str) -> list[str]:
        notes = []
        address = _ADDRESS.get(platform, ())
        if used := [key for key in address if key in self._keys]:
            missing = [key for key in address if key not in used]
            so_far = (
                f"not there: {', '.join(missing)}" if missing else f"rows that have it: {self._complete[address]:,}"
            )
            notes.append(f"a postal address counts only with {', '.join(address)} together; {so_far}")
        if self._rows["written"] < _FEWEST.get(platform, 0):
            notes.append(f"the platform advises against lists of fewer than {_FEWEST[platform]} people")
        return notes
