"""How the text files and workbooks among several inputs are read: one word for all of them, or one for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from t1data.tables.choices import require_known
from t1data.tables.source import kind_of

Word = str | Mapping[str, str] | None

_ABOUT: Final = {"encoding": "text", "delimiter": "text", "sheet": "excel"}
"""Which kind of file a word is about."""


@dataclass(frozen=True)
class Ways:
    """What a caller says of the files, each for all inputs that it can be about, or by an input's name.

    Attributes
    ----------
    encoding, delimiter, sheet : str or mapping of str to str, optional
        As `t1data.tables.open_source` takes them.
    """

    encoding: Word = None
    delimiter: Word = None
    sheet: Word = None

    def of(self, inputs: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        """Return for each input, by name, the words that `t1data.tables.open_source` takes.

        A word that is about none of the inputs goes to all, so that the reader refuses it.

        Raises
        ------
        InputError
            A word is for an input that is not there, or one of them is no file that can be read.

        Examples
        --------
        >>> Ways(encoding={"after": "cp1252"}).of({"before": "june.csv", "after": "july.csv"})
        {'before': {}, 'after': {'encoding': 'cp1252'}}
        """
        said: dict[str, dict[str, str]] = {name: {} for name in inputs}
        for word in _ABOUT:
            for name, value in _by_input(word, getattr(self, word), inputs).items():
                said[name][word] = value
        return said


def _by_input(word: str, value: Word, inputs: Mapping[str, Any]) -> Mapping[str, str]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        require_known(word, value, valid=list(inputs))
        return value
    meant = [name for name, data in inputs.items() if kind_of(data) == _ABOUT[word]]
    return dict.fromkeys(meant or inputs, value)
