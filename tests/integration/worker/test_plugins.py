"""Plugins of workers and replayers: what they configure, what they surround, and how they end."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.client import Client, ClientConfig, WorkflowHistory
from invincible.client import Interceptor as ClientInterceptor
from invincible.client import Plugin as ClientPlugin
from invincible.converter import DataConverter
from invincible.plugin import SimplePlugin
from invincible.service import ConnectConfig, ServiceClient
from invincible.worker import (
    Interceptor,
    Plugin,
    Replayer,
    ReplayerConfig,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerConfig,
    WorkflowReplayResult,
)

SECOND = timedelta(seconds=1)


@workflow.defn
async def hello(name: str) -> str:
    return await workflow.execute_activity("greet", name, result_type=str, start_to_close_timeout=SECOND * 60)


@workflow.defn
async def fails() -> None:
    raise KeyError("missing")


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


class Noted(Plugin):
    """Notes when it is called."""

    def __init__(self, title: str, notes: list[str]) -> None:
        self.title = title
        self.notes = notes

    def name(self) -> str:
        return self.title

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        self.notes.append(f"{self.title} configures")
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        self.notes.append(f"{self.title} runs")
        try:
            await next(worker)
        finally:
            self.notes.append(f"{self.title} ends{' after the worker' if worker.is_shutdown else ''}")

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        self.notes.append(f"{self.title} configures")
        return config

    def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        self.notes.append(f"{self.title} replays")
        return next(replayer, histories)


class NotedOfClient(Noted, ClientPlugin):
    """One for clients, too."""

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        return config

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        return await next(config)


async def test_the_plugins_of_the_client_come_first_and_the_first_is_outermost(
    client: Client, address: str, task_queue: str
) -> None:
    notes: list[str] = []
    client = await Client.connect(address, plugins=[NotedOfClient("client", notes)])
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[hello],
        activities=[greet],
        plugins=[Noted("first", notes), Noted("second", notes)],
    )
    async with worker:
        notes.append("block")
        assert await client.execute_workflow(hello, "Ada", id=task_queue, task_queue=task_queue) == "Hello, Ada!"
    assert notes == [
        "client configures",
        "first configures",
        "second configures",
        "client runs",
        "first runs",
        "second runs",
        "block",
        "second ends after the worker",
        "first ends after the worker",
        "client ends after the worker",
    ]
    notes.clear()
    history = await client.get_workflow_handle(task_queue).fetch_history()
    replayer = Replayer(workflows=[hello], plugins=[Noted("first", notes), Noted("second", notes)])
    await replayer.replay_workflow(history)
    assert notes == ["first configures", "second configures", "first replays", "second replays"]


async def test_run_goes_through_the_plugins_too(client: Client, task_queue: str) -> None:
    notes: list[str] = []
    worker = Worker(client, task_queue=task_queue, activities=[greet], plugins=[Noted("only", notes)])
    run = asyncio.ensure_future(worker.run())
    await worker._polling.wait()
    await worker.shutdown()
    await run
    assert notes == ["only configures", "only runs", "only ends after the worker"]


async def test_what_a_plugin_configures_is_used_and_what_was_given_is_kept(client: Client, task_queue: str) -> None:
    class Adds(Noted):
        def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
            config["activities"] = [*config["activities"], greet]
            config["identity"] = "by plugin"
            return config

    worker = Worker(client, task_queue=task_queue, workflows=[hello], plugins=[Adds("adds", [])])
    assert worker.config()["activities"] == ()
    assert worker.config()["identity"] is None
    assert worker.config(active_config=True)["activities"] == [greet]
    async with worker:
        handle = await client.start_workflow(hello, "Ada", id=task_queue, task_queue=task_queue)
        assert await handle.result() == "Hello, Ada!"
    history = await handle.fetch_history()
    started = [event.workflow_task_started_event_attributes.identity for event in history.events]
    assert "by plugin" in started


async def test_a_worker_is_made_again_from_its_configuration(client: Client, task_queue: str) -> None:
    worker = Worker(client, task_queue=task_queue, workflows=[hello], max_cached_workflows=7)
    config = worker.config()
    config["task_queue"] = "another"
    again = Worker(**config)
    assert again.task_queue == "another"
    assert {**again.config(), "task_queue": task_queue} == worker.config()
    replayer = Replayer(workflows=[hello], namespace="elsewhere")
    assert Replayer(**replayer.config()).config() == replayer.config()


class Behaves(Noted):
    """Runs the worker as it is told."""

    def __init__(self, run: Callable[[Worker, Callable[[Worker], Awaitable[None]]], Awaitable[None]]) -> None:
        super().__init__("behaves", [])
        self._run = run

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        await self._run(worker, next)


async def test_a_plugin_that_does_not_run_the_worker_is_an_error(client: Client, task_queue: str) -> None:
    async def run(worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None: ...

    worker = Worker(client, task_queue=task_queue, activities=[greet], plugins=[Behaves(run)])
    with pytest.raises(RuntimeError, match=r"has not been run: one of its plugins did not call next \(behaves\)"):
        async with worker:
            raise AssertionError("the block must not begin")


async def test_a_plugin_may_run_the_worker_only_once(client: Client, task_queue: str) -> None:
    async def run(worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        await next(worker)
        await next(worker)

    with pytest.raises(RuntimeError, match="a plugin may run a worker only once"):
        async with Worker(client, task_queue=task_queue, activities=[greet], plugins=[Behaves(run)]):
            pass


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_error_of_a_plugin_is_raised(client: Client, task_queue: str, when: str) -> None:
    fatal: list[BaseException] = []

    async def run(worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        if when == "after":
            await next(worker)
        raise ValueError("of the plugin")

    worker = Worker(
        client, task_queue=task_queue, activities=[greet], plugins=[Behaves(run)], on_fatal_error=fatal.append
    )
    with pytest.raises(ValueError, match="of the plugin"):
        async with worker:
            assert when == "after"
    assert worker.is_shutdown
    # It is no error of the worker.
    assert fatal == []


async def test_plugins_that_are_not_done_after_the_worker_are_cancelled(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    cancelled = []

    async def run(worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        await next(worker)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(worker.is_shutdown)
            raise

    async with Worker(
        client,
        task_queue=task_queue,
        activities=[greet],
        plugins=[Behaves(run)],
        plugin_shutdown_timeout=timedelta(milliseconds=50),
    ):
        pass
    assert cancelled == [True]
    assert "plugins of the worker were not done 0:00:00.050000 after its end" in caplog.text


async def test_plugins_have_their_time_after_the_worker(client: Client, task_queue: str) -> None:
    done: list[bool] = []

    async def run(worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        await next(worker)
        await asyncio.wait_for(asyncio.ensure_future(asyncio.to_thread(done.append, True)), 30)

    async with Worker(client, task_queue=task_queue, activities=[greet], plugins=[Behaves(run)]):
        pass
    assert done == [True]


def test_what_is_no_plugin_is_refused(client: Client, task_queue: str) -> None:
    says = re.escape("plugins must be objects of subclasses of invincible.worker.Plugin, got 'plugin'")
    with pytest.raises(TypeError, match=says):
        Worker(client, task_queue=task_queue, activities=[greet], plugins=["plugin"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=says):
        Replayer(workflows=[hello], plugins=["plugin"])  # type: ignore[list-item]


async def test_plugins_that_are_there_twice(address: str, task_queue: str) -> None:
    plugin = NotedOfClient("twice", [])
    client = await Client.connect(address, plugins=[plugin])
    with pytest.raises(ValueError, match="plugin twice is one of the client's, which the worker uses anyway"):
        Worker(client, task_queue=task_queue, activities=[greet], plugins=[plugin])
    with pytest.warns(UserWarning, match="each a plugin of type NotedOfClient: both are used") as warned:
        Worker(client, task_queue=task_queue, activities=[greet], plugins=[NotedOfClient("again", [])])
    assert warned[0].filename == __file__


class ForBoth(ClientInterceptor, Interceptor):
    """An interceptor of clients and of workers."""


class ForWorkers(Interceptor):
    """An interceptor of workers."""


async def test_a_simple_plugin_brings_everything(address: str, task_queue: str) -> None:
    contexts: list[str] = []

    @asynccontextmanager
    async def run_context() -> AsyncIterator[None]:
        contexts.append("open")
        try:
            yield
        finally:
            contexts.append("closed")

    converter = replace(DataConverter.default)
    both, for_workers, runner = ForBoth(), ForWorkers(), UnsandboxedWorkflowRunner()
    plugin = SimplePlugin(
        "simple",
        data_converter=converter,
        interceptors=[both, for_workers],
        activities=[greet],
        workflows=[fails],
        workflow_runner=runner,
        workflow_failure_exception_types=[KeyError],
        run_context=run_context,
    )
    client = await Client.connect(address, plugins=[plugin])
    assert client.data_converter is converter
    assert client.config(active_config=True)["interceptors"] == [both]

    worker = Worker(client, task_queue=task_queue, workflows=[hello], interceptors=[for_workers])
    config = worker.config(active_config=True)
    assert config["activities"] == [greet]
    assert config["workflows"] == [hello, fails]
    assert config["workflow_runner"] is runner
    assert config["workflow_failure_exception_types"] == [KeyError]
    # The worker has that of its client from there.
    assert config["interceptors"] == [for_workers]
    async with worker:
        assert contexts == ["open"]
        assert await client.execute_workflow(hello, "Ada", id=task_queue, task_queue=task_queue) == "Hello, Ada!"
    assert contexts == ["open", "closed"]

    replayer = Replayer(workflows=[hello], plugins=[plugin])
    replaying = replayer.config(active_config=True)
    assert replaying["data_converter"] is converter
    assert replaying["workflows"] == [hello, fails]
    assert replaying["interceptors"] == [both, for_workers]
    assert replaying["workflow_runner"] is runner
    assert replaying["workflow_failure_exception_types"] == [KeyError]
    await replayer.replay_workflow(await client.get_workflow_handle(task_queue).fetch_history())
    assert contexts == ["open", "closed", "open", "closed"]


async def test_the_functions_of_a_simple_plugin_get_what_is_configured(client: Client, task_queue: str) -> None:
    given: list[Any] = []

    def none_of(configured: Sequence[Any] | None) -> Sequence[Any]:
        given.append(configured)
        return [greet]

    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[hello],
        activities=[greet],
        plugins=[SimplePlugin("f", activities=none_of)],
    )
    assert given == [[greet]]
    assert worker.config(active_config=True)["activities"] == [greet]


def test_a_simple_plugin_needs_a_name_and_interceptors() -> None:
    with pytest.raises(ValueError, match="a plugin needs a name"):
        SimplePlugin("")
    with pytest.raises(TypeError, match="interceptors of plugin 'p' must be interceptors of clients or workers"):
        SimplePlugin("p", interceptors=[object()])  # type: ignore[list-item]
    assert SimplePlugin("p").name() == "p"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name": 5}, "the name of a plugin must be a str, got int"),
        ({"activities": greet}, "activities of plugin 'p' must be a sequence: put greet in a list"),
        ({"workflows": dict}, "workflows of plugin 'p' must be a sequence: put dict in a list"),
        ({"run_context": nullcontext()}, "run_context of plugin 'p' must be a function that makes a context manager"),
    ],
    ids=["name", "activity", "workflow", "context"],
)
def test_what_a_simple_plugin_cannot_be_made_of(options: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        SimplePlugin(**{"name": "p", **options})


async def test_a_function_of_a_simple_plugin_that_gives_no_sequence(client: Client, task_queue: str) -> None:
    def add(configured: Any) -> None:
        configured.append(greet)

    plugin = SimplePlugin("p", activities=add)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="add, in place of a sequence, must return one, got NoneType: to have a plugin"):
        Worker(client, task_queue=task_queue, activities=[greet], plugins=[plugin])


async def test_a_plugin_that_changes_nothing_costs_no_warning(client: Client, task_queue: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with Worker(client, task_queue=task_queue, activities=[greet], plugins=[SimplePlugin("nothing")]):
            pass
