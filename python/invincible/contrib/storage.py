"""A storage driver that keeps payloads as files of a directory, of a shared file system for instance."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from invincible._native import Payload
from invincible.converter import (
    ConversionError,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

__all__ = ["DirectoryStorageDriver"]

_DIGEST = "sha256"
_DIGEST_FORM = re.compile(r"[0-9a-f]{64}")


class DirectoryStorageDriver(StorageDriver):
    """Keeps each payload as a file, named by the SHA-256 of its content: equal payloads are one file.

    All clients and workers need the directory, at any path. Nothing deletes files; those that were not touched for
    longer than workflows run and are retained may go. Storing a payload again touches its file.

    Files appear as a whole or not at all, and are on the disk before Temporal hears of them. A file that was damaged
    is noticed when it is read.

    Args:
        directory: The directory, which must exist: one that is not there may be a file system that is not mounted.
        name: Name of the driver, the same for all who share the directory. It is part of every reference.
        file_mode: Permissions of the files. Directories get the same, and may be entered by who may read.

    Raises:
        NotADirectoryError: There is no such directory.

    Example::

        storage = ExternalStorage([DirectoryStorageDriver("/mnt/payloads")])
        converter = DataConverter(external_storage=storage)
    """

    def __init__(self, directory: str | os.PathLike[str], *, name: str = "directory", file_mode: int = 0o600) -> None:
        """Creates the driver."""
        self._directory = Path(directory).absolute()
        self._name = name
        self._file_mode = file_mode
        if not self._directory.is_dir():
            raise NotADirectoryError(
                f"there is no directory {self._directory} to store payloads in: create or mount it"
            )

    def name(self) -> str:
        """The name it was given."""
        return self._name

    def type(self) -> str:
        """``directory``."""
        return "directory"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """Writes payloads that are not there yet.

        Raises:
            OSError: A file cannot be written.
        """
        return await asyncio.gather(*(asyncio.to_thread(self._write, payload) for payload in payloads))

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Reads payloads.

        Raises:
            FileNotFoundError: One is not there.
            ConversionError: One was damaged.
            OSError: A file cannot be read.
        """
        return await asyncio.gather(*(asyncio.to_thread(self._read, claim) for claim in claims))

    def _write(self, payload: Payload) -> StorageDriverClaim:
        content = payload.SerializeToString()
        digest = hashlib.new(_DIGEST, content).hexdigest()
        path = self._path(digest)
        if not self._touched(path, len(content)):
            self._create(path, content)
        return StorageDriverClaim({_DIGEST: digest})

    def _touched(self, path: Path, size: int) -> bool:
        """Whether the file is there, and counts as used just now."""
        try:
            if path.stat().st_size != size:
                return False
            os.utime(path)
        except (FileNotFoundError, PermissionError):
            return False
        return True

    def _create(self, path: Path, content: bytes) -> None:
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir(mode=self._file_mode | (self._file_mode & 0o444) >> 2)
            _make_names_durable(self._directory)
        # Of several that write the same content at once, each has a file of its own until it has the name.
        unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with open(unfinished, "xb", opener=lambda name, flags: os.open(name, flags, self._file_mode)) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        _make_names_durable(path.parent)

    def _read(self, claim: StorageDriverClaim) -> Payload:
        digest = claim.claim_data.get(_DIGEST, "")
        # The claim comes from outside: it must not name files elsewhere.
        if not _DIGEST_FORM.fullmatch(digest):
            raise ConversionError(f"no claim of a DirectoryStorageDriver: its {_DIGEST} is {digest[:80]!r}")
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise FileNotFoundError(
                f"storage driver {self._name!r} has no payload {digest} in {self._directory}: it was deleted, or "
                f"stored in another directory"
            ) from None
        if hashlib.new(_DIGEST, content).hexdigest() != digest:
            raise ConversionError(f"the payload in {path} was damaged: its content is not that of its name")
        return Payload.FromString(content)

    def _path(self, digest: str) -> Path:
        return self._directory / digest[:2] / digest


def _make_names_durable(directory: Path) -> None:
    """Where a new name in a directory is not durable before the directory is synchronized, does so."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
