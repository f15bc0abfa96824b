"""Payloads of workflows between Core and the workflow thread: decoded on the way in, encoded on the way out.

Both happens on the worker's event loop, where codecs and storage drivers may do I/O. A run never has two messages under
way, so what its code sees keeps its order; the messages of other runs do not wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

from invincible import _native
from invincible._engine.children import ChildWorkflowHandle
from invincible._engine.contexts import context_of, is_of_server, operation_of
from invincible._engine.run import WorkflowRun
from invincible._native import (
    ApplicationFailureInfo,
    EncodedActivation,
    Failure,
    Payload,
    PayloadField,
    PlainCompletion,
)
from invincible.converter import (
    DataConverter,
    SerializationContext,
    StorageDriverWorkflowInfo,
    WorkflowSerializationContext,
)

from ._codec_calls import CodecCalls, all_of
from ._failures import logger, text_of
from ._workflows import WorkflowThread

# The server's default, in seconds.
_TASK_TIMEOUT = 10.0


class WorkflowTransit:
    """The way of one worker's workflow messages.

    Args:
        native: The worker that they come from and go to.
        thread: Runs the workflows.
        data_converter: Its codec and storage are applied.
        calls: Runs these.
        namespace: Namespace of the worker.
        contextual: Whether a part of the data converter wants to know what values belong to.
        storage_concurrency: How many payloads of one message are stored or retrieved at the same time.
    """

    def __init__(
        self,
        native: _native.Worker,
        thread: WorkflowThread,
        data_converter: DataConverter,
        calls: CodecCalls,
        *,
        namespace: str,
        contextual: bool,
        storage_concurrency: int,
    ) -> None:
        self._native = native
        self._thread = thread
        self._data_converter = data_converter
        self._calls = calls
        self._namespace = namespace
        self._contextual = contextual
        # Codecs are not asked for it.
        self._concurrency = storage_concurrency if data_converter.external_storage is not None else 1
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, message: EncodedActivation | PlainCompletion) -> None:
        """Send a message on its way, without waiting for it. To be called on the event loop."""
        way = self._decode(message) if isinstance(message, EncodedActivation) else self._encode(message)
        task = asyncio.get_running_loop().create_task(way)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Wait for the messages that are under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _decode(self, activation: EncodedActivation) -> None:
        run = self._thread.run(activation.run_id)
        workflow = activation.workflow
        if workflow is not None:
            context: SerializationContext | None = WorkflowSerializationContext(self._namespace, workflow[0])
        else:
            context = run.context if run is not None else None
        timeout = workflow[2] if workflow is not None else _task_timeout(run)
        try:
            fields = activation.take_fields()
            calls = [partial(self._decoded, field, run, context) for field in fields]
            payloads = await self._calls.run(all_of(calls, self._concurrency), timeout or _TASK_TIMEOUT)
            self._native.deliver_activation(activation, payloads)
        except BaseException as error:  # whatever it is, Core must have an answer
            if activation.query_ids:
                self._fail_queries(activation.run_id, activation.query_ids, error)
            else:
                names = (workflow[1], workflow[0]) if workflow is not None else None
                self._thread.fail_task(activation.run_id, error, names)
            _let_pass(error)

    async def _encode(self, completion: PlainCompletion) -> None:
        run_id = completion.run_id
        run = self._thread.run(run_id)
        try:
            fields = completion.take_fields()
            calls = [partial(self._encoded, field, run) for field in fields]
            timeout = _task_timeout(run)
            payloads = await self._calls.run(all_of(calls, self._concurrency), timeout)
            oversized = self._native.deliver_completion(completion, payloads)
            if oversized is not None:
                self._thread.refuse(run_id, oversized)
        except BaseException as error:  # see above
            if completion.fails:
                logger.exception("the failure of a workflow task cannot be encoded, and goes without its details")
                self._native.deliver_completion(completion, None)
            elif completion.query_ids:
                self._fail_queries(run_id, completion.query_ids, error)
            else:
                self._thread.fail_task(run_id, error)
            _let_pass(error)

    def _fail_queries(self, run_id: str, query_ids: Sequence[str], error: BaseException) -> None:
        """Tell those who ask, in clear text; the run has no part in it, and goes on."""
        logger.warning("queries of run %s failed", run_id, exc_info=error)
        info = ApplicationFailureInfo(type=type(error.__cause__ or error).__name__)
        failure = Failure(text_of(error), info=info)
        answers = [_native.QueryResult(query_id=each, failure=failure) for each in query_ids]
        self._native.complete_workflow_task(run_id, answers)

    async def _decoded(
        self, field: PayloadField, run: WorkflowRun | None, context: SerializationContext | None
    ) -> list[Payload]:
        if run is not None:
            if is_of_server(run, field.message, field.seq):
                return field.payloads
            if self._contextual:
                context = context_of(run, field.message, field.seq)
        converter = self._data_converter
        if self._contextual and context is not None:
            converter = converter.with_context(context)
        return await _named("decode", field, converter._from_wire(field.payloads))

    async def _encoded(self, field: PayloadField, run: WorkflowRun | None) -> list[Payload]:
        converter = self._data_converter
        if self._contextual and run is not None:
            context = context_of(run, field.message, field.seq)
            if context is not None:
                converter = converter.with_context(context)
            converter = converter._with_storage_target(self._storage_target(field, run, context))
        return await _named("encode", field, converter._to_wire(field.payloads))

    def _storage_target(
        self, field: PayloadField, run: WorkflowRun, context: SerializationContext | None
    ) -> StorageDriverWorkflowInfo:
        """Who will need the payloads: other workflows for what they get, the parent for its child's result."""
        init = run.init
        if field.message == "CompleteWorkflowExecution" and init.parent is not None:
            namespace, workflow_id, run_id = init.parent
            return StorageDriverWorkflowInfo(namespace=namespace, id=workflow_id, run_id=run_id)
        if isinstance(context, WorkflowSerializationContext) and context != run.context:
            child = operation_of(run, field.message, field.seq)
            workflow_type = child._type if isinstance(child, ChildWorkflowHandle) else None
            return StorageDriverWorkflowInfo(namespace=context.namespace, id=context.workflow_id, type=workflow_type)
        return StorageDriverWorkflowInfo(
            namespace=self._namespace, id=init.workflow_id, run_id=run.run_id, type=init.workflow_type
        )


def _task_timeout(run: WorkflowRun | None) -> float:
    """Seconds after which the server has given up a task, so that there is nothing left to wait for."""
    return (run.init.task_timeout if run is not None else None) or _TASK_TIMEOUT


async def _named(verb: str, field: PayloadField, call: Coroutine[Any, Any, list[Payload]]) -> list[Payload]:
    """What the call gives; what it raises is told of the field."""
    try:
        return await call
    except Exception as error:
        name = f"{field.message}.{field.path.rpartition('.')[2]}"
        raise RuntimeError(
            f"the payload codec or external storage failed to {verb} {name}: {type(error).__name__}: {text_of(error)}"
        ) from error


def _let_pass(error: BaseException) -> None:
    """Raise what is for the event loop rather than for the server."""
    if not isinstance(error, Exception):
        raise error
