"""Ids as keyed hashes, for what may know a customer again and must not name one."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from t1data.errors import JournalError
from t1data.journal.names import runs_folder

WIDTH = 16  # bytes; ten million ids meet by chance with odds of 1 to 10**24
_KEY_FILE = "ids.key"
_KEY_BYTES = 32


def machine_key(folder: Path | None = None) -> bytes:
    """Return the key of this machine's hashes, made at its first use; it lies with the runs, for its owner alone.

    Raises
    ------
    JournalError
        The file cannot be written or read, or is no key.
    """
    path = (folder or runs_folder()) / _KEY_FILE
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise JournalError(f"the key of the hashed ids at {path} cannot be used: {error.strerror}") from None
    if len(key) != _KEY_BYTES:
        raise JournalError(f"{path} is no key of hashed ids; move it away to begin anew")
    return key


def hash_id(key: bytes, integration_id: str) -> bytes:
    """Return the hash of an id: HMAC-SHA256, the first `WIDTH` bytes.

    Examples
    --------
    >>> hash_id(b"k" * 32, "007").hex()
    '7eb5192adba029e1d6f0ac3faac25f30'
    """
    return hmac.digest(key, integration_id.encode(), "sha256")[:WIDTH]


def _make(path: Path) -> None:
    """Put a new key in its place whole, unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{_KEY_FILE}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(_KEY_BYTES))
        os.fsync(handle)
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        os.close(handle)
        part.unlink()
