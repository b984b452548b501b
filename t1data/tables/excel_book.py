"""An XLSX workbook as the zip archive of XML that it is: what it really is, its sheets, and that it is no bomb."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final
from xml.etree import ElementTree

from t1data.errors import InputError
from t1data.tables.choices import listing
from t1data.tables.files import readable

LARGEST: Final = 1024 * 1024 * 1024
"""Bytes that a workbook may unpack to: reading it takes memory of that order, and a bomb takes all there is."""

_LARGEST_INDEX: Final = 16 * 1024 * 1024
_WORKBOOK: Final = "xl/workbook.xml"
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, ElementTree.ParseError, KeyError, EOFError, NotImplementedError)
_PIECE: Final = 1024 * 1024


@dataclass(frozen=True)
class Sheet:
    """A worksheet of a workbook.

    Parameters
    ----------
    name : str
        As people see it.
    part : str
        The name of its XML in the archive.
    shown : bool
        False for a hidden one.
    """

    name: str
    part: str
    shown: bool


def kind_of_zip(path: Path) -> str:
    """Tell what a zip archive is by what it holds: ``"excel"``, or words for people."""
    with _opened(path) as book:
        names = set(book.namelist())
        if _WORKBOOK in names:
            return "excel"
        if "xl/workbook.bin" in names:
            return "a binary Excel workbook (XLSB)"
        kind = book.read("mimetype")[:100] if "mimetype" in names else b""
        return "an OpenDocument spreadsheet (ODS)" if b"opendocument.spreadsheet" in kind else "a zip archive"


def kind_of_ole(path: Path) -> str:
    """Tell an old Excel workbook from a new one with a password, which is wrapped in the same kind of container."""
    wrapped, before = "EncryptedPackage".encode("utf-16-le"), b""
    with readable(path), path.open("rb") as file:
        while block := file.read(_PIECE):
            if wrapped in before + block:
                return "an Excel workbook with a password (open it in Excel, and take the password off)"
            before = block[-len(wrapped) :]
    return "an old Excel workbook (XLS)"


@contextmanager
def open_book(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a workbook, and see first that all of it can be unpacked, in a size that can be read.

    Raises
    ------
    InputError
        It is too large, damaged or cut off; the message says what to do.
    """
    with _opened(path) as book:
        size = sum(member.file_size for member in book.infolist())
        if size > LARGEST:
            raise InputError(
                f"{path} unpacks to {size / 1e9:.1f} GB, and a workbook is read whole: {LARGEST / 1e9:.1f} GB are the"
                " most. Save the sheet as CSV."
            )
        if book.testzip() is not None:  # the sizes are the archive's own word: only unpacking shows that they hold
            raise zipfile.BadZipFile("a checksum does not hold")
        yield book


def choose_sheet(book: zipfile.ZipFile, wanted: str | None, *, path: Path) -> Sheet:
    """Return the sheet that is meant: the one named, else the only one that is shown and holds anything.

    Raises
    ------
    InputError
        There is none of this name, or several could be meant; the message names them.
    """
    sheets = sheets_of(book)
    if wanted is not None:
        named = [sheet for sheet in sheets if sheet.name == wanted]
        if not named:
            raise InputError(f"{path} has no sheet {wanted!r}, it has {listing(sheet.name for sheet in sheets)}.")
        return named[0]
    shown = [sheet for sheet in sheets if sheet.shown]
    filled = [sheet for sheet in shown if len(shown) == 1 or _holds_cells(book, sheet)]
    if len(filled) > 1:
        names = listing(sheet.name for sheet in filled)
        raise InputError(f"{path} has {len(filled)} sheets: {names}. Say which one is meant: sheet={filled[0].name!r}")
    if not filled:
        raise InputError(f"{path} has no rows: its sheets are empty or hidden. Check that it is the right file.")
    return filled[0]


def sheets_of(book: zipfile.ZipFile) -> list[Sheet]:
    """List the worksheets in the workbook's order."""
    links = _elements(book, "xl/_rels/workbook.xml.rels", "Relationship")
    parts = {link["Id"]: _part(link["Target"]) for link in links if link["Type"].endswith("/worksheet")}
    named = [(found, _foreign(found, "id")) for found in _elements(book, _WORKBOOK, "sheet")]
    return [
        Sheet(found["name"], parts[link], found.get("state", "visible") == "visible")
        for found, link in named
        if link in parts
    ]


def blocks_of(part: IO[bytes]) -> Iterator[bytes]:
    """Read an open part of the archive, a megabyte at a time."""
    return iter(lambda: part.read(_PIECE), b"")


def _holds_cells(book: zipfile.ZipFile, sheet: Sheet) -> bool:
    before = b""
    with book.open(sheet.part) as part:
        for block in blocks_of(part):
            if any(sign in before + block for sign in (b"<v>", b":v>", b"<is>", b":is>")):
                return True
            before = block[-5:]
    return False


def _elements(book: zipfile.ZipFile, part: str, name: str) -> Iterator[dict[str, str]]:
    """Yield the attributes of all elements of one name, whatever the namespace."""
    content = book.read(part)
    if len(content) > _LARGEST_INDEX or b"<!DOCTYPE" in content:  # no workbook has entities; a bomb of XML does
        raise zipfile.BadZipFile(f"{part} is not as a workbook has it")
    for element in ElementTree.fromstring(content).iter():  # noqa: S314 - entities and size are refused above
        if element.tag.rpartition("}")[2] == name:
            yield dict(element.attrib)


def _foreign(element: dict[str, str], name: str) -> str:
    """Return an attribute of another namespace, which is not the same one in all workbooks."""
    return next((value for key, value in element.items() if key.endswith(f"}}{name}")), "")


def _part(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with readable(path), _explained(path), zipfile.ZipFile(path) as book:
        yield book


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (*_DAMAGE, RuntimeError) as error:  # RuntimeError: a member is encrypted
        said = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise InputError(
            f"{path} is an XLSX workbook or another zip archive, and is damaged or cut off ({said}). Save it again."
        ) from None
