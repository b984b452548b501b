"""JupyterLab and Voila on loopback, each a process with a folder of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

import t1data.forms

ROOT = Path(__file__).parents[2]
PAGE_OF_FORMS = ROOT / "notebooks" / "06_forms.ipynb"
PATIENCE = 60.0
TEMPLATES = Path(t1data.forms.__file__).parent  # holds voila/templates, as share/jupyter does once installed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """A process that serves notebooks from a folder of its own, and all of its files in that folder."""

    root: Path
    words: list[str]
    port: int = field(default_factory=free_port)
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        shutil.copy(PAGE_OF_FORMS, self.work)
        (self.root / "sample_data").symlink_to(ROOT / "sample_data")  # notebooks find it one folder up
        words = [word.format(port=self.port, token=self.token, work=self.work) for word in self.words]
        with (self.root / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words], env=self._environment(), cwd=self.work, stdout=log, stderr=log
            )
        self._wait()

    def _environment(self) -> dict[str, str]:
        others = ("_PROXY", "T1DATA_API_KEY", "T1DATA_BASE_URL", "T1DATA_MANAGEMENT_KEY")
        kept = {name: value for name, value in os.environ.items() if not name.upper().endswith(others)}
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "T1DATA_RUNS": "runs",
            "TMPDIR": "tmp",
        }
        (self.root / "tmp").mkdir(exist_ok=True)
        found = kept | {name: str(self.root / folder) for name, folder in folders.items()}
        return found | {
            "T1DATA_CONFIG": str(self.root / "config.toml"),
            "MPLBACKEND": "agg",
            "JUPYTER_PATH": str(TEMPLATES),
        }

    def _wait(self) -> None:
        """Wait until the port answers; a request for a page would already start a kernel."""
        ends, pause = time.monotonic() + PATIENCE, 0.05
        while time.monotonic() < ends:
            assert self.process is not None
            assert self.process.poll() is None, (self.root / "server.log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(pause)
        raise TimeoutError(self.url)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def write(self, name: str, *cells: str) -> Path:
        """Write a notebook of code cells."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = self.work / name
        nbformat.write(notebook, path)
        return path

    def journals(self) -> list[str]:
        return [str(path) for path in (self.root / "runs").glob("*.sqlite")]

    def files_with(self, *secrets_: str) -> list[str]:
        """Return every file of the server that holds one of these texts."""
        wanted = [text.encode() for text in secrets_]
        files = [path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink()]
        return [str(path) for path in files if any(text in path.read_bytes() for text in wanted)]


SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    # Else a cell that is scrolled out of sight is not on the page.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    # The setting under which a key would be saved with the notebook: that is where to look for it.
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}
LAB = [
    "jupyterlab",
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port={port}",
    "--ServerApp.port_retries=0",
    "--IdentityProvider.token={token}",
    "--ServerApp.root_dir={work}",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.news_url=",
]
VOILA = ["voila", "{work}/06_forms.ipynb", "--no-browser", "--Voila.ip=127.0.0.1", "--port={port}", "--template=t1data"]
