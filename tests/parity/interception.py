"""What interceptors of workers see of one program, run by ``python -m tests.parity.interception PACKAGE ADDRESS FILE``.

Run once with ``temporalio`` and once with ``invincible``, each in its own environment, it writes what must be the same:
calls in their order, by workflow or activity, with the fields of their inputs.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import functools
import importlib
import json
import sys
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

PACKAGE, ADDRESS, OUTPUT = sys.argv[1:4]

if TYPE_CHECKING:
    from invincible import activity, client, common, converter, worker, workflow
else:
    activity = importlib.import_module(f"{PACKAGE}.activity")
    client = importlib.import_module(f"{PACKAGE}.client")
    common = importlib.import_module(f"{PACKAGE}.common")
    converter = importlib.import_module(f"{PACKAGE}.converter")
    worker = importlib.import_module(f"{PACKAGE}.worker")
    workflow = importlib.import_module(f"{PACKAGE}.workflow")

SECONDS = timedelta(seconds=20)
calls: dict[str, list[Any]] = {}
# Whether the code of an activity asks for its info: what a worker does so by itself is its own affair.
asks: ContextVar[bool] = ContextVar("asks", default=False)

# Set when the workflow waits for messages.
waits = asyncio.Event()


def plain(value: Any) -> Any:
    """The value in a form for JSON that is the same for both packages."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, timedelta):
        return f"{value.total_seconds()} s"
    if type(value).__name__ == "Payload":
        return f"{value.metadata['encoding'].decode()} {value.data.decode()}"
    if type(value).__name__ == "RawValue":
        return f"raw {plain(value.payload)}"
    if isinstance(value, functools.partial):
        return f"partial of {plain(value.func)}"
    if isinstance(value, ThreadPoolExecutor):
        return "executor"
    if isinstance(value, type) or callable(value):
        bound = " bound" if getattr(value, "__self__", None) is not None else ""
        return f"{getattr(value, '__qualname__', type(value).__name__)}{bound}"
    if dataclasses.is_dataclass(value):
        fields = {
            each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value) if each.name[0] != "_"
        }
        return {type(value).__name__: fields}
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [plain(each) for each in value]
    return type(value).__name__


def saw(where: str, who: str, method: str, given: Any = None) -> None:
    calls.setdefault(where, []).append([f"{who}.{method}", plain(given)])


def header(text: str) -> Any:
    return converter.PayloadConverter.default.to_payload(text)


def with_header(input: Any, text: str) -> None:
    input.headers = {**input.headers, "via": header(text)}


class ActivityInbound(worker.ActivityInboundInterceptor):
    who = ""

    def init(self, outbound: Any) -> None:
        saw("activities", self.who, "init")
        kind = type("Out", (ActivityOutbound,), {"who": self.who})
        super().init(kind(outbound))

    async def execute_activity(self, input: Any) -> Any:
        self.where = f"activity {input.fn.__name__}"
        saw(self.where, self.who, "execute_activity", input)
        try:
            return await super().execute_activity(input)
        except Exception as error:
            saw(self.where, self.who, f"raises {type(error).__name__}")
            raise


class ActivityOutbound(worker.ActivityOutboundInterceptor):
    who = ""

    def info(self) -> Any:
        info = super().info()
        if asks.get():
            saw(f"activity {info.activity_type}", self.who, "info")
        return info

    def heartbeat(self, *details: Any) -> None:
        saw("heartbeats", self.who, "heartbeat", details)
        super().heartbeat(*details)


def inbound_method(method: str) -> Any:
    async def call(self: Any, input: Any) -> Any:
        # The server gives queries their ids, by how they reach the worker.
        saw(self.where, self.who, method, dataclasses.replace(input, id="") if method == "handle_query" else input)
        try:
            return await getattr(self.next, method)(input)
        except Exception as error:
            saw(self.where, self.who, f"{method} raises {type(error).__name__}: {error}")
            raise

    return call


class Inbound(worker.WorkflowInboundInterceptor):
    who = ""

    def __init__(self, next: Any) -> None:
        super().__init__(next)
        self.made_in_workflow = workflow.in_workflow()

    def init(self, outbound: Any) -> None:
        self.where = f"workflow {outbound.info().workflow_id}"
        saw(self.where, self.who, f"init in workflow: {self.made_in_workflow}")
        kind = type("Out", (Outbound,), {"who": self.who, "where": self.where})
        super().init(kind(outbound))

    execute_workflow = inbound_method("execute_workflow")
    handle_signal = inbound_method("handle_signal")
    handle_query = inbound_method("handle_query")
    handle_update_handler = inbound_method("handle_update_handler")

    def handle_update_validator(self, input: Any) -> None:
        saw(self.where, self.who, "handle_update_validator", input)
        self.next.handle_update_validator(input)


