"""What the page takes for granted."""

from __future__ import annotations


class Vault:
    async def read(self, path: str) -> bytes:
        return path.encode()


vault = Vault()
