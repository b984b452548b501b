"""Files as they lie on disk: what they are, whether they changed, and their bytes."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import pyarrow as pa

from t1data.errors import InputError

HEAD: Final = 4096


@dataclass(frozen=True)
class FileStamp:
    """One regular file, and how to tell later that it is still the same.

    Parameters
    ----------
    path : pathlib.Path
    size, mtime_ns, inode : int
        As they were when the file was opened.
    """

    path: Path
    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """Look at a file, or raise InputError saying why it cannot be read."""
        with readable(path):
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise InputError(f"{path} is no regular file, so it cannot be read twice. Save it to a file first.")
            with path.open("rb"):
                return cls(path, found.st_size, found.st_mtime_ns, found.st_ino)

    def check_unchanged(self) -> None:
        """Raise InputError when the file is gone or differs in size, time or identity."""
        if FileStamp.of(self.path) != self:
            raise InputError(f"{self.path} changed while being read. Copy it to a quiet place and start again.")

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, in hex; read in blocks, once."""
        with readable(self.path), self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.check_unchanged()
        return digest


def fingerprint_of(stamps: Sequence[FileStamp]) -> dict[str, Any]:
    """Fingerprint of one file, or of several in their order."""
    hashes = [stamp.sha256 for stamp in stamps]
    whole = hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    size, newest = sum(stamp.size for stamp in stamps), max(stamp.mtime_ns for stamp in stamps)
    return {"size": size, "mtime_ns": newest, "files": len(stamps), "sha256": whole}


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the system says about a path into an InputError for people."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"There is no file {path}. Check the path; the working folder is {Path.cwd()}.") from None
    except PermissionError:
        raise InputError(f"{path} may not be read by this user. Change its permissions or copy it.") from None
    except (IsADirectoryError, NotADirectoryError):
        raise InputError(f"{path} cannot be read as a file. Check the path.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged or cut off: {error}. Fetch it again.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None


def head_of(path: Path) -> bytes:
    """First bytes of a file, as they are stored."""
    with readable(path), path.open("rb") as file:
        return file.read(HEAD)


@contextmanager
def open_unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacking gzip and Zstandard as it streams; the first bytes tell, not the name."""
    head = head_of(path)
    with readable(path):
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path, "rb") as unpacked:
                yield cast("BinaryIO", unpacked)
        elif head.startswith(b"\x28\xb5\x2f\xfd"):
            with pa.CompressedInputStream(pa.OSFile(os.fspath(path)), "zstd") as stream:
                yield cast("BinaryIO", stream)
        else:
            with path.open("rb") as plain:
                yield plain