class Outbound(worker.WorkflowOutboundInterceptor):
    who = ""
    where = ""

    def continue_as_new(self, input: Any) -> Any:
        saw(self.where, self.who, "continue_as_new", input)
        with_header(input, "continue_as_new")
        self.next.continue_as_new(input)

    def info(self) -> Any:
        saw(self.where, self.who, "info")
        return self.next.info()

    async def signal_child_workflow(self, input: Any) -> None:
        saw(self.where, self.who, "signal_child_workflow", input)
        with_header(input, "signal_child_workflow")
        await self.next.signal_child_workflow(input)

    async def signal_external_workflow(self, input: Any) -> None:
        saw(self.where, self.who, "signal_external_workflow", input)
        with_header(input, "signal_external_workflow")
        await self.next.signal_external_workflow(input)

    def start_activity(self, input: Any) -> Any:
        saw(self.where, self.who, "start_activity", input)
        with_header(input, "start_activity")
        return self.next.start_activity(input)

    def start_local_activity(self, input: Any) -> Any:
        saw(self.where, self.who, "start_local_activity", input)
        with_header(input, "start_local_activity")
        return self.next.start_local_activity(input)

    async def start_child_workflow(self, input: Any) -> Any:
        saw(self.where, self.who, "start_child_workflow", input)
        with_header(input, "start_child_workflow")
        return await self.next.start_child_workflow(input)


def interceptor(name: str, *bases: type) -> Any:
    inbound = type("In", (Inbound,), {"who": name})
    activities = type("Act", (ActivityInbound,), {"who": name})

    class Recording(worker.Interceptor):
        def intercept_activity(self, next: Any) -> Any:
            saw("activities", name, "intercept_activity")
            return activities(next)

        def workflow_interceptor_class(self, input: Any) -> Any:
            saw("workers", name, "workflow_interceptor_class", sorted(input.unsafe_extern_functions))
            input.unsafe_extern_functions[name] = lambda: name
            return inbound

    return type("Recording", (Recording, *bases), {})()


@dataclasses.dataclass
class Order:
    number: int


@activity.defn
async def on_loop(order: Order) -> str:
    activity.heartbeat("one", 2)
    token = asks.set(True)
    assert activity.info().activity_type == "on_loop"
    asks.reset(token)
    return f"order {order.number}"


@activity.defn
def on_thread(word: str, times: int = 2) -> str:
    activity.heartbeat()
    return word * times


class Store:
    @activity.defn
    def bound(self) -> str:
        return "bound"

    @activity.defn
    async def fails(self) -> None:
        raise ValueError("no")


@activity.defn
async def ready() -> None:
    waits.set()


@activity.defn(dynamic=True)
async def dynamic_activity(args: Sequence[common.RawValue]) -> int:
    return len(args)


@workflow.defn
class Child:
    def __init__(self) -> None:
        self.done = False

    @workflow.signal
    def finish(self, word: str) -> None:
        self.done = True

    @workflow.run
    async def run(self, word: str) -> str:
        await workflow.wait_condition(lambda: self.done)
        return word


