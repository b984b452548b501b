"""Where the rows come from: a file on this server, an upload, a frame of this kernel, ids that are pasted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ipywidgets as W
import pyarrow as pa

from t1data.forms import html
from t1data.forms.browser import upload
from t1data.forms.fields import LAYOUT, STYLE
from t1data.forms.held import Held
from t1data.forms.words import many

_KINDS = ("*.csv", "*.csv.gz", "*.parquet", "*.xlsx")
_MOST_FILES = 200
_NONE = "(choose)"


@dataclass(frozen=True)
class Chosen:
    """Rows that a person chose.

    Attributes
    ----------
    data : object
        What the public functions take.
    name : str
        For people.
    python : str
        How code names the rows.
    shell : str or None
        How a shell names them; None when only this kernel has them.
    keeper : Held, optional
        What keeps rows that came through the page.
    """

    data: Any
    name: str
    python: str
    shell: str | None = None
    keeper: Held | None = field(default=None, repr=False)


def chosen_file(path: str) -> Chosen:
    """Return rows in a file."""
    return Chosen(path, Path(path).name, repr(path), path)


def chosen_upload(held: Held, name: str | None = None) -> Chosen:
    """Return rows that came through the page; code names the file as the person's machine does."""
    file = held.path.name
    return Chosen(str(held.path), name or file, repr(file), file, held)


class DataChooser:
    """Lets a person choose rows.

    Parameters
    ----------
    changed : callable
        Called after every choice.
    refused : callable
        Called with a sentence when an upload is not taken.
    given : object, optional
        Rows from the code that made the form; then they are the first choice.
    paste : bool
        Whether ids can be pasted too.
    of : str
        What the rows are, where a form has a second input; then nothing is chosen at first.
    """

    def __init__(
        self,
        *,
        changed: Callable[[], None],
        refused: Callable[[str], None],
        given: Any = None,
        paste: bool = False,
        of: str = "",
    ) -> None:
        self._changed, self._of = changed, of
        self._picked: dict[str, Chosen | None] = {"given": _given(given)}
        self._said = W.HTML()
        self._file = W.Dropdown(options=_files(), **self._looks("File on this server"))
        self._path = W.Text(placeholder="folder/people.csv", continuous_update=False, **self._looks("Or its path"))
        self._frame = W.Dropdown(options=_frames(), **self._looks("Frame"))
        self._paste = W.Textarea(continuous_update=False, rows=4, **self._looks("Ids, one a line"))
        send = upload(self._label("Upload a file"), taken=self._hold, refused=refused)
        boxes: dict[str, tuple[str, Sequence[W.Widget]]] = {
            "file": ("A file on this server", [self._file, self._path]),
            "upload": ("A file of my own machine", [send]),
            "frame": ("A frame of this notebook", [self._frame]),
        }
        if paste:
            boxes["paste"] = ("Ids that I paste", [self._paste])
        if of:
            boxes = {"none": ("nowhere: there are none", []), **boxes}
        if given is not None:
            boxes = {"given": ("The rows given in the code", []), **boxes}
        self._boxes = {key: W.VBox(list(children)) for key, (_, children) in boxes.items()}
        self._from = W.Dropdown(options=[(label, key) for key, (label, _) in boxes.items()], **self._looks("Rows from"))
        self._place = W.VBox([self._boxes[self._from.value]])
        self.widget = W.VBox([self._from, self._place, self._said])
        self._observe()
        self._show()

    def _label(self, text: str) -> str:
        """Return a label that is no other's on the page."""
        return f"{self._of}: {text[0].lower()}{text[1:]}" if self._of else text

    def _looks(self, text: str) -> dict[str, Any]:
        return {"description": self._label(text), "style": STYLE, "layout": LAYOUT}

    def _observe(self) -> None:
        self._from.observe(self._switch, "value")
        self._file.observe(lambda change: self._pick_file(change["new"]), "value")
        self._path.observe(lambda change: self._pick_file(change["new"].strip()), "value")
        self._frame.observe(self._pick_frame, "value")
        self._paste.observe(self._pick_pasted, "value")

    @property
    def chosen(self) -> Chosen | None:
        """What is chosen now."""
        return self._picked.get(self._from.value)

    def choose(self, held: Held, name: str) -> None:
        """Take rows that came from elsewhere, as if they had been uploaded."""
        self._picked["upload"] = chosen_upload(held, name)
        if self._from.value == "upload":
            self._tell()
        self._from.value = "upload"

    def lock(self, locked: bool) -> None:
        """Keep the person from choosing, or no longer."""
        for widget in (self._from, self._file, self._path, self._frame, self._paste):
            widget.disabled = locked

    def _switch(self, _: Any) -> None:
        self._file.options, self._frame.options = _files(), _frames()
        self._place.children = [self._boxes[self._from.value]]
        self._tell()

    def _pick_file(self, path: str) -> None:
        if path and path != _NONE:
            self._set("file", chosen_file(path))

    def _pick_frame(self, change: dict[str, Any]) -> None:
        name = change["new"]
        if name and name != _NONE:
            self._set("frame", Chosen(_namespace()[name], name, name))

    def _pick_pasted(self, change: dict[str, Any]) -> None:
        if ids := change["new"].split():
            self._paste.value = ""  # else they would be saved with the notebook
            table = pa.table({"integration_id": pa.array(ids, pa.string())})
            self._set("paste", Chosen(table, many(len(ids), "pasted id"), "ids"))

    def _hold(self, held: Held) -> None:
        self._set("upload", chosen_upload(held))

    def _set(self, kind: str, chosen: Chosen) -> None:
        self._picked[kind] = chosen
        if self._from.value == kind:
            self._tell()

    def _tell(self) -> None:
        self._show()
        self._changed()

    def _show(self) -> None:
        nothing = "" if self._from.value == "none" else "Nothing chosen yet."
        self._said.value = html.note(f"Chosen: {self.chosen.name}" if self.chosen else nothing)


def _given(data: Any) -> Chosen | None:
    if data is None:
        return None
    if isinstance(data, str | Path):
        return chosen_file(str(data))
    name = next((name for name, value in _namespace().items() if value is data and not name.startswith("_")), "rows")
    if isinstance(data, list | tuple):
        data = pa.table({"integration_id": pa.array(data)})
    if isinstance(data, pa.RecordBatchReader):
        data = data.read_all()  # it gives its rows once, and a form looks at them, checks them and sends them
    return Chosen(data, name, name)


def _files() -> list[str]:
    found = sorted({path.name for kind in _KINDS for path in Path().glob(kind)})
    return [_NONE, *found[:_MOST_FILES]]


def _frames() -> list[str]:
    return [_NONE, *_frames_in(_namespace())]


def _frames_in(namespace: dict[str, Any]) -> Iterator[str]:
    for name, value in sorted(namespace.items(), key=lambda pair: pair[0]):
        is_frame = hasattr(value, "__arrow_c_stream__") or type(value).__name__ == "DataFrame"
        if is_frame and not isinstance(value, type) and not name.startswith("_"):
            yield name


def _namespace() -> dict[str, Any]:
    """Return the variables of the notebook; none outside of one."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    return dict(shell.user_ns) if shell is not None else {}
