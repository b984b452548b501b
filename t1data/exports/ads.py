"""An audience as an ad platform takes it: normalised, hashed once, nothing empty, and nothing that is not valid."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from t1data.errors import InputError
from t1data.exports.audience import Pass
from t1data.exports.duplicates import count_duplicates
from t1data.exports.match_keys import Match, choose_columns
from t1data.exports.phones import check_region
from t1data.exports.quality import MatchKeyReport
from t1data.exports.rules import rules_of
from t1data.tables import open_source
from t1data.writing import refuse_existing, replacing

Platform = Literal["google_customer_match", "meta_custom_audience"]


def export_audience(
    data: Any,
    path: str | os.PathLike[str],
    *,
    platform: Platform,
    columns: Mapping[str, str] | None = None,
    default_region: str | None = None,
    shorten_gmail: bool = True,
    overwrite: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> MatchKeyReport:
    """Write customers as a file that an ad platform takes, and say how good its match keys are.

    Each value is brought to the platform's form and, where the platform wants it so, written as its SHA-256. What is
    hashed already (64 hexadecimal digits) is not hashed again. What is empty or not valid is left out, that cell alone;
    a row without any value that finds a person is left out whole. The file is written whole or not at all, for its
    owner's eyes only. The input is read in slices, so it may be larger than memory.

    Parameters
    ----------
    data : path, frame, table or stream
        As for `upsert_profiles`: CSV, XLSX, Parquet, pandas, polars, pyarrow, or anything with an Arrow stream.
    path : path
        Ends in ``.csv``.
    platform : {"google_customer_match", "meta_custom_audience"}
        Whose rules are followed; see `t1data.exports.rules`.
    columns : mapping of str to str, optional
        Column → the platform's header: ``{"mail": "Email", "second mail": "Email"}``. By default the columns whose
        names say what they are. Google takes several columns of mails, phones and zips, Meta three of mails and phones.
    default_region : str, optional
        Country, as ``"DE"``, of phone numbers without country code in rows whose country is empty or not exported.
        Without it they are dropped: a number of another country could be somebody else's.
    shorten_gmail : bool
        Google only: take dots and ``+suffix`` from Gmail addresses, as its guide for the API asks and its help for
        files does not.
    overwrite : bool
        Replace a file that is there.
    encoding, delimiter, sheet : str, optional
        How a CSV file that is read is written; which sheet of a workbook is read.

    Returns
    -------
    MatchKeyReport
        For each key how many values are valid, repaired, dropped, already hashed and there more than once.

    Raises
    ------
    InputError
        The platform, a column or the region is not known, no row has a usable value, a file is there already, or the
        package for phone numbers is missing. Nothing is written then.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> people = pd.DataFrame({"mail": ["Ann@Example.com ", "nobody", None], "country": ["de", "DE", "FR"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "audience.csv")
    ...     report = export_audience(people, file, platform="google_customer_match")
    ...     lines = file.read_text().splitlines()
    >>> report.rows, report.written, report.frame.loc["Email", "dropped"].item()
    (3, 1, 1)
    >>> lines[0], lines[1][-8:]
    ('Email,Country', '96476,DE')
    """
    path, rules = Path(path), rules_of(platform, shorten_gmail=shorten_gmail)
    if path.suffix != ".csv":
        raise InputError(f"{path.name}: files for ad platforms are written as .csv")
    if not overwrite:
        refuse_existing(path)
    source = open_source(data, encoding=encoding, delimiter=delimiter, sheet=sheet)
    matches = choose_columns(source.columns, rules, columns, where=source.name)
    _check_region(default_region, matches)
    with replacing(path, overwrite=overwrite) as part:
        passed = Pass(source, matches, default_region)
        passed.write(part)
        repeats = count_duplicates(part, keys=[match.rule.key for match in matches])
    return passed.report(platform, path, repeats)


def _check_region(region: str | None, matches: Sequence[Match]) -> None:
    if any(match.rule.is_phone for match in matches):
        check_region(region)
    elif region is not None:
        raise InputError("default_region: it is for phone numbers, and no column is exported as one")
