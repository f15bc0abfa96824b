"""The directory driver: whole files or none, named by their content, checked when they are read."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from invincible._native import Payload
from invincible.contrib.storage import DirectoryStorageDriver
from invincible.converter import (
    ConversionError,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)


def payload(data: bytes) -> Payload:
    return Payload({"encoding": b"binary/plain"}, data)


async def store(driver: DirectoryStorageDriver, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
    return await driver.store(StorageDriverStoreContext(), payloads)


async def retrieve(driver: DirectoryStorageDriver, claims: Sequence[StorageDriverClaim]) -> list[Payload]:
    return await driver.retrieve(StorageDriverRetrieveContext(), claims)


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def test_what_one_stores_another_retrieves_in_order(tmp_path: Path) -> None:
    payloads = [payload(bytes([number]) * 1000) for number in range(20)]
    claims = await store(DirectoryStorageDriver(tmp_path), payloads)
    assert await retrieve(DirectoryStorageDriver(tmp_path), claims) == payloads
    assert await retrieve(DirectoryStorageDriver(tmp_path), claims[::-1]) == payloads[::-1]


async def test_equal_payloads_are_one_file_and_leave_nothing_else(tmp_path: Path) -> None:
    driver = DirectoryStorageDriver(tmp_path)
    claims = await asyncio.gather(*(store(driver, [payload(b"same")]) for _ in range(30)))
    assert len({claim.claim_data["sha256"] for (claim,) in claims}) == 1
    assert len(files(tmp_path)) == 1


async def test_storing_again_touches_the_file(tmp_path: Path) -> None:
    driver = DirectoryStorageDriver(tmp_path)
    await store(driver, [payload(b"old")])
    (file,) = files(tmp_path)
    os.utime(file, (0, 0))
    await store(driver, [payload(b"old")])
    assert file.stat().st_mtime > 0


async def test_storing_again_mends_a_file_that_was_cut_off(tmp_path: Path) -> None:
    driver = DirectoryStorageDriver(tmp_path)
    claims = await store(driver, [payload(b"whole")])
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes()[:3])
    await store(driver, [payload(b"whole")])
    assert await retrieve(driver, claims) == [payload(b"whole")]


async def test_a_payload_that_is_not_there(tmp_path: Path) -> None:
    driver = DirectoryStorageDriver(tmp_path, name="shared")
    claims = await store(driver, [payload(b"gone")])
    files(tmp_path)[0].unlink()
    with pytest.raises(FileNotFoundError) as caught:
        await retrieve(driver, claims)
    digest = claims[0].claim_data["sha256"]
    assert str(caught.value) == (
        f"storage driver 'shared' has no payload {digest} in {tmp_path}: it was deleted, or stored in another directory"
    )


async def test_a_damaged_payload(tmp_path: Path) -> None:
    driver = DirectoryStorageDriver(tmp_path)
    claims = await store(driver, [payload(b"secret content")])
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"secret", b"hidden"))
    with pytest.raises(ConversionError, match="was damaged") as caught:
        await retrieve(driver, claims)
    assert str(file) in str(caught.value)
    assert "content is not that of its name" in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 64 + "/x", "/" * 64])
async def test_a_claim_cannot_name_other_files(tmp_path: Path, digest: str) -> None:
    with pytest.raises(ConversionError, match="no claim of a DirectoryStorageDriver"):
        await retrieve(DirectoryStorageDriver(tmp_path), [StorageDriverClaim({"sha256": digest})])


async def test_a_claim_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="no claim of a DirectoryStorageDriver"):
        await retrieve(DirectoryStorageDriver(tmp_path), [StorageDriverClaim({"bucket": "b"})])


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="create or mount it"):
        DirectoryStorageDriver(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        DirectoryStorageDriver(tmp_path / "file")


async def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = DirectoryStorageDriver(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        await store(driver, [payload(b"x")])
    assert files(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize(("mode", "directory_mode"), [(0o600, 0o700), (0o640, 0o750), (0o660, 0o770)])
async def test_permissions(tmp_path: Path, mode: int, directory_mode: int) -> None:
    old = os.umask(0)
    try:
        await store(DirectoryStorageDriver(tmp_path, file_mode=mode), [payload(b"x")])
    finally:
        os.umask(old)
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert stat.S_IMODE(file.parent.stat().st_mode) == directory_mode


def test_names() -> None:
    driver = DirectoryStorageDriver("/", name="nfs")
    assert (driver.name(), driver.type()) == ("nfs", "directory")
