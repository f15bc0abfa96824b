"""AES-GCM encryption: the scheme of Temporal's samples, rotation of keys, and errors that tell nothing secret."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from invincible._native import Payload
from invincible.contrib.encryption import DecryptionError, EncryptionCodec
from invincible.converter import DataConverter

OLD = bytes(range(32))
NEW = bytes(range(100, 132))
PLAIN = Payload({"encoding": b"json/plain"}, b'"top secret"')


def codec(**keys: bytes) -> EncryptionCodec:
    return EncryptionCodec(keys, key_id=next(iter(keys)))


def told(error: BaseException) -> str:
    """All that an error tells, with those it came from."""
    parts = [str(error), repr(error), repr(vars(error))]
    for other in (error.__cause__, error.__context__):
        parts += [told(other)] if other is not None else []
    return "\n".join(parts)


async def test_round_trip_keeps_the_metadata() -> None:
    payloads = [PLAIN, Payload({"encoding": b"binary/plain", "other": b"\xff"}, bytes(1000))]
    encrypted = await codec(k=OLD).encode(payloads)
    assert [payload.metadata for payload in encrypted] == [
        {"encoding": b"binary/encrypted", "encryption-key-id": b"k"}
    ] * 2
    assert all(b"secret" not in payload.SerializeToString() for payload in encrypted)
    assert await codec(k=OLD).decode(encrypted) == payloads


async def test_the_scheme_is_that_of_the_samples() -> None:
    (encrypted,) = await codec(k=OLD).encode([PLAIN])
    plain = AESGCM(OLD).decrypt(encrypted.data[:12], encrypted.data[12:], None)
    assert Payload.FromString(plain) == PLAIN
    sample = Payload(
        {"encoding": b"binary/encrypted", "encryption-key-id": b"k"},
        b"nonce, not 2" + AESGCM(OLD).encrypt(b"nonce, not 2", PLAIN.SerializeToString(), None),
    )
    assert await codec(k=OLD).decode([sample]) == [PLAIN]


async def test_no_nonce_twice() -> None:
    encrypted = await codec(k=OLD).encode([PLAIN] * 100)
    assert len({payload.data[:12] for payload in encrypted}) == 100


async def test_rotation() -> None:
    before = await codec(old=OLD).encode([PLAIN])
    rotated = codec(new=NEW, old=OLD)
    after = await rotated.encode([PLAIN])
    assert after[0].metadata["encryption-key-id"] == b"new"
    assert await rotated.decode([*before, *after]) == [PLAIN, PLAIN]


@pytest.mark.parametrize("size", [16, 24, 32])
async def test_key_sizes(size: int) -> None:
    sized = codec(k=bytes(size))
    assert await sized.decode(await sized.encode([PLAIN])) == [PLAIN]


async def test_what_was_not_encrypted_passes_unless_it_must_not() -> None:
    assert await codec(k=OLD).decode([PLAIN]) == [PLAIN]
    strict = EncryptionCodec({"k": OLD}, key_id="k", accept_plain=False)
    (encrypted,) = await strict.encode([PLAIN])
    with pytest.raises(DecryptionError, match="the payload is not encrypted: its encoding is 'json/plain'") as caught:
        await strict.decode([encrypted, PLAIN])
    assert caught.value.index == 1


def changed(payload: Payload, position: int) -> Payload:
    data = bytearray(payload.data)
    data[position] ^= 1
    return Payload(payload.metadata, bytes(data))


async def test_an_unknown_key() -> None:
    encrypted = await codec(k1=OLD).encode([PLAIN])
    with pytest.raises(DecryptionError) as caught:
        await codec(k2=NEW, k3=OLD).decode(encrypted)
    assert str(caught.value) == "the payload is encrypted with key 'k1', which is not known: known are 'k2', 'k3'"


@pytest.mark.parametrize("damage", ["other key", "nonce", "text", "tag"])
async def test_a_wrong_key_or_changed_data(damage: str) -> None:
    (encrypted,) = await codec(k=OLD).encode([PLAIN])
    positions = {"nonce": 0, "text": 14, "tag": -1}
    received = encrypted if damage == "other key" else changed(encrypted, positions[damage])
    with pytest.raises(DecryptionError) as caught:
        await codec(k=NEW if damage == "other key" else OLD).decode([received])
    assert str(caught.value) == (
        "the payload cannot be decrypted: it was encrypted with another key of the id 'k', or it was changed"
    )


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (Payload({"encoding": b"binary/encrypted"}, bytes(40)), "has no encryption-key-id in its metadata"),
        (
            Payload({"encoding": b"binary/encrypted", "encryption-key-id": b"k"}, bytes(27)),
            "has 27 bytes only: it was cut off",
        ),
        (
            Payload(
                {"encoding": b"binary/encrypted", "encryption-key-id": b"k"},
                bytes(12) + AESGCM(OLD).encrypt(bytes(12), b"top secret", None),
            ),
            "what was encrypted is not a payload",
        ),
        (
            Payload({"encoding": b"binary/encrypted", "encryption-key-id": b"\xff"}, bytes(40)),
            "encrypted with key '\ufffd', which is not known: known are 'k'",
        ),
    ],
)
async def test_broken_payloads(payload: Payload, message: str) -> None:
    with pytest.raises(DecryptionError) as caught:
        await codec(k=OLD).decode([payload])
    assert message in str(caught.value)
    assert caught.value.index == 0


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ({"a": OLD}, ValueError, "there is no key 'k' to encrypt with: keys has 'a'"),
        ({}, ValueError, "there is no key 'k' to encrypt with: keys has none"),
        ({"k": bytes(31)}, ValueError, "key 'k' has 31 bytes: AES takes 16, 24 or 32"),
        ({"k": "x" * 32}, TypeError, "key 'k' must be bytes, got str"),
    ],
)
def test_bad_keys(keys: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        EncryptionCodec(keys, key_id="k")
    assert str(caught.value) == message


class Vault:
    """A key provider that counts, and lets its callers wait."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.called = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, key_id: str) -> bytes:
        self.asked.append(key_id)
        self.called.set()
        await self.open.wait()
        return {"old": OLD, "new": NEW}[key_id]


