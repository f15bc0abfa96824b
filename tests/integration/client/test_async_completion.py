"""Activities that are completed from outside of their worker, on the real server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from invincible import activity, workflow
from invincible._native import Payload
from invincible.activity import ActivityCancellationDetails
from invincible.api.workflowservice.v1 import ResetActivityExecutionRequest, ResetActivityExecutionResponse
from invincible.client import (
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityHandle,
    AsyncActivityCancelledError,
    AsyncActivityHandle,
    AsyncActivityIDReference,
    Client,
    CompleteAsyncActivityInput,
    Interceptor,
    OutboundInterceptor,
    WorkflowFailureError,
    WorkflowHandle,
)
from invincible.common import RetryPolicy
from invincible.converter import (
    ActivitySerializationContext,
    ConversionError,
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
)
from invincible.exceptions import ActivityError, ApplicationError, CancelledError
from invincible.service import RPCError, RPCStatusCode
from invincible.worker import Worker
from tests.support.conditions import eventually

SOON = timedelta(milliseconds=10)
MINUTE = timedelta(minutes=1)


@dataclass
class Approval:
    by: str
    granted: bool = True


# Task tokens of attempts that have been left to others, by activity id.
_released: dict[str, list[activity.Info]] = {}


def _release() -> None:
    info = activity.info()
    _released.setdefault(info.activity_id, []).append(info)
    activity.raise_complete_async()


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=RetryPolicy(SOON))
async def approve(what: str) -> Approval:
    _release()
    raise AssertionError("not reached")


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=RetryPolicy(SOON))
def approve_on_a_thread(what: str) -> Approval:
    _release()
    raise AssertionError("not reached")


@activity.defn(start_to_close_timeout=MINUTE)
async def release_past_handlers() -> str:
    try:
        _release()
    except Exception:  # what it raises is no error
        return "caught"
    return "not raised"


@activity.defn(start_to_close_timeout=MINUTE)
async def signal_back(text: str) -> str:
    info = activity.info()
    assert info.workflow_id is not None
    await activity.client().get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id).signal("hear", text)
    return activity.client().namespace


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=RetryPolicy(maximum_attempts=1))
def use_client_on_a_thread() -> None:
    activity.client()


@workflow.defn
class Purchase:
    def __init__(self) -> None:
        self.heard: str | None = None

    @workflow.run
    async def run(self, name: str) -> Any:
        if name == "signal_back":
            namespace = await signal_back.execute("hello")
            await workflow.wait_condition(lambda: self.heard is not None)
            return [namespace, self.heard]
        if name == "local":
            return await approve.execute_local("tea")
        return await workflow.execute_activity(name, "tea", activity_id="approval", start_to_close_timeout=MINUTE)

    @workflow.signal
    def hear(self, text: str) -> None:
        self.heard = text


ACTIVITIES: list[Callable[..., Any]] = [
    approve,
    approve_on_a_thread,
    release_past_handlers,
    signal_back,
    use_client_on_a_thread,
]


@pytest.fixture
async def work(client: Client, task_queue: str) -> AsyncIterator[str]:
    async with Worker(client, task_queue=task_queue, workflows=[Purchase], activities=ACTIVITIES):
        yield task_queue


@pytest.fixture
def id() -> str:
    return f"approval-{uuid.uuid4()}"


async def released(id: str, *, attempt: int = 1) -> activity.Info:
    async def last() -> activity.Info | None:
        return next((info for info in _released.get(id, []) if info.attempt == attempt), None)

    return await eventually(last, what=f"attempt {attempt} of {id} is left to others")


async def start(client: Client, work: str, id: str, **options: Any) -> tuple[ActivityHandle[Any], activity.Info]:
    """A standalone activity that waits for somebody to complete it."""
    handle = await client.start_activity(approve, "tea", id=id, task_queue=work, **options)
    return handle, await released(id)


async def start_workflow(client: Client, work: str, id: str) -> tuple[WorkflowHandle[Any, Any], activity.Info]:
    """A workflow whose activity waits for somebody to complete it."""
    _released.pop("approval", None)
    handle: WorkflowHandle[Any, Any] = await client.start_workflow(Purchase.run, "approve", id=id, task_queue=work)
    info = await released("approval")
    assert info.workflow_id == id
    return handle, info


# Which activity: by task token, by ids, of a workflow, standalone


@pytest.mark.parametrize("by", ["token", "id", "id and run"])
async def test_a_standalone_activity_is_completed(client: Client, work: str, id: str, by: str) -> None:
    handle, info = await start(client, work, id)
    outside = {
        "token": lambda: client.get_async_activity_handle(task_token=info.task_token),
        "id": lambda: client.get_async_activity_handle(activity_id=id),
        "id and run": lambda: client.get_async_activity_handle(activity_id=id, run_id=handle.run_id),
    }[by]()
    await outside.heartbeat("asked", 1)
    description = await handle.describe(include_heartbeat_details=True)
    assert await description.heartbeat_details() == ["asked", 1]
    await outside.complete(Approval("Ada"))
    assert await handle.result() == Approval("Ada")


@pytest.mark.parametrize("by", ["token", "id", "id and run"])
async def test_an_activity_of_a_workflow_is_completed(client: Client, work: str, id: str, by: str) -> None:
    handle, info = await start_workflow(client, work, id)
    outside = {
        "token": lambda: client.get_async_activity_handle(task_token=info.task_token),
        "id": lambda: client.get_async_activity_handle(workflow_id=id, run_id=None, activity_id="approval"),
        "id and run": lambda: client.get_async_activity_handle(
            workflow_id=id, run_id=info.workflow_run_id, activity_id="approval"
        ),
    }[by]()
    await outside.heartbeat()
    await outside.complete(Approval("Ada", False))
    assert await handle.result() == {"by": "Ada", "granted": False}


async def test_a_def_activity_is_left_to_others_too(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(approve_on_a_thread, "tea", id=id, task_queue=work)
    await released(id)
    await client.get_async_activity_handle(activity_id=id).complete(Approval("Ada"))
    assert await handle.result() == Approval("Ada")


async def test_handlers_of_exceptions_let_it_pass(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(release_past_handlers, id=id, task_queue=work)
    await released(id)
    await client.get_async_activity_handle(activity_id=id).complete("outside")
    assert await handle.result() == "outside"


async def test_no_result_and_none_are_both_none(client: Client, work: str, id: str) -> None:
    for number, arguments in enumerate([(), (None,)]):
        handle = await client.start_activity(
            "approve", "tea", id=f"{id}-{number}", task_queue=work, start_to_close_timeout=MINUTE
        )
        await released(handle.id)
        await client.get_async_activity_handle(activity_id=handle.id).complete(*arguments)
        assert await handle.result() is None
        outcome = (await handle.describe(include_outcome=True)).raw_outcome
        assert outcome is not None
        assert len(outcome.result.payloads) == len(arguments)


async def test_the_slot_is_free_meanwhile(client: Client, task_queue: str, id: str) -> None:
    async with Worker(client, task_queue=task_queue, activities=ACTIVITIES, max_concurrent_activities=1):
        handles = [(await start(client, task_queue, f"{id}-{number}"))[0] for number in range(3)]
        for handle in handles:
            await client.get_async_activity_handle(activity_id=handle.id).complete(Approval("Ada"))
            assert await handle.result() == Approval("Ada")


async def test_another_process_completes_it(client: Client, address: str, work: str, id: str) -> None:
    handle, info = await start(client, work, id)
    program = """
        import asyncio, sys
        from invincible.client import Client

        async def main(address, token):
            client = await Client.connect(address)
            outside = client.get_async_activity_handle(task_token=bytes.fromhex(token))
            await outside.heartbeat("from another process")
            await outside.complete({"by": "another process"})

        asyncio.run(main(*sys.argv[1:]))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), address, info.task_token.hex()]
    await asyncio.to_thread(subprocess.run, command, check=True, timeout=60)
    assert await handle.result() == Approval("another process")


