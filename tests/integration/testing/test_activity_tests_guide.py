"""The tests on the page about tests of activities, run."""

from __future__ import annotations

import inspect

import pytest

from invincible.client import Client, WorkflowTaskFailedError
from invincible.worker import Worker
from tests.support.guides import follow, text


async def test_the_tests_of_the_guide_pass(client: Client, address: str, task_queue: str) -> None:
    own = {'task_queue="orders"': f'task_queue="{task_queue}"', 'id="': f'id="{task_queue}-'}
    names = await follow("activity-tests.md", address, own)
    tests = [test for name, test in names.items() if name.startswith("test_")]
    for test in tests:
        result = test(client) if inspect.signature(test).parameters else test()
        if inspect.isawaitable(result):
            await result
    assert len(tests) == 8


async def test_it_says_what_a_test_is_told(client: Client, task_queue: str) -> None:
    names = await follow("activity-tests.md", only=(0,))
    async with Worker(client, task_queue=task_queue, workflows=[names["order"]], activities=[names["resize"]]):
        with pytest.raises(WorkflowTaskFailedError) as raised:
            await client.execute_workflow(names["order"], "o-1", id=task_queue, task_queue=task_queue)
    told = str(raised.value).partition("\n")[0].replace(task_queue, "orders").replace("'orders' c", "'order-o-1' c")
    assert f"WorkflowTaskFailedError: {told}" in " ".join(text("activity-tests.md").split())
