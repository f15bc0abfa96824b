"""External storage: drivers that keep large payloads outside of Temporal, where only a reference to them goes."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from invincible._native import Payload

_SERVER_LIMIT = 2 * 1024 * 1024


class StorageWarning(RuntimeWarning):
    """External storage is set up in a way that will not do what it is for."""


@dataclass(frozen=True, kw_only=True)
class StorageDriverWorkflowInfo:
    """The workflow that payloads are stored for.

    Args:
        namespace: Its namespace.
        id: Its id, where it is known.
        run_id: Its run, where it is known: not before it is started.
        type: Its type, where it is known.
    """

    namespace: str
    id: str | None = None
    run_id: str | None = None
    type: str | None = None


@dataclass(frozen=True, kw_only=True)
class StorageDriverActivityInfo:
    """The activity that payloads are stored for.

    Args:
        namespace: Its namespace.
        id: Its id, where it is known.
        run_id: Its run, where it is known; standalone activities have runs.
        type: Its type, where it is known.
    """

    namespace: str
    id: str | None = None
    run_id: str | None = None
    type: str | None = None


StorageTarget: TypeAlias = StorageDriverActivityInfo | StorageDriverWorkflowInfo


@dataclass(frozen=True)
class StorageDriverStoreContext:
    """What a driver is told when it stores.

    Args:
        target: What the payloads are stored for, where it is known.
    """

    target: StorageTarget | None = None


@dataclass(frozen=True)
class StorageDriverSelectContext:
    """What ``driver_selector`` is told.

    Args:
        target: What the payload is stored for, where it is known.
    """

    target: StorageTarget | None = None


@dataclass(frozen=True)
class StorageDriverRetrieveContext:
    """What a driver is told when it retrieves."""


@dataclass(frozen=True)
class StorageDriverClaim:
    """What a driver needs to find a payload again. It travels to Temporal, unencrypted, in place of the payload.

    Args:
        claim_data: Texts of the driver's choice, a key say.
    """

    claim_data: Mapping[str, str]


class StorageDriver(ABC):
    """Stores payloads somewhere and retrieves them, for clients and workers alike.

    Runs outside of workflows, on the event loop of the client or worker. Payloads may be stored more than once, when
    a workflow task is repeated say: name objects by their content, so that this costs nothing.

    Example::

        class BucketDriver(StorageDriver):
            def name(self):
                return "bucket"

            async def store(self, context, payloads):
                return [StorageDriverClaim({"key": await bucket.put(each.SerializeToString())}) for each in payloads]

            async def retrieve(self, context, claims):
                return [Payload.FromString(await bucket.get(each.claim_data["key"])) for each in claims]
    """

    @abstractmethod
    def name(self) -> str:
        """The name of this driver among the others. It is part of every reference, so it must not change."""

    def type(self) -> str:
        """What kind of driver it is, the same in every language; the name of the class by default."""
        return type(self).__name__

    @abstractmethod
    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        """Stores payloads.

        Args:
            context: What they are stored for.
            payloads: The payloads, as the codec encoded them.

        Returns:
            A claim for each, in order.
        """

    @abstractmethod
    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Retrieves payloads.

        Args:
            context: Nothing for now.
            claims: What :meth:`store` returned, now or long ago.

        Returns:
            The payload of each, in order.
        """


@dataclass(frozen=True)
class ExternalStorage:
    """Which payloads are stored outside of Temporal, and where.

    Payloads are stored after the codec encoded them: what is encrypted stays so in the storage.

    Args:
        drivers: The drivers, with names of their own. References name the driver they belong to, so one that is no
            longer used for new payloads stays here until no reference to it is left.
        driver_selector: Chooses the driver of a payload; ``None`` from it leaves the payload where it is. Needed if
            there are several drivers, else the only one is taken.
        payload_size_threshold: Size in bytes, of the payload with its metadata, from which on payloads are stored.

    Raises:
        ValueError: There is no driver, two of one name, several without a selector, or the threshold is negative.
    """

    drivers: Sequence[StorageDriver]
    driver_selector: Callable[[StorageDriverSelectContext, Payload], StorageDriver | None] | None = None
    payload_size_threshold: int = 256 * 1024

    def __post_init__(self) -> None:
        """Checks the settings."""
        names = [driver.name() for driver in self.drivers]
        if not names:
            raise ValueError("ExternalStorage needs at least one driver")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"ExternalStorage has several drivers named {name!r}: give each a name of its own")
        if len(names) > 1 and self.driver_selector is None:
            raise ValueError("ExternalStorage with several drivers needs a driver_selector")
        if self.payload_size_threshold < 0:
            raise ValueError(f"payload_size_threshold must not be negative, got {self.payload_size_threshold}")
        if self.payload_size_threshold > _SERVER_LIMIT:
            warnings.warn(
                f"payload_size_threshold is {self.payload_size_threshold}, but servers refuse payloads of more than "
                f"{_SERVER_LIMIT} bytes by default: smaller payloads than the threshold will fail",
                StorageWarning,
                stacklevel=3,
            )
