"""What users get wrong, and what they are told: each error names the thing, and nothing hangs."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible._native import Payload
from invincible.client import Client, SyncClient, WorkflowFailureError, WorkflowTaskFailedError
from invincible.common import RawValue, RetryPolicy
from invincible.exceptions import ActivityError, WorkflowAlreadyStartedError
from invincible.service import RPCError
from invincible.worker import Worker
from tests.support.conditions import eventually

LIMIT = 20.0


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
async def double(number: int) -> int:
    return 2 * number


@workflow.defn
class Doubling:
    @workflow.run
    async def run(self, number: int) -> int:
        return await double.execute(number)

    @workflow.query
    def times(self, number: int) -> int:
        return number


@workflow.defn
async def by_name(name: str) -> int:
    result: int = await workflow.execute_activity(name, "many", start_to_close_timeout=timedelta(seconds=10))
    return result


async def failed_task(client: Client, workflow_type: str, argument: object, task_queue: str) -> str:
    with pytest.raises(WorkflowTaskFailedError) as failure:
        await asyncio.wait_for(
            client.execute_workflow(workflow_type, argument, id=task_queue, task_queue=task_queue), LIMIT
        )
    return str(failure.value)


async def test_an_unknown_workflow_type_is_named_with_those_that_are_known(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Doubling], activities=[double]):
        message = await failed_task(client, "Tripling", 1, task_queue)
    assert "workflow type 'Tripling' is not registered" in message
    assert "its workflows are: Doubling" in message


async def test_a_wrong_argument_names_workflow_parameter_and_type(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Doubling], activities=[double]):
        message = await failed_task(client, "Doubling", "many", task_queue)
    for part in ("workflow 'Doubling'", "number", "int", "many"):
        assert part in message


async def test_a_payload_that_nobody_can_decode_is_named(client: Client, task_queue: str) -> None:
    strange = RawValue(Payload({"encoding": b"application/x-unheard-of"}, b"?"))
    async with Worker(client, task_queue=task_queue, workflows=[Doubling], activities=[double]):
        message = await failed_task(client, "Doubling", strange, task_queue)
    for part in ("workflow 'Doubling'", "number", "application/x-unheard-of"):
        assert part in message


async def test_broken_json_is_named(client: Client, task_queue: str) -> None:
    broken = RawValue(Payload({"encoding": b"json/plain"}, b'{"number": '))
    async with Worker(client, task_queue=task_queue, workflows=[Doubling], activities=[double]):
        message = await failed_task(client, "Doubling", broken, task_queue)
    assert "workflow 'Doubling'" in message
    assert "JSON" in message


async def test_an_activity_with_a_wrong_argument_names_it(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[by_name], activities=[double]):
        handle = await client.start_workflow(
            by_name, "double", id=task_queue, task_queue=task_queue, execution_timeout=timedelta(seconds=LIMIT)
        )

        async def failure() -> str:
            description = await handle.describe()
            pending = description.raw_description.pending_activities
            return pending[0].last_failure.message if pending else ""

        message = await eventually(failure, what="the activity has failed")
        await handle.terminate()
    for part in ("activity 'double'", "number", "int", "many"):
        assert part in message


async def test_an_unknown_activity_is_named_with_those_that_are_known(client: Client, task_queue: str) -> None:
    client._raise_task_failures = False  # a test would be told before the worker is
    async with Worker(client, task_queue=task_queue, workflows=[by_name], activities=[double]):
        handle = await client.start_workflow(by_name, "triple", id=task_queue, task_queue=task_queue)

        async def failure() -> str:
            description = await handle.describe()
            pending = description.raw_description.pending_activities
            return pending[0].last_failure.message if pending else ""

        message = await eventually(failure, what="the activity has failed")
        await handle.terminate()
    assert "activity type 'triple' is not registered" in message
    assert "its activities are: double" in message


async def test_an_unknown_query_is_named_with_those_that_are_known(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Doubling], activities=[double]):
        handle = await client.start_workflow(Doubling.run, 1, id=task_queue, task_queue=task_queue)
        await handle.result()
        with pytest.raises(Exception, match="no query 'factor'; its queries are: times"):
            await handle.query("factor")
        with pytest.raises(Exception, match=r"query 'times'.*number"):
            await handle.query("times", "many")


async def test_a_workflow_id_that_is_taken_is_named(client: Client, task_queue: str) -> None:
    handle = await client.start_workflow("Nobody", id=task_queue, task_queue=task_queue)
    with pytest.raises(WorkflowAlreadyStartedError) as error:
        await client.start_workflow("Nobody", id=task_queue, task_queue=task_queue)
    assert error.value.workflow_id == task_queue
    await handle.terminate()


async def test_an_address_where_nobody_listens_is_named() -> None:
    started = time.monotonic()
    with pytest.raises(RuntimeError, match=r"could not connect to 127\.0\.0\.1:1\b"):
        await Client.connect("127.0.0.1:1")
    assert time.monotonic() - started < LIMIT


async def test_a_namespace_that_does_not_exist_stops_the_worker_at_once(client: Client, task_queue: str) -> None:
    elsewhere = await Client.connect(client.service_client.config.target_host, namespace="nowhere")
    worker = Worker(elsewhere, task_queue=task_queue, workflows=[Doubling])
    with pytest.raises(RuntimeError, match=r"[Nn]amespace nowhere"):
        await asyncio.wait_for(worker.run(), LIMIT)


async def test_handles_of_workflows_that_do_not_exist_say_so(client: Client) -> None:
    handle = client.get_workflow_handle("no-such-workflow")
    for call in (handle.result(), handle.describe(), handle.signal("any"), handle.cancel()):
        with pytest.raises(RPCError, match=r"no-such-workflow|not found"):
            await asyncio.wait_for(call, LIMIT)


async def test_a_result_of_the_wrong_type_is_named(client: Client, task_queue: str) -> None:
    @activity.defn(name="double", start_to_close_timeout=timedelta(seconds=10))
    async def wordy(number: int) -> str:
        return "two"

    async with Worker(client, task_queue=task_queue, workflows=[Doubling], activities=[wordy]):
        message = await failed_task(client, "Doubling", 1, task_queue)
    for part in ("activity 'double'", "result", "int"):
        assert part in message


async def test_an_activity_error_names_the_activity(client: Client, task_queue: str) -> None:
    @activity.defn(name="double", start_to_close_timeout=timedelta(seconds=10))
    async def failing(number: int) -> int:
        raise ValueError("no numbers today")

    @workflow.defn
    async def once() -> int:
        return await double.with_options(retry_policy=RetryPolicy(maximum_attempts=1)).execute(1)

    async with Worker(client, task_queue=task_queue, workflows=[once], activities=[failing]):
        with pytest.raises(WorkflowFailureError) as failure:
            await client.execute_workflow(once, id=task_queue, task_queue=task_queue)
    assert isinstance(failure.value.cause, ActivityError)
    assert "no numbers today" in str(failure.value.cause.cause)


async def test_a_worker_needs_a_client_that_is_awaited(address: str, task_queue: str) -> None:
    refused = pytest.raises(TypeError, match=r"needs a connected invincible\.client\.Client, got SyncClient")
    with SyncClient.connect(address) as client, refused:
        Worker(client, task_queue=task_queue, workflows=["any"])  # type: ignore[arg-type]
