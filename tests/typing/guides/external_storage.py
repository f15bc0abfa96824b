"""What the page takes for granted."""

from __future__ import annotations

from invincible.converter import StorageDriver


class Bucket:
    async def put(self, data: bytes) -> str:
        return data.hex()

    async def get(self, key: str) -> bytes:
        return bytes.fromhex(key)


bucket = Bucket()
fast: StorageDriver
cheap: StorageDriver
