"""Custom slot suppliers at work: what one worker asks of them, and tells them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from invincible import _loop, _native
from invincible._native import SlotRelease, SlotRequest, SlotUse, SlotWithdrawal
from invincible.common import WorkerDeploymentVersion

from ._failures import logger
from ._tuner import (
    ActivitySlotInfo,
    CustomSlotSupplier,
    LocalActivitySlotInfo,
    NexusSlotInfo,
    SlotInfo,
    SlotKind,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    SlotSupplier,
    WorkerTuner,
    WorkflowSlotInfo,
    native_slots,
)

# Seconds until a supplier that has failed is asked again: doubled from the first to the last.
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 10.0
# Seconds without a slot until a worker that shuts down runs the local activities that wait for one without, as it would
# never end otherwise.
_PATIENCE = 10.0
# Seconds that a supplier has to notice that its wait is cancelled, once the worker has ended.
_END = 1.0

_INFOS: dict[str, Callable[[SlotUse], SlotInfo]] = {
    "workflow": lambda use: WorkflowSlotInfo(use.names[0], use.is_sticky),
    "activity": lambda use: ActivitySlotInfo(use.names[0]),
    "local-activity": lambda use: LocalActivitySlotInfo(use.names[0]),
    "nexus": lambda use: NexusSlotInfo(use.names[0], use.names[1]),
}


class SlotKeepers:
    """The custom suppliers of one worker's tuner, and the tuner as the bridge takes it.

    To be made on the worker's event loop.

    Args:
        tuner: The tuner.
        identity: Identity of the client.
        config: The other options of the worker.
    """

    def __init__(self, tuner: WorkerTuner, identity: str, config: _native.WorkerConfig) -> None:
        self._keepers: list[SlotKeeper] = []
        version = None
        if config.deployment_name is not None:
            version = WorkerDeploymentVersion(config.deployment_name, config.build_id)

        def slots(kind: SlotKind, supplier: SlotSupplier) -> Any:
            if not isinstance(supplier, CustomSlotSupplier):
                return native_slots(supplier, workflow=kind == "workflow")
            context = SlotReserveContext(
                slot_type=kind,
                task_queue=config.task_queue,
                worker_identity=config.identity or identity,
                worker_build_id=config.build_id,
                worker_deployment_version=version,
                is_sticky=False,
            )
            keeper = SlotKeeper(supplier, context)
            self._keepers.append(keeper)
            return keeper.on_event, keeper.try_reserve

        targets = [(each.target_memory_usage, each.target_cpu_usage) for each in tuner._targets()]
        self.native = _native.Tuner(
            _loop.queue(),
            workflow=slots("workflow", tuner._workflow),
            activity=slots("activity", tuner._activity),
            local_activity=slots("local-activity", tuner._local_activity),
            nexus=slots("nexus", tuner._nexus),
            target_usage=targets[0] if targets else None,
        )

    def drain(self) -> None:
        """From now on the worker must come to its end, whatever suppliers do."""
        for keeper in self._keepers:
            keeper.drain()

    async def end(self) -> None:
        """Wait, not for long, until nothing of the suppliers' own runs for the worker any more."""
        await asyncio.gather(*(keeper.end() for keeper in self._keepers))


