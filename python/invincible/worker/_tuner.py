"""How many tasks of each kind a worker has under way at a time: tuners, and the suppliers of slots that they are of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from inspect import iscoroutinefunction
from typing import Literal, TypeAlias

from invincible.common import WorkerDeploymentVersion

from ._option_types import check_whole

_DEFAULT_SLOTS = 100
# Of resource-based suppliers.
_MAXIMUM = 500

SlotKind: TypeAlias = Literal["workflow", "activity", "local-activity", "nexus"]


@dataclass(frozen=True)
class FixedSizeSlotSupplier:
    """So many slots and no more.

    Args:
        num_slots: How many.

    Raises:
        TypeError: ``num_slots`` is no whole number.
        ValueError: ``num_slots`` is below 1.
    """

    num_slots: int

    def __post_init__(self) -> None:
        check_whole("num_slots", self.num_slots, least=1)


@dataclass(frozen=True)
class ResourceBasedTunerConfig:
    """Usage of the machine, or of the container, that resource-based suppliers aim at.

    Args:
        target_memory_usage: Share of the memory, from 0 to 1. Leave room: tasks that are under way may need more.
        target_cpu_usage: Share of all processors, from 0 to 1.

    Raises:
        TypeError: a share is no number.
        ValueError: a share is not between 0 and 1.
    """

    target_memory_usage: float
    target_cpu_usage: float

    def __post_init__(self) -> None:
        for name in ("target_memory_usage", "target_cpu_usage"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                raise TypeError(f"{name} must be a number, got {type(value).__name__}; 0.8 is for 80 %")
            if not 0 < value <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, not {value}; 0.8 is for 80 %")


@dataclass(frozen=True)
class ResourceBasedSlotConfig:
    """Bounds of one resource-based supplier.

    Args:
        minimum_slots: Slots that are given out whatever the usage; 5 for workflow tasks and 1 for others by default.
        maximum_slots: Slots that are given out at most; 500 by default.
        ramp_throttle: Time between two slots above the minimum, so that usage can follow; none for workflow tasks and
            50 ms for others by default.

    Raises:
        TypeError: a number is no whole number, or the time no timedelta.
        ValueError: a number is below 1, the maximum below the minimum, or the time negative.
    """

    minimum_slots: int | None = None
    maximum_slots: int | None = None
    ramp_throttle: timedelta | None = None

    def __post_init__(self) -> None:
        for name in ("minimum_slots", "maximum_slots"):
            value = getattr(self, name)
            if value is not None:
                check_whole(name, value, least=1)
        if self.minimum_slots is not None and self.minimum_slots > (self.maximum_slots or _MAXIMUM):
            raise ValueError(
                f"maximum_slots must be at least minimum_slots, got {self.maximum_slots or _MAXIMUM} and "
                f"{self.minimum_slots}"
            )
        if self.ramp_throttle is not None:
            if not isinstance(self.ramp_throttle, timedelta):
                raise TypeError(f"ramp_throttle must be a timedelta, got {type(self.ramp_throttle).__name__}")
            if self.ramp_throttle < timedelta():
                raise ValueError(f"ramp_throttle must not be negative, got {self.ramp_throttle}")


@dataclass(frozen=True)
class ResourceBasedSlotSupplier:
    """Slots as long as memory and CPU of the machine, or of the container, are used less than is aimed at.

    Args:
        slot_config: Bounds.
        tuner_config: What is aimed at; the same for all suppliers of one tuner.

    Raises:
        TypeError: one of them is of a wrong type, as when they are given in the wrong order.
    """

    slot_config: ResourceBasedSlotConfig
    tuner_config: ResourceBasedTunerConfig

    def __post_init__(self) -> None:
        for name, kind in (("slot_config", ResourceBasedSlotConfig), ("tuner_config", ResourceBasedTunerConfig)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(f"{name} must be a {kind.__name__}, got {type(value).__name__}")


class SlotPermit:
    """Leave to use one slot. Derive from it to keep data with a slot."""


@dataclass(frozen=True)
class WorkflowSlotInfo:
    """A workflow task in a slot.

    Attributes:
        workflow_type: Name of the workflow.
        is_sticky: Whether the run is in the worker's cache.
    """

    workflow_type: str
    is_sticky: bool


@dataclass(frozen=True)
class ActivitySlotInfo:
    """An activity in a slot.

    Attributes:
        activity_type: Name of the activity.
    """

    activity_type: str


@dataclass(frozen=True)
class LocalActivitySlotInfo:
    """A local activity in a slot.

    Attributes:
        activity_type: Name of the activity.
    """

    activity_type: str


@dataclass(frozen=True)
class NexusSlotInfo:
    """A Nexus task in a slot.

    Attributes:
        service: Name of the service.
        operation: Name of the operation.
    """

    service: str
    operation: str


SlotInfo: TypeAlias = WorkflowSlotInfo | ActivitySlotInfo | LocalActivitySlotInfo | NexusSlotInfo
"""What a slot is used for."""


@dataclass(frozen=True)
class SlotReserveContext:
    """What a slot is wanted for.

    Attributes:
        slot_type: The kind of task.
        task_queue: The worker's task queue.
        worker_identity: The worker's identity.
        worker_build_id: The worker's build id.
        worker_deployment_version: The worker's deployment version, if it is one.
        is_sticky: Whether it is for a task of a run that is in the worker's cache.
    """

    slot_type: SlotKind
    task_queue: str
    worker_identity: str
    worker_build_id: str
    worker_deployment_version: WorkerDeploymentVersion | None
    is_sticky: bool


@dataclass(frozen=True)
class SlotMarkUsedContext:
    """A slot that has got its task.

    Attributes:
        slot_info: The task.
        permit: What the supplier gave for the slot.
    """

    slot_info: SlotInfo
    permit: SlotPermit


@dataclass(frozen=True)
class SlotReleaseContext:
    """A slot that is free again.

    Attributes:
        slot_info: The task that was in it, if there was one.
        permit: What the supplier gave for the slot.
    """

    slot_info: SlotInfo | None
    permit: SlotPermit


class CustomSlotSupplier(ABC):
    """Slots as your own code gives them out, to one kind of task of any number of workers.

    All but :meth:`try_reserve_slot` is called on the event loop of the worker: code that blocks it keeps slots back.
    An exception is logged, and :meth:`reserve_slot` called again after a while.

    Example:
        class AtMost(CustomSlotSupplier):
            def __init__(self, slots: int) -> None:
                self._free = asyncio.Semaphore(slots)

            async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
                await self._free.acquire()
                return SlotPermit()

            def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
                return None

            def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
                pass

            def release_slot(self, ctx: SlotReleaseContext) -> None:
                self._free.release()
    """

    @abstractmethod
    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        """Wait until a slot is free, and give it out. Cancelled when the worker does not want it any more.

        A worker with a cache asks for workflow tasks of new runs and of those in the cache by turns: a supplier that
        gives out fewer than two slots can leave one of these waiting.
        """

    @abstractmethod
    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        """Give a slot out at once, or ``None``, without waiting for anything.

        Asked for activities that could start with the workflow task that schedules them, on the thread that completes
        that task, while the event loop may be in other methods. Those that the server does not start are released.
        """

    @abstractmethod
    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """A slot has got its task. Told soon after it has."""

    @abstractmethod
    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """A slot is free: its task has ended, or there came none. Told soon after, once for each permit."""


SlotSupplier: TypeAlias = FixedSizeSlotSupplier | ResourceBasedSlotSupplier | CustomSlotSupplier

# Minimum, and seconds between two slots, of resource-based suppliers that are not told.
_WORKFLOW_DEFAULTS = (5, 0.0)
_DEFAULTS = (1, 0.05)


class WorkerTuner(ABC):
    """Says where a worker's slots come from. Made by one of its class methods, for any number of workers.

    Example:
        tuner = WorkerTuner.create_resource_based(target_memory_usage=0.8, target_cpu_usage=0.9)
        worker = Worker(client, task_queue="orders", workflows=[Order], tuner=tuner)
    """

    _workflow: SlotSupplier
    _activity: SlotSupplier
    _local_activity: SlotSupplier
    _nexus: SlotSupplier

    @classmethod
    def create_fixed(
        cls,
        *,
        workflow_slots: int | None = None,
        activity_slots: int | None = None,
        local_activity_slots: int | None = None,
        nexus_slots: int | None = None,
    ) -> WorkerTuner:
        """A fixed number of slots for each kind of task; 100 by default.

        Raises:
            TypeError: a number is no whole number.
            ValueError: a number is below 1.
        """
        numbers = {
            "workflow_slots": workflow_slots,
            "activity_slots": activity_slots,
            "local_activity_slots": local_activity_slots,
            "nexus_slots": nexus_slots,
        }
        for name, number in numbers.items():
            if number is not None:
                check_whole(name, number, least=1, default=_DEFAULT_SLOTS)
        return _Tuner(*(FixedSizeSlotSupplier(number or _DEFAULT_SLOTS) for number in numbers.values()))

    @classmethod
    def create_resource_based(
        cls,
        *,
        target_memory_usage: float,
        target_cpu_usage: float,
        workflow_config: ResourceBasedSlotConfig | None = None,
        activity_config: ResourceBasedSlotConfig | None = None,
        local_activity_config: ResourceBasedSlotConfig | None = None,
        nexus_config: ResourceBasedSlotConfig | None = None,
    ) -> WorkerTuner:
        """Slots of all kinds as memory and CPU allow.

        Args:
            target_memory_usage: Share of the memory to aim at, from 0 to 1.
            target_cpu_usage: Share of all processors to aim at, from 0 to 1.
            workflow_config: Bounds for workflow tasks.
            activity_config: Bounds for activities.
            local_activity_config: Bounds for local activities.
            nexus_config: Bounds for Nexus tasks.

        Raises:
            ValueError: a share is not between 0 and 1.
        """
        target = ResourceBasedTunerConfig(target_memory_usage, target_cpu_usage)
        configs = (workflow_config, activity_config, local_activity_config, nexus_config)
        return _Tuner(*(ResourceBasedSlotSupplier(each or ResourceBasedSlotConfig(), target) for each in configs))

    @classmethod
    def create_composite(
        cls,
        *,
        workflow_supplier: SlotSupplier,
        activity_supplier: SlotSupplier,
        local_activity_supplier: SlotSupplier,
        nexus_supplier: SlotSupplier,
    ) -> WorkerTuner:
        """A supplier for each kind of task.

        Raises:
            TypeError: something else is given as a supplier, or its methods are not ``async def`` and ``def`` as they
                should be.
            ValueError: resource-based suppliers aim at different usage: they share what is measured.
        """
        suppliers = {
            "workflow_supplier": workflow_supplier,
            "activity_supplier": activity_supplier,
            "local_activity_supplier": local_activity_supplier,
            "nexus_supplier": nexus_supplier,
        }
        for name, supplier in suppliers.items():
            if not isinstance(supplier, (FixedSizeSlotSupplier, ResourceBasedSlotSupplier, CustomSlotSupplier)):
                raise TypeError(
                    f"{name} must be a FixedSizeSlotSupplier, ResourceBasedSlotSupplier or CustomSlotSupplier, "
                    f"got {supplier!r}"
                )
            if isinstance(supplier, CustomSlotSupplier):
                _check_methods(supplier)
        tuner = _Tuner(*suppliers.values())
        if len(tuner._targets()) > 1:
            raise ValueError("all resource-based suppliers of a tuner must have the same tuner_config")
        return tuner

    @abstractmethod
    def _suppliers(self) -> tuple[SlotSupplier, ...]:
        """All of them."""

    def _targets(self) -> set[ResourceBasedTunerConfig]:
        return {each.tuner_config for each in self._suppliers() if isinstance(each, ResourceBasedSlotSupplier)}

    def _maximum(self, supplier: SlotSupplier) -> int | None:
        """The most slots that a supplier gives out, if that is known."""
        if isinstance(supplier, FixedSizeSlotSupplier):
            return supplier.num_slots
        if isinstance(supplier, ResourceBasedSlotSupplier):
            return supplier.slot_config.maximum_slots or _MAXIMUM
        return None

    def _workflow_maximum(self) -> int | None:
        """The most workflow tasks that are under way at a time, if that is known."""
        return self._maximum(self._workflow)

    def _activities_maximum(self) -> int | None:
        """The most activities, local ones included, that are under way at a time, if that is known."""
        maxima = [self._maximum(self._activity), self._maximum(self._local_activity)]
        known = [each for each in maxima if each is not None]
        return sum(known) if len(known) == len(maxima) else None


def _check_methods(supplier: CustomSlotSupplier) -> None:
    """A coroutine that nobody awaits would never free a slot, without a word."""
    for name in ("try_reserve_slot", "mark_slot_used", "release_slot"):
        if iscoroutinefunction(getattr(supplier, name)):
            raise TypeError(f"{name} of {type(supplier).__name__} must not be an async def: nothing awaits it")


class _Tuner(WorkerTuner):
    def __init__(
        self, workflow: SlotSupplier, activity: SlotSupplier, local_activity: SlotSupplier, nexus: SlotSupplier
    ) -> None:
        self._workflow = workflow
        self._activity = activity
        self._local_activity = local_activity
        self._nexus = nexus

    def _suppliers(self) -> tuple[SlotSupplier, ...]:
        return self._workflow, self._activity, self._local_activity, self._nexus

    def __repr__(self) -> str:
        return (
            f"<WorkerTuner workflow={self._workflow!r} activity={self._activity!r} "
            f"local_activity={self._local_activity!r} nexus={self._nexus!r}>"
        )


def native_slots(
    supplier: FixedSizeSlotSupplier | ResourceBasedSlotSupplier, *, workflow: bool
) -> int | tuple[int, int, float]:
    """What the bridge takes of a supplier that Core has itself."""
    if isinstance(supplier, FixedSizeSlotSupplier):
        return supplier.num_slots
    config = supplier.slot_config
    minimum, throttle = _WORKFLOW_DEFAULTS if workflow else _DEFAULTS
    if config.ramp_throttle is not None:
        throttle = config.ramp_throttle.total_seconds()
    maximum = config.maximum_slots or _MAXIMUM
    return config.minimum_slots or min(minimum, maximum), maximum, throttle