@workflow.defn
class Everything:
    def __init__(self) -> None:
        self.steps: list[Any] = []
        self.finished = False

    @workflow.run
    async def run(self, order: Order, word: str) -> list[Any]:
        info = workflow.info()
        if info.continued_run_id:
            extern = [name for name in workflow.extern_functions() if not name.startswith("__")]
            return [extern, info.headers["via"].data.decode()]
        once = common.RetryPolicy(maximum_attempts=1)
        self.steps.append(
            await workflow.execute_activity(
                on_loop,
                order,
                start_to_close_timeout=SECONDS,
                schedule_to_close_timeout=SECONDS,
                heartbeat_timeout=timedelta(seconds=1.5),
                retry_policy=once,
                activity_id="given",
                summary="a summary",
                priority=common.Priority(priority_key=2),
                cancellation_type=workflow.ActivityCancellationType.ABANDON,
            )
        )
        self.steps.append(await workflow.execute_activity(on_thread, args=["a", 3], start_to_close_timeout=SECONDS))
        self.steps.append(
            await workflow.start_activity(
                "on_thread", "b", result_type=str, start_to_close_timeout=SECONDS, task_queue=info.task_queue
            )
        )
        self.steps.append(await workflow.execute_activity_method(Store.bound, start_to_close_timeout=SECONDS))
        self.steps.append(await workflow.execute_activity("unknown", args=[1, 2], start_to_close_timeout=SECONDS))
        try:
            await workflow.execute_activity_method(Store.fails, start_to_close_timeout=SECONDS, retry_policy=once)
        except Exception as error:
            self.steps.append(type(error).__name__)
        self.steps.append(
            await workflow.execute_local_activity(
                on_loop, order, start_to_close_timeout=SECONDS, local_retry_threshold=SECONDS, retry_policy=once
            )
        )
        self.steps.append(await workflow.execute_local_activity("on_thread", "c", start_to_close_timeout=SECONDS))
        child = await workflow.start_child_workflow(
            Child.run,
            "word",
            id=f"{info.workflow_id}-child",
            execution_timeout=SECONDS,
            memo={"key": 1},
            search_attributes=common.TypedSearchAttributes([]),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary="summary",
            static_details="details",
        )
        await child.signal(Child.finish, "child")
        self.steps.append(await child)
        other = await workflow.start_child_workflow("Child", "other", id=f"{info.workflow_id}-other", result_type=str)
        external = workflow.get_external_workflow_handle(f"{info.workflow_id}-other")
        await external.signal("finish", "external")
        self.steps.append(await other)
        workflow.set_signal_handler("late", lambda word: self.steps.append(word))
        await workflow.execute_activity(ready, start_to_close_timeout=SECONDS)
        await workflow.wait_condition(lambda: self.finished)
        workflow.continue_as_new(args=[order, "again"], memo={"run": 2}, run_timeout=SECONDS)

    @workflow.signal
    async def add(self, order: Order, more: str) -> None:
        self.steps.append(order.number)

    @workflow.signal(dynamic=True)
    def any_signal(self, name: str, args: Sequence[common.RawValue]) -> None:
        self.steps.append([name, len(args)])
        if name == "finish":
            self.finished = True

    @workflow.query
    def so_far(self, order: Order) -> list[Any]:
        return self.steps

    @workflow.query(dynamic=True)
    def any_query(self, name: str, args: Sequence[common.RawValue]) -> list[Any]:
        return [name, len(args)]

    @workflow.update
    async def plain_update(self, order: Order) -> int:
        return order.number

    @workflow.update
    def checked(self, order: Order) -> int:
        return order.number

    @checked.validator
    def check(self, order: Order) -> None:
        if order.number < 0:
            raise ValueError("negative")

    @workflow.update(dynamic=True)
    def any_update(self, name: str, args: Sequence[common.RawValue]) -> list[Any]:
        return [name, len(args)]


class ClientOutbound(client.OutboundInterceptor):
    async def start_workflow(self, input: Any) -> Any:
        with_header(input, "start_workflow")
        return await super().start_workflow(input)

    async def query_workflow(self, input: Any) -> Any:
        with_header(input, "query_workflow")
        return await super().query_workflow(input)

    async def signal_workflow(self, input: Any) -> Any:
        with_header(input, "signal_workflow")
        return await super().signal_workflow(input)

    async def start_workflow_update(self, input: Any) -> Any:
        with_header(input, "start_workflow_update")
        return await super().start_workflow_update(input)


class ClientSide(client.Interceptor):
    def intercept_client(self, next: Any) -> Any:
        return ClientOutbound(next)


async def rejected(update: Any) -> str:
    try:
        return str(await update)
    except Exception as error:
        return f"{type(error).__name__}: {error.__cause__}"


async def main() -> str:
    connected = await client.Client.connect(ADDRESS, interceptors=[interceptor("client", ClientSide)])
    queue = f"interception-{uuid.uuid4()}"
    answers: list[Any] = []
    store = Store()
    with ThreadPoolExecutor(2) as executor:
        async with worker.Worker(
            connected,
            task_queue=queue,
            workflows=[Everything, Child],
            activities=[on_loop, on_thread, ready, store.bound, store.fails, dynamic_activity],
            activity_executor=executor,
            interceptors=[interceptor("first"), interceptor("second")],
            workflow_runner=worker.UnsandboxedWorkflowRunner(),
        ):
            id = "everything"
            handle = await connected.start_workflow(
                Everything.run,
                args=[Order(1), "word"],
                id=f"{id}-{queue}",
                task_queue=queue,
                execution_timeout=timedelta(seconds=60),
                retry_policy=common.RetryPolicy(maximum_attempts=1),
            )
            await asyncio.wait_for(waits.wait(), 30)
            answers.append(await handle.execute_update(Everything.plain_update, Order(1), id="plain"))
            answers.append(await handle.execute_update(Everything.checked, Order(2), id="checked"))
            answers.append(await rejected(handle.execute_update(Everything.checked, Order(-1), id="negative")))
            answers.append(await handle.execute_update("something", args=[1, "a"], id="dynamic"))
            await handle.signal("late", "a")
            await handle.signal(Everything.add, args=[Order(4), "b"])
            await handle.signal("undefined", "x")
            answers.append(await handle.query(Everything.so_far, Order(5)))
            answers.append(await handle.query("anything", 1))
            answers.append(bool(await handle.query("__stack_trace")))
            answers.append(await rejected(handle.execute_update("wrong", id="late")))
            await handle.signal("finish")
            answers.append(await handle.result())
    text = json.dumps({"calls": calls, "answers": answers}, indent=1)
    return text.replace(queue, "QUEUE")


if __name__ == "__main__":
    Path(OUTPUT).write_text(asyncio.run(main()), encoding="utf-8")
