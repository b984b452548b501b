"""A second input, such as the items of carts: rows like those of the first section, for one parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as W

from t1data.forms import html
from t1data.forms.data import DataChooser
from t1data.forms.peek import Peek


class SecondInput:
    """Feeds one parameter with rows.

    Parameters
    ----------
    parameter : str
        Of the public function; it is left alone when nothing is chosen.
    label : str
        What the rows are: ``"Items"``.
    given : object, optional
        Rows from the code that made the form.
    """

    folded = False

    def __init__(self, parameter: str, label: str, *, given: Any = None) -> None:
        self._parameter = parameter
        self.labels = {parameter: label}
        self._changed: Callable[[], None] = lambda: None
        self._refused = W.HTML()
        self._chooser = DataChooser(changed=self._take, refused=self._refuse, given=given, of=label)
        self.widget = W.VBox([self._chooser.widget, self._refused])

    def arguments(self) -> dict[str, Any]:
        """Return the rows as they were chosen, so that code can name them."""
        chosen = self._chooser.chosen
        return {} if chosen is None else {self._parameter: chosen}

    def restore(self, arguments: Mapping[str, Any]) -> None:
        """Do nothing: rows are in no file of choices."""

    def look(self, peek: Peek) -> None:
        """Do nothing: these are other rows."""

    def watch(self, changed: Callable[[], None]) -> None:
        """Tell of every change."""
        self._changed = changed

    def lock(self, locked: bool) -> None:
        """Keep the person from choosing, or no longer."""
        self._chooser.lock(locked)

    def _take(self) -> None:
        self._refused.value = ""
        self._changed()

    def _refuse(self, text: str) -> None:
        self._refused.value = html.alert(text)
