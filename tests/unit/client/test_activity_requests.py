"""What calls about activities send, field by field, and in which context their values are converted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from invincible import activity
from invincible._native import Payload
from invincible.client import (
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityHandle,
    ActivityOptionsKeys,
    AsyncActivityHandle,
    Client,
    Interceptor,
    OutboundInterceptor,
    StartActivityInput,
)
from invincible.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    HeaderCodecBehavior,
    Priority,
    RetryPolicy,
)
from invincible.converter import (
    ActivitySerializationContext,
    ConversionError,
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
)
from invincible.exceptions import ApplicationError
from invincible.service import ConnectConfig, ServiceClient

SECOND = timedelta(seconds=1)
ONE = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}


class Recorder(ServiceClient):
    """A connection to nowhere, which answers as it is told."""

    def __init__(self, **answers: dict[str, Any]) -> None:
        super().__init__(ConnectConfig("nowhere:1", identity="me"))
        self.answers = answers
        self.sent: list[tuple[str, dict[str, Any]]] = []

    async def _rpc_call(self, rpc: str, req: Any, resp_type: Any, **options: Any) -> Any:
        assert options.get("retry"), "calls are repeated"
        request = MessageToDict(req, preserving_proto_field_name=True)
        assert request.pop("namespace") == "space"
        request.pop("request_id", None)
        self.sent.append((rpc, request))
        return resp_type(**self.answers.get(rpc, {}))

    @property
    def request(self) -> dict[str, Any]:
        [(_, request)] = self.sent
        self.sent.clear()
        return request


def client_of(recorder: Recorder, **options: Any) -> Client:
    return Client(recorder, namespace="space", **options)


@activity.defn(
    start_to_close_timeout=SECOND,
    heartbeat_timeout=2 * SECOND,
    retry_policy=RetryPolicy(maximum_attempts=3),
    priority=Priority(priority_key=2),
    summary="sums up",
)
async def total(price: int, count: int = 1) -> int:
    return price * count


async def test_a_start_has_the_options_of_the_definition() -> None:
    recorder = Recorder()
    await client_of(recorder).start_activity(total, 1, id="i", task_queue="q")
    assert recorder.request == {
        "identity": "me",
        "activity_id": "i",
        "activity_type": {"name": "total"},
        "task_queue": {"name": "q"},
        "start_to_close_timeout": "1s",
        "heartbeat_timeout": "2s",
        "input": {"payloads": [ONE]},
        "id_reuse_policy": "ACTIVITY_ID_REUSE_POLICY_ALLOW_DUPLICATE",
        "id_conflict_policy": "ACTIVITY_ID_CONFLICT_POLICY_FAIL",
        "retry_policy": {
            "initial_interval": "1s",
            "backoff_coefficient": 2.0,
            "maximum_interval": "100s",
            "maximum_attempts": 3,
        },
        "priority": {"priority_key": 2},
        "user_metadata": {"summary": {**ONE, "data": "InN1bXMgdXAi"}},
    }


async def test_a_start_has_the_options_of_the_call() -> None:
    recorder = Recorder()
    await client_of(recorder).start_activity(
        total,
        args=[1, 1],
        id="i",
        task_queue="q",
        schedule_to_close_timeout=3 * SECOND,
        schedule_to_start_timeout=4 * SECOND,
        start_to_close_timeout=5 * SECOND,
        heartbeat_timeout=6 * SECOND,
        id_reuse_policy=ActivityIDReusePolicy.REJECT_DUPLICATE,
        id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING,
        retry_policy=RetryPolicy(maximum_attempts=1),
        summary="1",
        priority=Priority(fairness_key="f", fairness_weight=0.5),
        start_delay=7 * SECOND,
    )
    request = recorder.request
    durations = [name for name in request if name.endswith(("_timeout", "_delay"))]
    assert {name: request[name] for name in durations} == {
        "schedule_to_close_timeout": "3s",
        "schedule_to_start_timeout": "4s",
        "start_to_close_timeout": "5s",
        "heartbeat_timeout": "6s",
        "start_delay": "7s",
    }
    assert request["id_reuse_policy"] == "ACTIVITY_ID_REUSE_POLICY_REJECT_DUPLICATE"
    assert request["id_conflict_policy"] == "ACTIVITY_ID_CONFLICT_POLICY_USE_EXISTING"
    assert request["retry_policy"]["maximum_attempts"] == 1
    assert request["priority"] == {"fairness_key": "f", "fairness_weight": 0.5}
    assert request["input"] == {"payloads": [ONE, ONE]}


@pytest.mark.parametrize(
    ("call", "rpc", "fields"),
    [
        (lambda h: h.cancel(reason="why"), "request_cancel_activity_execution", {"reason": "why"}),
        (lambda h: h.terminate(reason="why"), "terminate_activity_execution", {"reason": "why"}),
        (lambda h: h.pause(reason="why"), "pause_activity_execution", {"reason": "why"}),
        (
            lambda h: h.unpause(reason="why", jitter=SECOND),
            "unpause_activity_execution",
            {"reason": "why", "jitter": "1s"},
        ),
        (
            lambda h: h.update_options([ActivityOptionsKeys.task_queue.value_set("q")]),
            "update_activity_execution_options",
            {"activity_options": {"task_queue": {"name": "q"}}, "update_mask": "taskQueue.name"},
        ),
        (
            lambda h: h.update_options([ActivityOptionsKeys.retry_policy.value_unset()]),
            "update_activity_execution_options",
            {"activity_options": {}, "update_mask": "retryPolicy"},
        ),
        (lambda h: h.restore_original_options(), "update_activity_execution_options", {"restore_original": True}),
    ],
)
async def test_a_handle_names_its_activity_and_run(call: Any, rpc: str, fields: dict[str, Any]) -> None:
    recorder = Recorder()
    await call(ActivityHandle(client_of(recorder), "i", run_id="r"))
    assert recorder.sent == [(rpc, {"identity": "me", "activity_id": "i", "run_id": "r", **fields})]


async def test_a_description_asks_for_what_it_is_to_include() -> None:
    recorder = Recorder()
    handle = client_of(recorder).get_activity_handle("i")
    for name in ("include_input", "include_outcome", "include_heartbeat_details", "include_last_failure"):
        include: dict[str, Any] = {name: True}
        await handle.describe(**include)
        assert recorder.request == {"activity_id": "i", name: True}


@pytest.mark.parametrize(
    ("given", "suffix", "ids"),
    [
        ({"task_token": b"t"}, "", {"task_token": "dA=="}),
        ({"activity_id": "a"}, "_by_id", {"activity_id": "a"}),
        (
            {"workflow_id": "w", "run_id": "r", "activity_id": "a"},
            "_by_id",
            {"workflow_id": "w", "run_id": "r", "activity_id": "a"},
        ),
    ],
)
async def test_a_completion_is_by_task_token_or_by_ids(given: Any, suffix: str, ids: dict[str, str]) -> None:
    recorder = Recorder()
    outside: AsyncActivityHandle = client_of(recorder).get_async_activity_handle(**given)
    await outside.heartbeat(1)
    await outside.complete(1)
    await outside.fail(ValueError("no"), last_heartbeat_details=[1])
    await outside.report_cancellation(1)
    one = {"payloads": [ONE]}
    failure = recorder.sent[2][1].pop("failure")
    assert (failure["message"], failure["application_failure_info"]) == ("no", {"type": "ValueError"})
    assert recorder.sent == [
        (f"record_activity_task_heartbeat{suffix}", {"identity": "me", **ids, "details": one}),
        (f"respond_activity_task_completed{suffix}", {"identity": "me", **ids, "result": one}),
        (f"respond_activity_task_failed{suffix}", {"identity": "me", **ids, "last_heartbeat_details": one}),
        (f"respond_activity_task_canceled{suffix}", {"identity": "me", **ids, "details": one}),
    ]


class Noting(PayloadCodec, WithSerializationContext):
    """Notes the context of what it encodes and decodes, and leaves it as it is."""

    def __init__(self, notes: list[SerializationContext | None], context: SerializationContext | None = None) -> None:
        self.notes = notes
        self.context = context

    def with_context(self, context: SerializationContext) -> Noting:
        return Noting(self.notes, context)

    async def encode(self, payloads: Any) -> list[Payload]:
        self.notes.append(self.context)
        return list(payloads)

    async def decode(self, payloads: Any) -> list[Payload]:
        self.notes.append(self.context)
        return list(payloads)


def context(activity_type: str | None, task_queue: str | None) -> ActivitySerializationContext:
    return ActivitySerializationContext("space", "i", activity_type, task_queue, None, None, False)


async def test_values_are_converted_as_those_of_the_activity() -> None:
    failure = {"message": "no", "application_failure_info": {"details": {"payloads": [{"data": b"1"}]}}}
    recorder = Recorder(
        poll_activity_execution={"outcome": {"failure": failure}},
        describe_activity_execution={
            "info": {"activity_id": "i", "activity_type": {"name": "total"}, "task_queue": "q", "status": 1},
            "input": {"payloads": [{"metadata": {"encoding": b"json/plain"}, "data": b"1"}]},
        },
    )
    notes: list[SerializationContext | None] = []
    client = client_of(recorder, data_converter=DataConverter(payload_codec=Noting(notes)))
    handle = await client.start_activity(total, 1, id="i", task_queue="q")
    assert notes == [context("total", "q")] * 2, "arguments and summary"
    notes.clear()
    for _ in range(2):
        with pytest.raises(ActivityFailureError):
            await handle.result()
    assert [rpc for rpc, _ in recorder.sent].count("poll_activity_execution") == 1, "the outcome is kept"
    assert notes == [context(None, None)] * 2
    notes.clear()
    description = await handle.describe(include_input=True)
    assert description.status is ActivityExecutionStatus.RUNNING
    assert notes == [], "nothing is decoded before it is asked for"
    assert await description.input([int]) == [1]
    assert notes == [context("total", "q")]


@pytest.mark.parametrize(
    ("behavior", "encoded"),
    [(HeaderCodecBehavior.NO_CODEC, 1), (HeaderCodecBehavior.CODEC, 2), (HeaderCodecBehavior.WORKFLOW_ONLY_CODEC, 1)],
)
async def test_headers_pass_the_codec_where_the_client_says_so(behavior: HeaderCodecBehavior, encoded: int) -> None:
    class Calls(OutboundInterceptor):
        async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
            input.headers, input.summary = {"tenant": Payload({}, b"acme")}, None
            return await super().start_activity(input)

    class Tenant(Interceptor):
        def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
            return Calls(next)

    recorder = Recorder()
    notes: list[SerializationContext | None] = []
    client = client_of(
        recorder,
        interceptors=[Tenant()],
        data_converter=DataConverter(payload_codec=Noting(notes)),
        header_codec_behavior=behavior,
    )
    await client.start_activity(total, 1, id="i", task_queue="q")
    assert recorder.request["header"] == {"fields": {"tenant": {"data": "YWNtZQ=="}}}
    assert notes == [context("total", "q"), None][:encoded]


async def test_no_value_is_shown_where_there_is_a_codec() -> None:
    recorder = Recorder(
        poll_activity_execution={
            "outcome": {"result": {"payloads": [{"metadata": {"encoding": b"json/plain"}, "data": b'"secret"'}]}}
        }
    )
    client = client_of(recorder, data_converter=DataConverter(payload_codec=Noting([])))
    with pytest.raises(ConversionError, match="activity 'i', result: expected int") as error:
        await client.get_activity_handle("i", result_type=int).result()
    assert "secret" not in str(error.value)


async def test_a_failure_has_its_cause() -> None:
    failure = {"message": "no tea", "application_failure_info": {"type": "Refused"}}
    recorder = Recorder(poll_activity_execution={"outcome": {"failure": failure}})
    with pytest.raises(ActivityFailureError, match="Activity execution failed") as error:
        await client_of(recorder).get_activity_handle("i").result()
    assert isinstance(error.value.cause, ApplicationError)
    assert error.value.cause is error.value.__cause__
    assert error.value.cause.type == "Refused"


async def test_an_attempt_fails_by_an_exception() -> None:
    client = await Client.connect("127.0.0.1:9", lazy=True)
    outside: Any = client.get_async_activity_handle(task_token=b"token")
    with pytest.raises(TypeError, match=r"^error must be an exception, got str$"):
        await outside.fail("no")
