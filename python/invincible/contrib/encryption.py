"""Encryption of payloads with AES-GCM, in the scheme of Temporal's samples. Needs the extra ``encryption``.

The whole payload is encrypted, with its metadata. What goes to Temporal has ``binary/encrypted`` as encoding, the
id of the key in ``encryption-key-id``, and as data a nonce of 12 bytes and what AES-GCM makes of the payload.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from invincible._native import Payload
from invincible.converter import ConversionError, PayloadCodec

__all__ = ["DecryptionError", "EncryptionCodec", "KeyProvider"]

KeyProvider: TypeAlias = Callable[[str], bytes | Awaitable[bytes]]
"""Returns the key of an id. It is asked once for each id; a ``LookupError`` of its says that there is no such key."""

_ENCODING = "binary/encrypted"
_KEY_ID = "encryption-key-id"
_NONCE_SIZE = 12
_TAG_SIZE = 16
_KEY_SIZES = (16, 24, 32)
# A thread costs 40 us, what it spares the event loop about 1.5 us per KiB.
_THREAD_SIZE = 256 * 1024


class DecryptionError(ConversionError):
    """A payload could not be decrypted: its key is not known, is another one, or the payload was changed."""


class EncryptionCodec(PayloadCodec):
    """Encrypts payloads with AES-GCM.

    One key may encrypt about four billion payloads (2**32), for nonces are random.

    To change the key, first give the new one to all clients, workers and codec servers, and only then make it the one
    that encrypts. Old keys stay as long as there is anything to be read that was encrypted with them.

    Args:
        keys: Keys of 16, 24 or 32 random bytes by id, or a function that returns the key of an id: it fetches it from
            where keys are kept, and must not block unless it is asynchronous.
        key_id: Id of the key that encrypts. It is visible to everyone who can read the payloads.
        accept_plain: Whether payloads that are not encrypted are passed through, as those are that were written
            before there was encryption. Otherwise they are an error.

    Raises:
        ValueError: ``key_id`` is not in ``keys``, or a key has the wrong size.

    Example::

        codec = EncryptionCodec({"2025": old, "2026": new}, key_id="2026")
        client = await Client.connect("localhost:7233", data_converter=DataConverter(payload_codec=codec))
    """

    def __init__(self, keys: Mapping[str, bytes] | KeyProvider, *, key_id: str, accept_plain: bool = True) -> None:
        """Creates the codec."""
        self._key_id = key_id
        self._accept_plain = accept_plain
        self._ciphers: dict[str, AESGCM] = {}
        self._fetches: dict[tuple[asyncio.AbstractEventLoop, str], asyncio.Task[AESGCM]] = {}
        self._provider: KeyProvider | None = None
        if isinstance(keys, Mapping):
            self._ciphers.update((each, _cipher(each, key)) for each, key in keys.items())
            if key_id not in self._ciphers:
                raise ValueError(f"there is no key {key_id!r} to encrypt with: keys has {_listed(self._ciphers)}")
        else:
            self._provider = keys

    @property
    def key_id(self) -> str:
        """Id of the key that encrypts."""
        return self._key_id

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypts payloads.

        Raises:
            LookupError: The key provider does not have the key.
        """
        try:
            cipher = await self._cipher(self._key_id)
        except LookupError:
            raise LookupError(f"the key provider has no key {self._key_id!r} to encrypt with") from None
        metadata = {"encoding": _ENCODING.encode(), _KEY_ID: self._key_id.encode()}

        def encrypted() -> list[Payload]:
            return [Payload(metadata, _sealed(cipher, payload.SerializeToString())) for payload in payloads]

        return await _computed(encrypted, sum(len(payload.data) for payload in payloads))

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypts payloads.

        Raises:
            DecryptionError: A payload cannot be decrypted.
        """
        ciphers = [await self._cipher_of(index, payload) for index, payload in enumerate(payloads)]

        def decrypted() -> list[Payload]:
            return [
                payload if cipher is None else _opened(cipher, payload, index)
                for index, (cipher, payload) in enumerate(zip(ciphers, payloads, strict=True))
            ]

        return await _computed(decrypted, sum(len(payload.data) for payload in payloads))

    async def _cipher_of(self, index: int, payload: Payload) -> AESGCM | None:
        """The cipher of a payload; ``None`` if it is not encrypted."""
        if payload.encoding != _ENCODING:
            if self._accept_plain:
                return None
            raise _refusal(index, f"the payload is not encrypted: its encoding is {payload.encoding!r}")
        key_id = payload.metadata.get(_KEY_ID)
        if key_id is None:
            raise _refusal(index, f"the payload is encrypted, but has no {_KEY_ID} in its metadata")
        try:
            return await self._cipher(key_id.decode(errors="replace"))
        except LookupError:
            known = f": known are {_listed(self._ciphers)}" if self._provider is None else " to the key provider"
            name = key_id.decode(errors="replace")
            raise _refusal(index, f"the payload is encrypted with key {name!r}, which is not known{known}") from None

    async def _cipher(self, key_id: str) -> AESGCM:
        cipher = self._ciphers.get(key_id)
        if cipher is not None:
            return cipher
        if self._provider is None:
            raise KeyError(key_id)
        # Many payloads may wait for one key. Whoever of them is cancelled leaves the others their fetch.
        place = asyncio.get_running_loop(), key_id
        fetch = self._fetches.get(place)
        if fetch is None:
            fetch = self._fetches[place] = asyncio.ensure_future(self._fetched(self._provider, key_id))
            fetch.add_done_callback(lambda _: self._fetches.pop(place))
        return await asyncio.shield(fetch)

    async def _fetched(self, provider: KeyProvider, key_id: str) -> AESGCM:
        key = provider(key_id)
        if inspect.isawaitable(key):
            key = await key
        cipher = self._ciphers[key_id] = _cipher(key_id, key)
        return cipher

    def __repr__(self) -> str:
        """The class and the id of the key; never a key."""
        return f"{type(self).__name__}(key_id={self._key_id!r})"


def _cipher(key_id: str, key: bytes) -> AESGCM:
    if not isinstance(key, bytes | bytearray | memoryview):
        raise TypeError(f"key {key_id!r} must be bytes, got {type(key).__name__}")
    if len(key) not in _KEY_SIZES:
        raise ValueError(f"key {key_id!r} has {len(key)} bytes: AES takes 16, 24 or 32")
    return AESGCM(key)


def _sealed(cipher: AESGCM, plain: bytes) -> bytes:
    nonce = os.urandom(_NONCE_SIZE)
    return nonce + cipher.encrypt(nonce, plain, None)


def _opened(cipher: AESGCM, payload: Payload, index: int) -> Payload:
    data = memoryview(payload.data)
    if len(data) < _NONCE_SIZE + _TAG_SIZE:
        raise _refusal(index, f"the encrypted payload has {len(data)} bytes only: it was cut off")
    try:
        return Payload.FromString(cipher.decrypt(data[:_NONCE_SIZE], data[_NONCE_SIZE:], None))
    except InvalidTag:
        key_id = payload.metadata[_KEY_ID].decode(errors="replace")
        problem = f"it was encrypted with another key of the id {key_id!r}, or it was changed"
        raise _refusal(index, f"the payload cannot be decrypted: {problem}") from None
    except ValueError:
        raise _refusal(index, "what was encrypted is not a payload") from None


def _refusal(index: int, reason: str) -> DecryptionError:
    error = DecryptionError(reason)
    error.index = index
    return error


async def _computed(compute: Callable[[], list[Payload]], size: int) -> list[Payload]:
    """What ``compute`` returns; from another thread if the payloads are large."""
    return compute() if size < _THREAD_SIZE else await asyncio.to_thread(compute)


def _listed(key_ids: Mapping[str, AESGCM]) -> str:
    return ", ".join(map(repr, key_ids)) or "none"
