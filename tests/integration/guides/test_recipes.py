"""The recipes, followed; and what each promises, measured."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from invincible import activity
from invincible.client import Client, WorkflowHandle
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.guide_sessions import follow
from tests.support.guides import follow as follow_blocks

PAGE = "recipes.md"


@pytest.fixture
async def recipes(guide_server: str) -> dict[str, Any]:
    """The names that the page defines; nothing of it runs but the connection and definitions."""
    return await follow_blocks(PAGE, guide_server, only=[0, 1, 3, 7, 8])


async def test_the_page_prints_what_it_says(guide_server: str) -> None:
    await follow(PAGE, address=guide_server, namespace="recipes", task_queue="media")


async def test_a_line_runs_no_more_than_its_limit_in_order(recipes: dict[str, Any], task_queue: str) -> None:
    client: Client = recipes["client"]
    begun: list[str] = []
    running = most = 0
    full, go_on = asyncio.Event(), asyncio.Event()

    @activity.defn
    async def render(film: str) -> str:
        nonlocal running, most
        begun.append(film)
        running += 1
        most = max(most, running)
        if running == 2:
            full.set()
        await go_on.wait()
        running -= 1
        return film

    films = [f"film {number}" for number in range(7)]
    async with Worker(client, task_queue=task_queue, workflows=[recipes["Line"]], activities=[render]):
        line = await client.start_workflow("Line", args=[2, films[:4]], id=task_queue, task_queue=task_queue)
        for film in films[4:]:
            await line.signal("submit", film)
        await asyncio.wait_for(full.wait(), 30)
        go_on.set()
        await line.result()
    assert most == 2
    assert sorted(begun) == films
    # Two that are begun together may come in any order.
    assert all(abs(begun.index(film) - number) <= 1 for number, film in enumerate(films))


async def backlog(handle: WorkflowHandle[Any, Any], tasks: int) -> None:
    async def waits() -> bool:
        return len((await handle.describe()).raw_description.pending_activities) == tasks

    await eventually(waits, what=f"{tasks} activities wait")


async def test_a_small_studio_does_not_wait_for_a_large_one(recipes: dict[str, Any], task_queue: str) -> None:
    client: Client = recipes["client"]
    done: list[str] = []

    @activity.defn
    async def render(film: str) -> str:
        done.append(film.split()[0])
        return film

    async def start(studio: str, films: int) -> WorkflowHandle[Any, Any]:
        id = f"{task_queue}-{studio}"
        return await client.start_workflow(recipes["festival"], args=[studio, films], id=id, task_queue=task_queue)

    renders: dict[str, Any] = {"task_queue": "render", "activities": [render], "max_concurrent_activities": 1}
    async with Worker(client, task_queue=task_queue, workflows=[recipes["festival"]]):
        async with Worker(client, **renders):
            await (await start("first", 1)).result()
        large = await start("large", 30)
        await backlog(large, 30)
        small = await start("small", 3)
        await backlog(small, 3)
        done.clear()
        async with Worker(client, **renders):
            await asyncio.gather(large.result(), small.result())
    assert len(done) == 33
    last = len(done) - done[::-1].index("small")
    assert last <= 15, done


async def test_each_key_has_its_rate(recipes: dict[str, Any], task_queue: str) -> None:
    client: Client = recipes["client"]
    times: dict[str, list[float]] = {}

    @activity.defn
    async def render(film: str) -> str:
        times.setdefault(film.split()[0], []).append(time.monotonic())
        return film

    async with (
        Worker(client, task_queue=task_queue, workflows=[recipes["festival"]]),
        Worker(client, task_queue="render", activities=[render]),
    ):
        await recipes["limit_each_key"]("render", 5)
        await asyncio.gather(
            *(
                client.execute_workflow(
                    recipes["festival"], args=[studio, 20], id=f"{task_queue}-{studio}", task_queue=task_queue
                )
                for studio in ("one", "other")
            )
        )
    # The first ones are given out at once, up to two seconds' worth; each later one a fifth of a second after another.
    assert all(max(each) - min(each) > 1 for each in times.values()), times
