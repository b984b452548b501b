"""Rows that came through the page: readable like a file, and in no file that outlives the kernel.

The bytes lie in a nameless file, which the system takes back with the process, however that ends; what has a name
is a link to it. Where a system has no such links, the bytes lie in a private folder that is removed at the end.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import IO

_OPEN_FILES = Path("/proc/self/fd")


class Held:
    """A growing file without a name of its own.

    Parameters
    ----------
    name : str
        As the person's machine calls the file; only its last part is used.

    Attributes
    ----------
    path : Path
        Where functions that take a file find it, while this object lives.
    size : int
        Bytes so far.

    Examples
    --------
    >>> held = Held("people.csv")
    >>> held.write(b"integration_id\\n001\\n")
    >>> held.path.name, held.path.read_text()
    ('people.csv', 'integration_id\\n001\\n')
    """

    def __init__(self, name: str) -> None:
        folder = tempfile.mkdtemp(prefix="t1data-")
        self.path = Path(folder) / _harmless(name)
        self._file: IO[bytes] = self._open(folder)
        self.close = weakref.finalize(self, _give_up, self._file, folder)  # also at the end of the kernel
        self.size = 0

    def _open(self, folder: str) -> IO[bytes]:
        if not _OPEN_FILES.is_dir():
            return self.path.open("xb", buffering=0)
        nameless = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  (it lives as long as this object)
        self.path.symlink_to(_OPEN_FILES / str(nameless.fileno()))
        return nameless

    def write(self, content: bytes | memoryview) -> None:
        """Add bytes at the end."""
        self.size += self._file.write(content)

    def __repr__(self) -> str:
        return f"<Held {self.path.name}: {self.size:,} bytes>"


def _give_up(file: IO[bytes], folder: str) -> None:
    file.close()
    shutil.rmtree(folder, ignore_errors=True)


def hold(path: Path, *, name: str | None = None) -> Held:
    """Take a file's content into a nameless one, and delete the file."""
    held = Held(name or path.name)
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            held.write(piece)
    path.unlink()
    return held


def _harmless(name: str) -> str:
    """Return a file name that stays in its folder, whatever a page sent."""
    last = os.path.basename(name.replace("\\", "/").replace("\0", "")).strip()
    return last[-200:] if last.strip(".") else "upload"