# Failures and retries


async def test_a_failed_attempt_is_repeated_with_its_details(client: Client, work: str, id: str) -> None:
    handle, info = await start(client, work, id)
    first = client.get_async_activity_handle(task_token=info.task_token)
    await first.heartbeat("asked Ada")
    await first.fail(ValueError("Ada is away"), last_heartbeat_details=["asked Ada", "asked Bob"])
    second = await released(id, attempt=2)
    assert second.heartbeat_details == ["asked Ada", "asked Bob"]
    with pytest.raises(RPCError) as error:
        await first.complete(Approval("Ada"))
    assert error.value.status is RPCStatusCode.NOT_FOUND, "the token is that of the first attempt"
    description = await handle.describe(include_last_failure=True)
    last = await description.last_failure()
    assert isinstance(last, ApplicationError)
    assert (last.message, last.type) == ("Ada is away", "ValueError")
    await client.get_async_activity_handle(activity_id=id).complete(Approval("Bob"))
    assert await handle.result() == Approval("Bob")


async def test_a_failure_that_is_not_repeated_fails_the_workflow(client: Client, work: str, id: str) -> None:
    handle, _ = await start_workflow(client, work, id)
    outside = client.get_async_activity_handle(workflow_id=id, run_id=None, activity_id="approval")
    await outside.fail(ApplicationError("refused", type="Refused", non_retryable=True))
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    assert isinstance(error.value.cause, ActivityError)
    cause = error.value.cause.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type) == ("refused", "Refused")


