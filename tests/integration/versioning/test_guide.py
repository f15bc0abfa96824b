"""What ``versioning.md`` says, done on the real server."""

from __future__ import annotations

import asyncio
from typing import Any

from invincible.client import Client
from invincible.service import RPCError
from invincible.worker import Worker, WorkerDeploymentConfig
from tests.support.conditions import eventually
from tests.support.guides import follow
from tests.support.versions import Deployment, known, probe

PAGE = "versioning.md"


async def test_the_guide(client: Client, address: str, task_queue: str, deployment: Deployment) -> None:
    replacements = {
        'task_queue="shop"': f'task_queue="{task_queue}"',
        '"shop"': f'"{deployment.name}"',
        "workflows=[Order, Membership]": "workflows=[Order, Membership, *more]",
        'id=f"try-': f'id=f"{task_queue}-try-',
        "asyncio.sleep(10)": "asyncio.sleep(0.1)",
    }
    more: list[Any] = [probe]
    names = await follow(PAGE, address, replacements, more=more)
    more.append(names["Ledger"])
    shop_worker, membership, ledger = names["shop_worker"], names["Membership"], names["Ledger"]

    async def is_on(handle: Any, build_id: str) -> None:
        async def is_there() -> bool:
            await handle.signal("add", "a signal brings a task")
            return bool(await handle.query("version") == build_id)

        await eventually(is_there, what=f"the run is on {build_id}")

    async def tried_out() -> bool:
        try:
            return bool(await names["try_out"](client, "two") == "receipt for a cup of tea")
        except RPCError:
            return False  # The task queue hears of a version later than its deployment.

    async with shop_worker(client, "one"):
        await known(deployment.handle, "one", task_queue=task_queue)
        await names["finish_release"](client, "one")
        await deployment.new_runs_go_to("one")
        member = await deployment.start(membership.run, "Ada")
        book = await deployment.start(ledger.run, 0)
        await is_on(book, "one")

        friendlier = Worker(
            client,
            task_queue=task_queue,
            workflows=[names["FriendlierMembership"], names["Order"], ledger, probe],
            activities=[names["say_goodbye"], names["charge"]],
            deployment_config=WorkerDeploymentConfig(deployment.version("two"), use_worker_versioning=True),
        )
        async with friendlier:
            await known(deployment.handle, "two", task_queue=task_queue)
            await eventually(tried_out, what="the task queue knows version two")
            await names["begin_release"](client, "two")
            assert (await deployment.handle.describe()).routing.ramping_percentage == 5
            assert await (await deployment.handle.describe_version("two")).metadata() == {"ticket": "SHOP-17"}
            assert await names["try_out"](client, "one") == "receipt for a cup of tea"
            await names["finish_release"](client, "two")
            await deployment.new_runs_go_to("two")

            # It continues as new, and upgrades with that.
            await is_on(book, "two")
            await member.signal("end")
            assert await member.result() == "Ada has left"
            events = (await member.fetch_history()).events
            scheduled = [event for event in events if event.HasField("activity_task_scheduled_event_attributes")]
            assert [each.activity_task_scheduled_event_attributes.activity_type.name for each in scheduled] == [
                "say_goodbye"
            ]
            await asyncio.wait_for(names["until_drained"](client, "one"), 30)

            await names["pin"](client, book.id, "one")
            await is_on(client.get_workflow_handle(book.id), "one")
            await client.get_workflow_handle(book.id).terminate()
