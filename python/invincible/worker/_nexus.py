"""The Nexus side of a worker: starts and cancels operations by their handlers, and answers the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeAlias

from nexusrpc import HandlerError, HandlerErrorType, LazyValueT, Link, OperationError
from nexusrpc.handler import (
    CancelOperationContext,
    Handler,
    OperationTaskCancellation,
    StartOperationContext,
    StartOperationResultAsync,
)

from invincible import _native
from invincible._native import (
    Failure,
    NexusOperationCancel,
    NexusOperationStart,
    NexusTaskCancel,
    NexusTaskCompletion,
    OversizedPayloads,
    Payload,
)
from invincible.activity._context import Event
from invincible.client import Client
from invincible.common import MetricMeter
from invincible.converter import DataConverter, NexusSerializationContext
from invincible.nexus import Info
from invincible.nexus._context import NexusContext, Starter, current

from ._codec_calls import CodecCalls
from ._failures import logger
from ._nexus_failures import handler_failure, operation_failure
from ._nexus_starts import OperationStarts, calls_linked
from ._oversized import oversized_operation
from ._results import only, payload_of

_Operation: TypeAlias = NexusOperationStart | NexusOperationCancel


class TaskCancellation(OperationTaskCancellation):
    """Tells a handler that nobody waits for it any more."""

    def __init__(self) -> None:
        self._event = Event()
        self._reason: str | None = None

    def set(self, reason: str) -> None:
        """Have the handler know."""
        self._reason = reason
        self._event.set()

    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def cancellation_reason(self) -> str | None:
        return self._reason

    def wait_until_cancelled_sync(self, timeout: float | None = None) -> bool:
        return self._event.wait_sync(timeout)

    async def wait_until_cancelled(self) -> None:
        await self._event.wait()


@dataclass(eq=False)
class _Running:
    cancellation: TaskCancellation
    task: asyncio.Task[None] | None = None


class NexusRunner:
    """Runs the Nexus tasks of one native worker.

    Args:
        native: The worker that tasks come from and answers go to.
        handler: Dispatches requests to handlers.
        client: The worker's client, for handlers.
        data_converter: Converts inputs, results and failures.
        task_queue: Task queue of the worker.
        metric_meter: What handlers record metrics with.
        calls: Runs the calls of codec and external storage.
        worker_shutdown: Set when the worker begins to shut down.
    """

    def __init__(
        self,
        native: _native.Worker,
        handler: Handler,
        *,
        client: Client,
        data_converter: DataConverter,
        task_queue: str,
        metric_meter: MetricMeter,
        calls: CodecCalls,
        worker_shutdown: Event,
    ) -> None:
        self._native = native
        self._handler = handler
        self._data_converter = data_converter
        self._task_queue = task_queue
        self._metric_meter = metric_meter
        self._calls = calls
        self._worker_shutdown = worker_shutdown
        self._running: dict[bytes, _Running] = {}
        self.use(client)

    def use(self, client: Client) -> None:
        """Have handlers use another client from now on."""
        self._client = client
        self._starter: Starter = OperationStarts(client, self._task_queue)

    def on_task(self, task: _Operation | NexusTaskCancel) -> None:
        """Take a task on the event loop."""
        if isinstance(task, NexusTaskCancel):
            running = self._running.get(task.task_token)
            if running is not None and running.task is not None:
                running.cancellation.set("WORKER_SHUTDOWN" if task.worker_shutdown else "TIMED_OUT")
                # One turn later, so that a task which is cancelled at once begins before, and gives its answer.
                asyncio.get_running_loop().call_soon(running.task.cancel)
            return
        running = self._running[task.task_token] = _Running(TaskCancellation())
        running.task = asyncio.get_running_loop().create_task(self._run(task, running.cancellation))

    async def _run(self, task: _Operation, cancellation: TaskCancellation) -> None:
        call = _Call(self, task, cancellation, self._data_converter)
        token = current.set(call.context())
        try:
            completion = await call.completion()
        finally:
            current.reset(token)
            self._running.pop(task.task_token, None)
        oversized = self._native.complete_nexus_task(completion)
        if oversized is not None:
            self._native.complete_nexus_task(await call.too_large(oversized))
        # Ctrl+C, which happened to be seen in a handler, is for the program.
        if call.interrupt is not None:
            raise call.interrupt


class _Call:
    """One call of a handler."""

    def __init__(
        self, runner: NexusRunner, task: _Operation, cancellation: TaskCancellation, converter: DataConverter
    ) -> None:
        self._runner = runner
        self._task = task
        self._token = task.task_token
        self._cancellation = cancellation
        self._converter = converter
        self.interrupt: KeyboardInterrupt | None = None

    def context(self) -> NexusContext:
        """What the handler can ask about."""
        runner, task = self._runner, self._task
        namespace = runner._client.namespace
        return NexusContext(
            info=Info(endpoint=task.endpoint, namespace=namespace, task_queue=runner._task_queue),
            service=task.service,
            operation=task.operation,
            client=runner._client,
            starter=runner._starter,
            worker_shutdown=runner._worker_shutdown,
            make_metric_meter=lambda: runner._metric_meter.with_additional_attributes(
                {
                    "task_queue": runner._task_queue,
                    "nexus_service": task.service,
                    "nexus_operation": task.operation,
                }
            ),
        )

    async def completion(self) -> NexusTaskCompletion:
        """The answer, whatever becomes of the handler."""
        task = self._task
        try:
            if self._converter._contextual:
                context = NexusSerializationContext(task.endpoint, task.service, task.operation)
                self._converter = self._converter.with_context(context)
            return await (self._start(task) if isinstance(task, NexusOperationStart) else self._cancel(task))
        except GeneratorExit:  # not the handler's: its loop was left without ending it
            raise
        except OperationError as error:
            if isinstance(task, NexusOperationStart):
                failure = await self._encoded(operation_failure(error, self._converter))
                return NexusTaskCompletion.operation_failed(self._token, failure)
            return await self._failed(error)
        except asyncio.CancelledError as error:
            reason = self._cancellation.cancellation_reason()
            if reason is None:
                return await self._failed(error)
            if reason == "TIMED_OUT":
                return NexusTaskCompletion.stopped(self._token)
            shutdown = HandlerError("the worker shuts down", type=HandlerErrorType.UNAVAILABLE)
            return await self._failed(shutdown, silently=True)
        except BaseException as error:  # the server gets it
            if isinstance(error, KeyboardInterrupt):
                self.interrupt = error
            return await self._failed(error)

    async def too_large(self, found: OversizedPayloads) -> NexusTaskCompletion:
        """The answer instead of one whose result the server would refuse."""
        error = oversized_operation(self._task.operation, found)
        return await self._failed(HandlerError(error.message, type=HandlerErrorType.INTERNAL, retryable_override=False))

    async def _failed(self, error: BaseException, *, silently: bool = False) -> NexusTaskCompletion:
        if not silently:
            logger.warning(
                "Nexus operation %s of service %s failed in its handler",
                self._task.operation,
                self._task.service,
                exc_info=error,
            )
        failure = await self._encoded(handler_failure(error, self._converter))
        return NexusTaskCompletion.handler_failed(self._token, failure)

    async def _encoded(self, failure: Failure) -> Failure:
        """A failure as it is sent; without what cannot be encoded, as the server must get an answer."""
        if not self._converter._transforms:
            return failure
        try:
            return await self._runner._calls.run(self._converter._failure_to_wire(failure))
        except BaseException:
            logger.exception("the failure of a Nexus operation cannot be encoded, and goes without its details")
            return Failure(failure.message, stack_trace=failure.stack_trace, info=_bare(failure.info))

    # Starts

    async def _start(self, task: NexusOperationStart) -> NexusTaskCompletion:
        ctx = StartOperationContext(
            service=task.service,
            operation=task.operation,
            headers=task.headers,
            task_cancellation=self._cancellation,
            request_deadline=_deadline(task),
            request_id=task.request_id,
            callback_url=task.callback_url or None,
            callback_headers=task.callback_headers,
            inbound_links=[Link(url=url, type=kind) for url, kind in task.links],
        )
        with calls_linked(ctx):
            result = await self._runner._handler.start_operation(ctx, _Input(self, task))
        links = [(link.url, link.type) for link in ctx.outbound_links]
        if isinstance(result, StartOperationResultAsync):
            if not result.token:
                raise ValueError(f"the token of operation {task.operation!r} is empty: nothing could cancel it")
            return NexusTaskCompletion.started(self._token, result.token, links)
        return NexusTaskCompletion.completed(self._token, await self._result(result.value), links)

    async def _result(self, value: Any) -> Payload:
        converter = self._converter
        payload = payload_of(value, converter, "Nexus operation", self._task.operation)
        if not converter._transforms:
            return payload
        return only(await self._runner._calls.run(converter._to_wire([payload])))

    async def input(self, task: NexusOperationStart, as_type: Any) -> Any:
        """The input of an operation.

        Raises:
            HandlerError: It cannot be decoded, or does not fit its type.
        """
        converter, payload = self._converter, task.input
        if payload is None:
            return None
        if converter._transforms:
            try:
                [payload] = await self._runner._calls.run(converter._from_wire([payload]))
            except Exception as error:
                raise HandlerError(
                    "the payload codec or external storage failed to decode the input of the operation",
                    type=HandlerErrorType.INTERNAL,
                ) from error
        try:
            hints = None if as_type is None else [as_type]
            [value] = converter._hiding_values(converter.payload_converter.from_payloads, [payload], hints)
        except Exception as error:
            raise HandlerError(
                "Payload converter failed to decode Nexus operation input",
                type=HandlerErrorType.BAD_REQUEST,
                retryable_override=False,
            ) from error
        return value

    # Cancellations

    async def _cancel(self, task: NexusOperationCancel) -> NexusTaskCompletion:
        ctx = CancelOperationContext(
            service=task.service,
            operation=task.operation,
            headers=task.headers,
            task_cancellation=self._cancellation,
            request_deadline=_deadline(task),
        )
        await self._runner._handler.cancel_operation(ctx, task.operation_token)
        return NexusTaskCompletion.cancel_requested(self._token)


class _Input(LazyValueT):
    """The input, which is decoded once its handler is known."""

    def __init__(self, call: _Call, task: NexusOperationStart) -> None:
        self._call = call
        self._task = task

    def consume(self, as_type: type[Any] | None = None) -> Awaitable[Any]:
        return self._call.input(self._task, as_type)


def _deadline(task: _Operation) -> datetime | None:
    return None if task.deadline is None else datetime.fromtimestamp(task.deadline, timezone.utc)


def _bare(info: Any) -> Any:
    """What kind of failure it is, without values."""
    if isinstance(info, _native.ApplicationFailureInfo):
        return _native.ApplicationFailureInfo(type=info.type, non_retryable=info.non_retryable)
    return _native.CanceledFailureInfo() if isinstance(info, _native.CanceledFailureInfo) else info