# Cancelled, paused, reset


async def test_a_cancelled_activity_says_so_at_a_heartbeat(client: Client, work: str, id: str) -> None:
    handle, info = await start(client, work, id)
    await handle.cancel(reason="not needed")
    for outside in (
        client.get_async_activity_handle(task_token=info.task_token),
        client.get_async_activity_handle(activity_id=id),
    ):
        with pytest.raises(AsyncActivityCancelledError) as error:
            await outside.heartbeat("still here")
        assert error.value.details == ActivityCancellationDetails(cancel_requested=True)
    await outside.report_cancellation("tidied up")
    with pytest.raises(ActivityFailureError) as failure:
        await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert list(failure.value.cause.details) == ["tidied up"]
    assert (await handle.describe()).status is ActivityExecutionStatus.CANCELED


async def test_an_activity_that_nobody_cancelled_is_not_reported_as_cancelled(
    client: Client, work: str, id: str
) -> None:
    handle, info = await start(client, work, id)
    with pytest.raises(RPCError, match="without activity being request canceled first") as error:
        await client.get_async_activity_handle(task_token=info.task_token).report_cancellation()
    assert error.value.status is RPCStatusCode.INVALID_ARGUMENT
    await handle.terminate()


async def test_a_paused_activity_says_so_at_a_heartbeat_and_may_complete(client: Client, work: str, id: str) -> None:
    handle, info = await start(client, work, id)
    await handle.pause()
    outside = client.get_async_activity_handle(task_token=info.task_token)
    with pytest.raises(AsyncActivityCancelledError) as error:
        await outside.heartbeat()
    assert error.value.details == ActivityCancellationDetails(paused=True)
    await outside.complete(Approval("Ada"))
    assert await handle.result() == Approval("Ada")


async def test_a_reset_activity_says_so_at_a_heartbeat(client: Client, work: str, id: str) -> None:
    handle, info = await start(client, work, id)
    request = ResetActivityExecutionRequest(namespace="default", activity_id=id, request_id=id)
    await client.service_client._rpc_call("reset_activity_execution", request, ResetActivityExecutionResponse)
    with pytest.raises(AsyncActivityCancelledError) as error:
        await client.get_async_activity_handle(task_token=info.task_token).heartbeat()
    assert error.value.details == ActivityCancellationDetails(reset=True)
    await handle.terminate()


