"""Files that are written whole or not at all, for their owner's eyes, and never over another unasked."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from t1data.errors import InputError

# What a file system says that has no hard links, as on FAT and some network shares.
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.EMLINK, errno.EXDEV}


@contextmanager
def replacing(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a private file beside `path` that takes its name only when the block ends well.

    Parameters
    ----------
    path : Path
        The file. Nobody but its owner can read it, whatever the umask.
    overwrite : bool
        Replace a file that is there. Without it, one that appears while the block runs stays as it is too.

    Raises
    ------
    InputError
        The file is there already, or its folder cannot be written to.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "codes.csv")) as part:
    ...         _ = part.write_text("code")
    ...     Path(folder, "codes.csv").read_text()
    'code'
    """
    if not overwrite:
        refuse_existing(path)
    part = _private_file(path)
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path) if overwrite else _take_name(part, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def refuse_existing(path: Path) -> None:
    """Raise `InputError` when something has this name already, be it a link that leads nowhere."""
    if os.path.lexists(path):
        raise _there_already(path)


def _there_already(path: Path) -> InputError:
    return InputError(f"{path} is there already; name another file, or say overwrite=True")


def _private_file(path: Path) -> Path:
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # O_EXCL, 0600
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from None
    os.close(handle)
    return Path(name)


def _take_name(part: Path, path: Path) -> None:
    """Give the file its name unless another has it: a link, unlike a rename, replaces nothing."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise _there_already(path) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        refuse_existing(path)
        part.replace(path)
