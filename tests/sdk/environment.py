"""The environments of the official SDKs: both install a module of the same name, so each has its own in ``.venvs``."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

SDK = Path(__file__).parent
ROOT = SDK.parents[1]


def python_with(name: str) -> Path:
    """Return the interpreter of the environment that holds one SDK; make it when it is missing or out of date."""
    lock = SDK / f"requirements-{name}.lock"
    home = ROOT / ".venvs" / f"sdk-{name}"
    python, stamp = home / "bin" / "python", home / "installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--require-hashes", "-r", lock]
        subprocess.run(pip, check=True)
        stamp.write_text(wanted)
    return python
