"""Values that are too large: what warns before, and what is raised when the server refuses them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    WithStartWorkflowOperation,
    WorkflowHandle,
)
from invincible.common import WorkflowIDConflictPolicy
from invincible.service import PayloadLimitsConfig, RPCError, RPCStatusCode

# Above what servers take of arguments, and of a whole call.
BLOB = 2_200_000
CALL = 5_000_000


@workflow.defn
class Sized:
    @workflow.run
    async def run(self, body: str, title: str = "") -> str:
        return body

    @workflow.signal
    def note(self, text: str) -> None: ...

    @workflow.query
    def find(self, what: str) -> str:
        return what

    @workflow.update
    def change(self, value: str) -> None: ...


async def refused(call: Awaitable[object]) -> RPCError:
    with pytest.raises(RPCError) as caught:
        await call
    message = str(caught.value)
    assert "give the data converter an external_storage" in message
    assert "xxxx" not in message
    return caught.value


@pytest.fixture
async def handle(client: Client, task_queue: str) -> WorkflowHandle[Sized, str]:
    return await client.start_workflow(Sized.run, "x", id=task_queue, task_queue="none")


async def test_a_start_names_the_argument(client: Client, task_queue: str) -> None:
    error = await refused(
        client.start_workflow(Sized.run, args=["x" * BLOB, "title"], id=task_queue, task_queue="none")
    )
    assert error.status == RPCStatusCode.INVALID_ARGUMENT
    assert str(error).startswith(
        f"Blob data size exceeds limit: workflow 'Sized' with id '{task_queue}', argument body has 2,200,031 bytes, "
        f"argument title has 33 bytes."
    )


async def test_a_start_by_name_numbers_the_arguments(client: Client, task_queue: str) -> None:
    error = await refused(client.start_workflow("Sized", args=[1, "x" * CALL], id=task_queue, task_queue="none"))
    assert error.status == RPCStatusCode.RESOURCE_EXHAUSTED
    assert f"workflow 'Sized' with id '{task_queue}', argument 1 has 5,000,031 bytes" in str(error)


async def test_a_start_names_memo_and_signal(client: Client, task_queue: str) -> None:
    error = await refused(
        client.start_workflow(Sized.run, "x", id=task_queue, task_queue="none", memo={"notes": "x" * BLOB, "n": 1})
    )
    assert "Memo size exceeds limit" in str(error)
    assert "memo 'notes' has 2,200,031 bytes" in str(error)
    error = await refused(
        client.start_workflow(
            Sized.run, "x", id=task_queue, task_queue="none", start_signal="note", start_signal_args=["x" * BLOB]
        )
    )
    assert "argument 0 of signal 'note' has 2,200,031 bytes" in str(error)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda handle: handle.signal(Sized.note, "x" * BLOB), "signal 'note' to workflow {}, argument text has"),
        (lambda handle: handle.query(Sized.find, "x" * BLOB), "query 'find' of workflow {}, argument what has"),
        (
            lambda handle: handle.start_update(Sized.change, "x" * CALL, wait_for_stage=2),
            "update 'change' of workflow {}",
        ),
        (lambda handle: handle.terminate("x" * CALL), "termination of workflow {}, argument 0 has"),
    ],
)
async def test_calls_of_a_workflow_name_what_they_sent(
    handle: WorkflowHandle[Sized, str],
    call: Callable[[WorkflowHandle[Sized, str]], Awaitable[object]],
    named: str,
) -> None:
    assert named.format(repr(handle.id)) in str(await refused(call(handle)))


async def test_an_update_with_start_names_both(client: Client, task_queue: str) -> None:
    start = WithStartWorkflowOperation(
        Sized.run, "x" * BLOB, id=task_queue, task_queue="none", id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )
    error = await refused(client.execute_update_with_start_workflow(Sized.change, "x", start_workflow_operation=start))
    assert "argument body has 2,200,031 bytes" in str(error)
    assert f"argument value of update 'change' of workflow '{task_queue}' has 29 bytes" in str(error)


@activity.defn
async def measure(text: str) -> None: ...


async def test_a_standalone_activity_names_the_argument(client: Client, task_queue: str) -> None:
    error = await refused(
        client.start_activity(
            measure, "x" * BLOB, id=task_queue, task_queue="none", start_to_close_timeout=timedelta(seconds=1)
        )
    )
    assert f"activity 'measure' with id '{task_queue}', argument text has 2,200,031 bytes" in str(error)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "invincible.client"]


async def test_a_warning_names_what_is_large(client: Client, task_queue: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    values = ["x" * 600_000, "title"]
    await client.start_workflow(
        Sized.run, args=values, id=task_queue, task_queue="none", memo={"small": 1, "notes": "x" * 3000}
    )
    assert warnings(caplog) == [
        f"workflow 'Sized' with id '{task_queue}': 600,063 bytes of values, more than the 524,288 from which on "
        f"payload_limits warns: argument body has 600,030 bytes, argument title has 33 bytes",
        f"workflow 'Sized' with id '{task_queue}': 3,056 bytes of memo, more than the 2,048 from which on "
        f"payload_limits warns: memo 'notes' has 3,029 bytes, memo 'small' has 27 bytes",
    ]


async def test_limits_can_be_set_and_turned_off(
    address: str, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    client = await Client.connect(address, payload_limits=PayloadLimitsConfig(payloads_warn_size=0, memo_warn_size=0))
    memo = {"notes": "x" * 3000}
    await client.start_workflow(Sized.run, "x" * 600_000, id=f"{task_queue}-1", task_queue="none", memo=memo)
    assert warnings(caplog) == []
    client = await Client.connect(address, payload_limits=PayloadLimitsConfig(payloads_warn_size=10))
    await client.start_workflow(Sized.run, "x", id=f"{task_queue}-2", task_queue="none")
    assert len(warnings(caplog)) == 1


async def test_a_schedule_names_the_argument_of_its_action(client: Client, task_queue: str) -> None:
    action = ScheduleActionStartWorkflow(Sized.run, args=["x" * CALL, "title"], id=task_queue, task_queue="none")
    error = await refused(client.create_schedule(task_queue, Schedule(action=action, spec=ScheduleSpec())))
    assert f"schedule '{task_queue}' of workflow 'Sized', argument body has 5,000,031 bytes" in str(error)


async def test_a_nexus_operation_names_its_input(client: Client, task_queue: str) -> None:
    nexus = client.create_nexus_client("service", "endpoint")
    error = await refused(nexus.start_operation("work", "x" * CALL, id=task_queue))
    assert f"Nexus operation 'work' with id '{task_queue}', input has 5,000,031 bytes" in str(error)
