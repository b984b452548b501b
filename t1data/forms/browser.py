"""What only the person's browser can do: send a large file, keep a download, copy text.

With the ``upload`` extra (anywidget) these go as messages, which no notebook saves. Without it an upload is limited
to what one message of the server may hold, and a download becomes a file beside the notebook.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ipywidgets as W

from t1data.forms import html
from t1data.forms.held import Held
from t1data.writing import replacing

HAS_ANYWIDGET = find_spec("anywidget") is not None
LARGEST_MESSAGE = 10_000_000  # bytes; a larger one closes the connection, and no message tells of it
LARGEST_UPLOAD = 1_000_000_000

Taken = Callable[[Held], None]
Refused = Callable[[str], None]


def bridge(script: str, **traits: Any) -> Any:
    """Return a widget whose page side is one of the scripts beside this module."""
    import anywidget
    import traitlets

    esm = files("t1data.forms").joinpath(script).read_text(encoding="utf-8")
    synced = {name: traitlets.Any(value).tag(sync=True) for name, value in traits.items()}
    # A page side is bound to a class, so that each script has one.
    return type("Bridge", (anywidget.AnyWidget,), {"_esm": esm, **synced})()


def upload(label: str, *, taken: Taken, refused: Refused, largest: int = LARGEST_UPLOAD) -> W.Widget:
    """Return a widget by which a person sends a file of any kind.

    Parameters
    ----------
    label : str
        What stands before the button.
    taken : callable
        Called with the file once it is here whole.
    refused : callable
        Called with a sentence when it is not taken.
    largest : int
        Bytes.
    """
    if not HAS_ANYWIDGET:
        return _plain_upload(label, taken=taken)
    widget = bridge("upload.js", label=label)
    Slices(widget, taken=taken, refused=refused, largest=largest)
    return widget


class Slices:
    """Takes a file slice by slice: the page sends the next one when it is asked to."""

    def __init__(self, widget: Any, *, taken: Taken, refused: Refused, largest: int) -> None:
        self._widget, self._taken, self._refused, self._largest = widget, taken, refused, largest
        self._held: Held | None = None
        self._size = 0
        widget.on_msg(self._on_message)

    def _on_message(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        if content["type"] == "begin":
            self._begin(str(content["name"]), int(content["size"]))
        elif self._held is not None and content["offset"] == self._held.size:
            self._held.write(buffers[0])
            self._go_on(self._held)

    def _begin(self, name: str, size: int) -> None:
        if size > self._largest:
            limit = f"{self._largest / 1e6:,.0f} MB"
            self._refused(
                f"{name} has {size / 1e6:,.0f} MB, and {limit} are the most that come through the page."
                " Put it on this server and give its path."
            )
            self._widget.send({"type": "refused"})
            return
        self._held, self._size = Held(name), size
        self._go_on(self._held)

    def _go_on(self, held: Held) -> None:
        if held.size < self._size:
            self._widget.send({"type": "next", "offset": held.size})
            return
        self._held = None
        self._widget.send({"type": "taken"})
        self._taken(held)


def _plain_upload(label: str, *, taken: Taken) -> W.Widget:
    limit = f"up to {LARGEST_MESSAGE / 1e6:.0f} MB"
    button = W.FileUpload(description=f"{label}, {limit}", multiple=False, tooltip=f"{label}, {limit}")

    def take(change: dict[str, Any]) -> None:
        for file in change["new"]:
            held = Held(file["name"])
            held.write(file["content"])
            button.value = ()  # else it would be saved with the notebook, whole
            taken(held)

    button.observe(take, "value")
    return button


class Courier:
    """Brings files to the person.

    Attributes
    ----------
    widget : Widget
        Must be on the page; it shows nothing.
    """

    def __init__(self) -> None:
        self.widget: Any = bridge("courier.js") if HAS_ANYWIDGET else W.HTML()

    def bring(self, file: Path, *, name: str) -> str:
        """Hand a file over under a name, and say where it went.

        Raises
        ------
        InputError
            Without the extra: there is such a file already, or none can be written here.
        """
        content = file.read_bytes()
        if HAS_ANYWIDGET:
            self.widget.send({"type": "download", "name": name}, [content])
            return f"{name} is in your downloads."
        target = Path(name).absolute()
        with replacing(target) as part:
            part.write_bytes(content)
        return f"Written to {target}."


def copyable(label: str) -> tuple[W.Widget, Callable[[str], None]]:
    """Return a widget that shows code with a button that copies it, and the function that sets the code."""
    if HAS_ANYWIDGET:
        widget = bridge("copy.js", label=label, text="")
        return widget, lambda text: setattr(widget, "text", text)
    plain = W.HTML()
    return plain, lambda text: setattr(
        plain, "value", f"<pre class='t1-code' tabindex='0' aria-label='{html.escape(label)}'>{html.escape(text)}</pre>"
    )