async def test_heartbeats_keep_it_from_timing_out(client: Client, work: str, id: str) -> None:
    handle, info = await start(
        client, work, id, heartbeat_timeout=timedelta(seconds=1), retry_policy=RetryPolicy(maximum_attempts=1)
    )
    outside = client.get_async_activity_handle(task_token=info.task_token)
    began = asyncio.get_running_loop().time()

    async def two_seconds_have_passed() -> bool:
        await outside.heartbeat()
        return asyncio.get_running_loop().time() - began > 2

    await eventually(two_seconds_have_passed, what="twice the heartbeat timeout passes")
    await outside.complete(Approval("Ada"))
    assert await handle.result() == Approval("Ada")


# Mistakes


async def test_activities_that_are_not_there_are_not_found(client: Client, work: str, id: str) -> None:
    handle, info = await start(client, work, id)
    ended = client.get_async_activity_handle(task_token=info.task_token)
    await ended.complete(Approval("Ada"))
    for outside in (
        ended,
        client.get_async_activity_handle(activity_id="no-such-activity"),
        client.get_async_activity_handle(workflow_id="no-such-workflow", run_id=None, activity_id="approval"),
    ):
        calls: list[Callable[[], Awaitable[None]]] = [
            outside.heartbeat,
            outside.complete,
            outside.report_cancellation,
            partial(outside.fail, ValueError()),
        ]
        for call in calls:
            with pytest.raises(RPCError, match="not found") as error:
                await call()
            assert error.value.status is RPCStatusCode.NOT_FOUND
    assert await handle.result() == Approval("Ada")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, ValueError, "give task_token, or activity_id"),
        ({"workflow_id": "w", "run_id": "r"}, ValueError, "give task_token, or activity_id"),
        ({"activity_id": ""}, ValueError, "give task_token, or activity_id"),
        ({"activity_id": "a", "task_token": b"t"}, ValueError, "either task_token or ids, not both"),
        ({"run_id": "r", "task_token": b"t"}, ValueError, "either task_token or ids, not both"),
        ({"task_token": b""}, ValueError, "task_token must not be empty"),
        ({"task_token": "746f6b656e"}, TypeError, "task_token must be bytes, got str"),
    ],
)
async def test_handles_of_nothing_are_refused(
    client: Client, given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        client.get_async_activity_handle(**given)


async def test_values_that_cannot_be_converted_are_refused_here(client: Client) -> None:
    outside = client.get_async_activity_handle(activity_id="any")
    with pytest.raises(ConversionError, match="object"):
        await outside.complete(object())


async def test_a_local_activity_cannot_be_left_to_others(client: Client, work: str, id: str) -> None:
    with pytest.raises(WorkflowFailureError) as error:
        await client.execute_workflow(Purchase.run, "local", id=id, task_queue=work)
    cause = error.value.cause
    while cause.__cause__ is not None:
        cause = cause.__cause__
    assert "local activity 'approve' cannot be completed from outside of its worker" in str(cause)


async def test_outside_of_activities_there_is_nothing_to_leave() -> None:
    with pytest.raises(RuntimeError, match="no activity runs here"):
        activity.raise_complete_async()
    with pytest.raises(RuntimeError, match="no activity runs here"):
        activity.client()


def test_a_task_token_is_not_shown() -> None:
    client: Any = None
    assert repr(AsyncActivityHandle(client, b"secret")) == "<AsyncActivityHandle task token>"
    by_id = repr(AsyncActivityHandle(client, AsyncActivityIDReference("w", None, "a")))
    assert by_id.startswith("<AsyncActivityHandle AsyncActivityIDReference(workflow_id='w'")


# The client of activities


async def test_async_activities_have_the_workers_client(client: Client, work: str, id: str) -> None:
    assert await client.execute_workflow(Purchase.run, "signal_back", id=id, task_queue=work) == ["default", "hello"]


async def test_def_activities_have_no_client(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(use_client_on_a_thread, id=id, task_queue=work)
    with pytest.raises(ActivityFailureError) as error:
        await handle.result()
    assert "activity 'use_client_on_a_thread' has no client: only async def activities" in str(error.value.cause)


# Interceptors, contexts, codecs


async def test_interceptors_see_and_change_every_call(client: Client, work: str, id: str) -> None:
    seen: list[str] = []

    class Calls(OutboundInterceptor):
        async def heartbeat_async_activity(self, input: Any) -> None:
            seen.append("heartbeat")
            await super().heartbeat_async_activity(input)

        async def complete_async_activity(self, input: CompleteAsyncActivityInput) -> None:
            assert input.id_or_token == AsyncActivityIDReference(None, None, id)
            seen.append("complete")
            assert isinstance(input.result, Approval)
            input.result.by += " Lovelace"
            await super().complete_async_activity(input)

        async def fail_async_activity(self, input: Any) -> None:
            seen.append("fail")
            await super().fail_async_activity(input)

        async def report_cancellation_async_activity(self, input: Any) -> None:
            seen.append("report_cancellation")
            await super().report_cancellation_async_activity(input)

    class Recorded(Interceptor):
        def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
            return Calls(next)

    handle, _ = await start(client, work, id)
    outside = Client(client.service_client, interceptors=[Recorded()]).get_async_activity_handle(activity_id=id)
    await outside.heartbeat()
    with pytest.raises(RPCError):
        await outside.report_cancellation()
    await outside.fail(ValueError("again"))
    await released(id, attempt=2)
    await outside.complete(Approval("Ada"))
    assert await handle.result() == Approval("Ada Lovelace")
    assert seen == ["heartbeat", "report_cancellation", "fail", "complete"]


class Reversing(PayloadCodec, WithSerializationContext):
    """Turns data around, and notes in which context."""

    contexts: list[SerializationContext | None]

    def __init__(
        self, contexts: list[SerializationContext | None], context: SerializationContext | None = None
    ) -> None:
        self.contexts = contexts
        self.context = context

    def with_context(self, context: SerializationContext) -> Reversing:
        return Reversing(self.contexts, context)

    async def encode(self, payloads: Any) -> list[Payload]:
        self.contexts.append(self.context)
        return [Payload({"encoding": b"reversed"}, payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads: Any) -> list[Payload]:
        self.contexts.append(self.context)
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


async def test_values_pass_the_codec_in_the_context_that_is_given(client: Client, work: str, id: str) -> None:
    contexts: list[SerializationContext | None] = []
    coded = Client(client.service_client, data_converter=DataConverter(payload_codec=Reversing(contexts)))
    handle, _ = await start(client, work, id)
    context = ActivitySerializationContext("default", id, "approve", work, None, None, False)
    outside = coded.get_async_activity_handle(activity_id=id)
    await outside.heartbeat("plain")
    await outside.with_context(context).heartbeat("in context")
    await outside.with_context(context).complete(Approval("Ada"))
    assert contexts == [None, context, context]

    contexts.clear()
    result = await coded.get_activity_handle(id, result_type=Approval).result()
    assert result == Approval("Ada")
    described = await coded.get_activity_handle(id).describe(include_outcome=True, include_heartbeat_details=True)
    assert await described.heartbeat_details() == ["in context"]
    assert contexts == [ActivitySerializationContext("default", id, None, None, None, None, False), context]
    raw = await handle.describe(include_outcome=True)
    assert raw.raw_outcome is not None
    assert raw.raw_outcome.result.payloads[0].metadata["encoding"] == b"reversed"
