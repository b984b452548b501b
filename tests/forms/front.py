"""The page's side: it takes the messages of widgets, and does what a person does, by what is written on the page."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from comm.base_comm import BaseComm
from ipywidgets import Button, Widget

WITHIN = 20.0


@dataclass
class Front:
    """What a page was sent."""

    messages: list[tuple[str, dict[str, Any], list[bytes]]] = field(default_factory=list)

    def create_comm(self, **options: Any) -> BaseComm:
        front = self

        class Comm(BaseComm):
            def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any):
                front.messages.append((msg_type, data or {}, [bytes(each) for each in buffers or []]))

        return Comm(**options)

    @property
    def downloads(self) -> dict[str, bytes]:
        """Files that were brought to the person, by name."""
        customs = [(data["content"], buffers) for _, data, buffers in self.messages if data.get("method") == "custom"]
        return {what["name"]: buffers[0] for what, buffers in customs if what["type"] == "download"}


class Hand:
    """A person at one form."""

    def __init__(self, form: Any) -> None:
        self.form = form

    def widgets(self) -> Iterator[Any]:
        yield from walk(self.form.widget)

    def field(self, label: str) -> Any:
        found = [each for each in self.widgets() if label in (getattr(each, "description", None), label_of(each))]
        assert found, f"there is no {label!r} on the form"
        return found[0]

    def fill(self, label: str, value: Any) -> None:
        """Type or choose, as the page tells the kernel: a list's entry by what it says."""
        widget = self.field(label)
        if hasattr(widget, "options"):
            said = [each[0] if isinstance(each, tuple) else each for each in widget.options]
            widget.set_state({"index": said.index(value)})
        else:
            widget.set_state({"value": value})

    def press(self, label: str) -> None:
        """Press a button; a click that was on its way when the button was disabled arrives all the same."""
        button = self.field(label)
        assert isinstance(button, Button)
        button.click()

    def wait(self) -> None:
        self.form.wait(WITHIN)

    def works(self, label: str) -> bool:
        return not self.field(label).disabled

    def said(self) -> str:
        """What the status line says."""
        lines = re.findall(r"<p class='t1-(?:status|alert)'.*?</p>", self.html())
        return text_of(lines[-1]) if lines else ""

    def html(self) -> str:
        return "\n".join(each.value for each in self.widgets() if type(each).__name__ == "HTML" and shown(each))

    def page(self) -> str:
        return text_of(self.html())


def walk(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from walk(child)


def shown(widget: Any) -> bool:
    return "<style>" not in widget.value


def label_of(widget: Any) -> str | None:
    return getattr(widget, "label", None) if type(widget).__name__ == "Bridge" else None


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", " ", html)).replace("  ", " ").strip()


def saved() -> str:
    """What "save widget state" would write into the notebook."""
    return repr(Widget.get_manager_state(drop_defaults=False))


def upload(hand: Hand, name: str, content: bytes, *, piece: int = 1 << 20, label: str = "Upload a file") -> None:
    """Send a file as the page does: slice by slice."""
    widget = hand.field(label)
    widget._handle_custom_msg({"type": "begin", "name": name, "size": len(content)}, [])
    for offset in range(0, len(content), piece):
        widget._handle_custom_msg({"type": "slice", "offset": offset}, [memoryview(content[offset : offset + piece])])


def people(path: Path, *, rows: int, bad: int = 0) -> Path:
    """Write customers; every so many has an age that is none."""
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["integration_id", "Email", "Age"])
        for number in range(rows):
            age = "n/a" if bad and number % bad == 7 else 20 + number % 50
            lines.writerow([f"C{number:06d}", f"c{number}@people.example", age])
    return path
