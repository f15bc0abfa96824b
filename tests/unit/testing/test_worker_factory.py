"""What the worker factory makes of what it is given. Nothing is polled here."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any, get_type_hints

import pytest

from invincible import activity, worker, workflow
from invincible.client import Client
from invincible.testing import WorkerFactory, mock_activity
from invincible.testing._worker_options import WorkerOptions
from invincible.worker import Worker


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
async def greet(name: str) -> str:
    return f"Hello, {name}"


class Mail:
    @activity.defn(start_to_close_timeout=timedelta(seconds=10))
    def send(self, text: str) -> None: ...


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await greet.execute(name)


@workflow.defn
async def farewell(name: str) -> str:
    return f"Bye, {name}"


@pytest.fixture
async def factory() -> WorkerFactory:
    return WorkerFactory(await Client.connect("127.0.0.1:9", lazy=True), "of the test", {"max_cached_workflows": 7})


def test_definitions_are_told_apart(factory: WorkerFactory) -> None:
    send, mock = Mail().send, mock_activity("in-go")
    made = factory(Greeting, send, farewell, mock, greet).config()
    assert made["workflows"] == [Greeting, farewell]
    assert made["activities"] == [send, mock, greet]
    assert made["task_queue"] == "of the test"
    assert made["client"] is factory.client


def test_definitions_by_name_come_after_the_others(factory: WorkerFactory) -> None:
    made = factory(farewell, workflows=[Greeting], activities=[greet]).config()
    assert made["workflows"] == [farewell, Greeting]
    assert made["activities"] == [greet]


def test_options_of_the_call_go_before_those_of_the_factory(factory: WorkerFactory) -> None:
    assert factory(Greeting).config()["max_cached_workflows"] == 7
    made = factory(Greeting, max_cached_workflows=9, task_queue="another", identity="me").config()
    assert (made["max_cached_workflows"], made["task_queue"], made["identity"]) == (9, "another", "me")


@pytest.mark.parametrize("wrong", [print, "greet", 3, Mail, ...], ids=lambda wrong: type(wrong).__name__)
def test_what_is_neither_is_named(factory: WorkerFactory, wrong: object) -> None:
    with pytest.raises(TypeError, match="neither a workflow nor an activity: decorate it"):
        factory(Greeting, wrong)


def test_a_worker_needs_something_to_run(factory: WorkerFactory) -> None:
    with pytest.raises(ValueError, match="needs workflows, activities or Nexus services"):
        factory()


def test_always_replay_is_of_the_one_worker(factory: WorkerFactory) -> None:
    assert factory(Greeting, always_replay=True).config(active_config=True)["max_cached_workflows"] == 0
    assert factory(Greeting).config(active_config=True)["max_cached_workflows"] == 7


def test_always_replay_of_a_client_is_of_all_its_workers(factory: WorkerFactory) -> None:
    factory.client._always_replay = True
    plain = Worker(factory.client, task_queue="q", workflows=[Greeting])
    assert plain.config(active_config=True)["max_cached_workflows"] == 0
    assert factory(Greeting).config(active_config=True)["max_cached_workflows"] == 0
    assert factory(Greeting, always_replay=False).config(active_config=True)["max_cached_workflows"] == 7


def test_a_worker_that_never_ran_is_noted(factory: WorkerFactory) -> None:
    assert factory.notes() == []
    factory(Greeting)
    assert [note.partition(":")[0] for note in factory.notes()] == ["a worker was made and never run"]


def test_a_worker_that_cannot_run_says_so_in_a_thread_too(factory: WorkerFactory) -> None:
    with pytest.raises(RuntimeError, match="not connected"), factory(Greeting):
        pass


def test_options_are_those_of_workers() -> None:
    parameters = inspect.signature(Worker).parameters
    assert list(WorkerOptions.__annotations__) == list(parameters)
    names = {**vars(worker), **{name: getattr(worker, name) for name in worker.__all__}}
    ours = get_type_hints(WorkerOptions, localns={"Client": Client, **names})
    theirs = get_type_hints(worker.WorkerConfig, localns={"Client": Client, **names})
    assert {name: hint for name, hint in ours.items() if theirs[name] not in (hint, Any)} == {}