class SlotKeeper:
    """One custom supplier, asked and told for one worker.

    The bridge's messages come on the event loop, in their order. The bridge knows permits by ids, and the supplier's
    objects never leave Python.
    """

    def __init__(self, supplier: CustomSlotSupplier, context: SlotReserveContext) -> None:
        self._supplier = supplier
        self._contexts = {sticky: replace(context, is_sticky=sticky) for sticky in (False, True)}
        self._kind = context.slot_type
        self._ids = itertools.count(1)
        # None is for slots that the supplier does not know of.
        self._permits: dict[int, tuple[SlotPermit, SlotInfo | None] | None] = {}
        self._requests: dict[int, SlotRequest] = {}
        self._waits: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved = 0

    def on_event(self, event: SlotRequest | SlotWithdrawal | SlotUse | SlotRelease) -> None:
        """Take a message of the bridge."""
        if isinstance(event, SlotRequest):
            self._requests[event.id] = event
            self._waits[event.id] = self._task(self._reserve(event))
        elif isinstance(event, SlotWithdrawal):
            self._forget(event.id)
        elif isinstance(event, SlotUse):
            self._mark_used(event)
        else:
            self._release(event.permit)

    def try_reserve(self, wanted: int) -> list[int]:
        """The ids of permits that the supplier has at once, ``wanted`` at most."""
        ids: list[int] = []
        try:
            while len(ids) < wanted:
                permit = self._supplier.try_reserve_slot(self._contexts[False])
                if permit is None:
                    break
                ids.append(self._keep(permit))
        except Exception:
            self._say_failed("try_reserve_slot")
        return ids

    def drain(self) -> None:
        """The worker shuts down: whatever the supplier does, no local activity may wait for ever."""
        if self._kind == "local-activity":
            self._task(self._do_without())

    async def end(self) -> None:
        """The worker has ended: so must what runs for it."""
        # Nobody waits any more, though the bridge's word of it may not have come yet.
        self._requests.clear()
        for task in self._tasks:
            task.cancel()
        if self._tasks and (await asyncio.wait(self._tasks, timeout=_END))[1]:
            logger.warning("reserve_slot of %s ignores that it is cancelled", type(self._supplier).__name__)

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _reserve(self, request: SlotRequest) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                permit = self._keep(await self._supplier.reserve_slot(self._contexts[request.is_sticky]))
                break
            except asyncio.CancelledError:
                if request.id not in self._requests:
                    raise
                # Nobody has cancelled this wait: the error is the supplier's own.
                self._say_failed(f"reserve_slot (asked again in {pause:g} s)")
            except Exception:
                self._say_failed(f"reserve_slot (asked again in {pause:g} s)")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE)
        self._grant(request, permit)

    def _grant(self, request: SlotRequest, permit: int) -> None:
        self._requests.pop(request.id, None)
        self._waits.pop(request.id, None)
        self._moved += 1
        if not request.grant(permit):
            self._release(permit)

    def _forget(self, request: int) -> None:
        self._requests.pop(request, None)
        wait = self._waits.pop(request, None)
        if wait is not None:
            wait.cancel()

    async def _do_without(self) -> None:
        while True:
            moved = self._moved
            await asyncio.sleep(_PATIENCE)
            # Slots that are in use come free, and one that is not in use is there for whoever waits.
            if moved == self._moved and self._requests and not self._permits:
                logger.warning(
                    "%s gives no slot to local activities of a worker that shuts down: they run without",
                    type(self._supplier).__name__,
                )
                for request in [*self._requests.values()]:
                    self._forget(request.id)
                    id = next(self._ids)
                    self._permits[id] = None
                    self._grant(request, id)

    def _keep(self, permit: SlotPermit) -> int:
        if not isinstance(permit, SlotPermit):
            raise TypeError(f"a slot supplier must give SlotPermit objects out, got {type(permit).__name__}")
        id = next(self._ids)
        self._permits[id] = permit, None
        return id

    def _mark_used(self, use: SlotUse) -> None:
        kept = self._permits[use.permit]
        if kept is None:
            return
        info = _INFOS[self._kind](use)
        self._permits[use.permit] = kept[0], info
        try:
            self._supplier.mark_slot_used(SlotMarkUsedContext(info, kept[0]))
        except Exception:
            self._say_failed("mark_slot_used")

    def _release(self, id: int) -> None:
        self._moved += 1
        kept = self._permits.pop(id)
        if kept is None:
            return
        permit, info = kept
        try:
            self._supplier.release_slot(SlotReleaseContext(info, permit))
        except Exception:
            self._say_failed("release_slot")

    def _say_failed(self, method: str) -> None:
        logger.exception("%s of %s for %s slots failed", method, type(self._supplier).__name__, self._kind)
