"""Where an import's files lie: one directory each below the data directory, gone when they are no longer needed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fluenzr_app.contacts.errors import FileRefused
from fluenzr_app.contacts.staging import FAULTS, STAGED

FOLDER = "imports"
ORIGINAL = "original.csv"


@dataclass(frozen=True)
class StoredFile:
    """A file that came in: its path below the data directory, and its size."""

    relative: str
    size: int


def store_file(data_dir: Path, blocks: Iterable[bytes], *, most_bytes: int | None = None) -> StoredFile:
    """Write the blocks to a directory of their own, readable by this user only.

    Raises FileRefused ``too_large`` as soon as the bound is passed; nothing is left behind then.
    """
    folder = data_dir / FOLDER / secrets.token_hex(8)
    folder.mkdir(mode=0o700, parents=True)
    size = 0
    try:
        descriptor = os.open(folder / ORIGINAL, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for block in blocks:
                size += len(block)
                if most_bytes is not None and size > most_bytes:
                    raise FileRefused(
                        "too_large",
                        f"The file is larger than {most_bytes // (1 << 20)} MB; split it and import the parts.",
                        limit=most_bytes,
                    )
                file.write(block)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return StoredFile((folder / ORIGINAL).relative_to(data_dir).as_posix(), size)


def original_of(data_dir: Path, relative: str) -> Path:
    """Return the path of the file as it came in."""
    return data_dir / relative


def folder_of(data_dir: Path, relative: str) -> Path:
    """Return the import's own directory."""
    return original_of(data_dir, relative).parent


def drop_contacts(data_dir: Path, relative: str) -> None:
    """Delete the copies of people's data when the run is over; only the faulty rows stay, for the error file."""
    folder = folder_of(data_dir, relative)
    for name in (ORIGINAL, STAGED, f"{STAGED}.part", f"{FAULTS}.part"):
        (folder / name).unlink(missing_ok=True)


def drop_all(data_dir: Path, relative: str) -> None:
    """Delete everything of an import."""
    shutil.rmtree(folder_of(data_dir, relative), ignore_errors=True)
