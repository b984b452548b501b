"""The frames of a reading run, under their names."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from t1data.bulk.cells import to_frame
from t1data.errors import InputError
from t1data.inventories.answers import Answers
from t1data.inventories.columns import PARTS
from t1data.journal.outcomes import Input
from t1data.journal.runs import GoodsReader, Run
from t1data.words import many
from t1data.writing import refuse_existing

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Inventories:
    """What many customers hold, as tidy frames; each has ``integration_id`` first, and the same columns when empty.

    Attributes
    ----------
    run : Run
        The reading: counts, outcomes, journal.
    answers : Answers
        What it brought home.
    folder : Path or None
        Where the tables lie as Parquet files, if they were written; the frames are then read from there.
    """

    run: Run
    answers: Answers
    folder: Path | None = None

    @property
    def profiles(self) -> pd.DataFrame:
        """One line a customer; ``attributes.<name>`` for each attribute that somebody has."""
        return self.frame("profiles")

    @property
    def audiences(self) -> pd.DataFrame:
        """One line for each audience that a customer is in."""
        return self.frame("audiences")

    @property
    def referrals(self) -> pd.DataFrame:
        """One line a referral code of which the customer is the advocate."""
        return self.frame("referrals")

    @property
    def referred_customers(self) -> pd.DataFrame:
        """One line for each friend who used a code."""
        return self.frame("referred_customers")

    @property
    def coupons(self) -> pd.DataFrame:
        """One line a coupon that the customer holds, those that are used already among them; see ``state``."""
        return self.frame("coupons")

    @property
    def coupon_limits(self) -> pd.DataFrame:
        """One line for each limit of a coupon.

        ``entities``, of which each combination has the limit, are joined by a comma and a space. No name holds one: the
        API has a closed list of them, ``Coupon, Referral, Profile, Identifier, Store, Session``.
        """
        return self.frame("coupon_limits")

    @property
    def loyalty(self) -> pd.DataFrame:
        """One line for each program and ledger (the main one's name is empty), with balances and tier."""
        return self.frame("loyalty")

    @property
    def loyalty_cards(self) -> pd.DataFrame:
        """One line for each card and ledger."""
        return self.frame("loyalty_cards")

    @property
    def giveaways(self) -> pd.DataFrame:
        """One line a giveaway code."""
        return self.frame("giveaways")

    @property
    def achievements(self) -> pd.DataFrame:
        """One line an achievement, with the customer's progress."""
        return self.frame("achievements")

    @property
    def outcomes(self) -> pd.DataFrame:
        """One line a row of the input; a customer whom nobody knows is ``refused``, with the reason ``not_found``."""
        return self.run.outcomes

    def frame(self, name: str) -> pd.DataFrame:
        """Return one of the frames by its name; a change to it changes nothing here."""
        if name not in PARTS:
            raise InputError(f"there is no frame {name!r}; there are {', '.join(PARTS)}")
        if self.folder is not None:
            return to_frame(pq.read_table(self.folder / f"{name}.parquet"))
        return self._frames[name].copy()

    @cached_property
    def _frames(self) -> Mapping[str, pd.DataFrame]:
        return {name: to_frame(table) for name, table in self.answers.tables().items()}

    def write(self, folder: str | Path, *, overwrite: bool = False) -> Inventories:
        """Write one Parquet file a table, and the outcomes, in bounded memory.

        Parameters
        ----------
        folder : path
            Made when it is not there.
        overwrite : bool
            Replace files of an earlier run.

        Returns
        -------
        Inventories
            The record that reads its frames from there.

        Raises
        ------
        InputError
            A file is there already, or the folder cannot be written to.
        """
        place = Path(folder)
        check_folder(place, overwrite=overwrite)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.answers.write(place, overwrite=overwrite)
        self.run.write_outcomes(place / "outcomes.parquet", overwrite=overwrite)
        return Inventories(self.run, self.answers, place)

    def __repr__(self) -> str:
        counts = self.run.counts
        where = f" in {self.folder}" if self.folder is not None else ""
        return f"<Inventories of {counts['accepted']:,} of {many(self.run.rows, 'customer')}{where}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{name.replace('_', ' ')}</th><td>{self._lines(name):,}</td></tr>"
            for name in PARTS
        )
        return f"<div><p><b>{html.escape(repr(self)[1:-1])}</b></p><table>{rows}</table></div>"

    def _lines(self, name: str) -> int:
        if self.folder is not None:
            lines: int = pq.read_metadata(self.folder / f"{name}.parquet").num_rows
            return lines
        return len(self._frames[name])


def inventories_of(run: Run, source: Input | None) -> Inventories:
    """Return the record of a run that read inventories."""
    return Inventories(run, Answers(run.journal, source))


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that cannot take the files, before anything is read from the server."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder for the tables")
    for name in () if overwrite else (*PARTS, "outcomes"):
        refuse_existing(folder / f"{name}.parquet")


def _goods(name: str, journal: Path, source: Input | None) -> pd.DataFrame:
    return to_frame(Answers(journal, source).tables()[name])


GOODS: Mapping[str, GoodsReader] = {name: partial(_goods, name) for name in PARTS}
"""What a run of this job brings home, for those who have only its journal."""