async def test_a_provider_is_asked_once_for_each_key() -> None:
    vault = Vault()
    provided = EncryptionCodec(vault, key_id="new")
    encrypting = [asyncio.ensure_future(provided.encode([PLAIN])) for _ in range(20)]
    await vault.called.wait()
    # One that gives up leaves the others their key.
    encrypting[0].cancel()
    vault.open.set()
    results = await asyncio.gather(*encrypting, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert [isinstance(result, list) for result in results[1:]] == [True] * 19
    assert vault.asked == ["new"]
    await provided.decode(await codec(old=OLD).encode([PLAIN, PLAIN]))
    await provided.decode(await codec(old=OLD).encode([PLAIN]))
    assert vault.asked == ["new", "old"]


async def test_a_provider_without_the_key() -> None:
    vault = Vault()
    vault.open.set()
    provided = EncryptionCodec(vault, key_id="new")
    with pytest.raises(DecryptionError, match="with key 'other', which is not known to the key provider"):
        await provided.decode(await codec(other=OLD).encode([PLAIN]))
    # It may have the key later.
    with pytest.raises(DecryptionError):
        await provided.decode(await codec(other=OLD).encode([PLAIN]))
    assert vault.asked == ["other", "other"]
    with pytest.raises(LookupError, match="the key provider has no key 'gone' to encrypt with"):
        await EncryptionCodec(vault, key_id="gone").encode([PLAIN])


async def test_a_synchronous_provider_whose_key_is_bad() -> None:
    provided = EncryptionCodec(lambda key_id: bytes(5), key_id="k")
    with pytest.raises(ValueError, match="key 'k' has 5 bytes"):
        await provided.encode([PLAIN])


async def test_a_provider_serves_several_event_loops() -> None:
    provided = EncryptionCodec(lambda key_id: OLD, key_id="k")
    encrypted = await provided.encode([PLAIN])
    results: list[list[Payload]] = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(provided.decode(encrypted))))
    thread.start()
    thread.join()
    assert results == [[PLAIN]]


async def test_large_payloads_leave_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[int] = []
    to_thread = asyncio.to_thread

    async def noticed(function: Callable[[], list[Payload]]) -> list[Payload]:
        moved.append(1)
        return await to_thread(function)

    monkeypatch.setattr(asyncio, "to_thread", noticed)
    large = Payload({"encoding": b"binary/plain"}, bytes(256 * 1024))
    plain = codec(k=OLD)
    assert await plain.decode(await plain.encode([PLAIN])) == [PLAIN]
    assert moved == []
    assert await plain.decode(await plain.encode([large])) == [large]
    assert moved == [1, 1]


async def test_nothing_secret_is_told() -> None:
    keyed = codec(k=OLD)
    converter = DataConverter(payload_codec=keyed)
    (encrypted,) = await converter.encode(["top secret"])
    assert repr(keyed) == "EncryptionCodec(key_id='k')"
    texts = [repr(keyed), str(keyed), repr(converter), repr(encrypted)]
    for other, received in ((codec(k=NEW), encrypted), (keyed, changed(encrypted, 20)), (codec(x=OLD), encrypted)):
        with pytest.raises(DecryptionError) as caught:
            await other.decode([received])
        texts.append(told(caught.value))
    with pytest.raises(TypeError) as refused:
        await converter.decode([encrypted], [int])
    texts.append(told(refused.value))
    for text in texts:
        for secret in ("top secret", repr(OLD)[2:-1], OLD.hex(), repr(NEW)[2:-1], NEW.hex()):
            assert secret not in text
