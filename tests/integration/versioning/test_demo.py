"""The example of two versions: its README, step by step."""

from __future__ import annotations

import sys

from invincible.client import Client
from tests.support.conditions import eventually
from tests.support.processes import Program
from tests.support.versions import known


def program(name: str, address: str, *arguments: str) -> Program:
    module = f"examples.versions.{name}"
    return Program(sys.executable, "-m", module, *arguments, env={"TEMPORAL_ADDRESS": address})


async def said(name: str, address: str, *arguments: str) -> list[str]:
    """What a program prints until its end."""
    async with program(name, address, *arguments) as running:
        assert await running.exit_code() == 0, running.output
        return running.output.splitlines()


async def test_a_release_without_a_stop(client: Client, address: str) -> None:
    async def release(*arguments: str) -> list[str]:
        return await said("release", address, *arguments)

    async def starter(*arguments: str) -> list[str]:
        return await said("starter", address, *arguments)

    async def started(*arguments: str) -> list[str]:
        return [line.removeprefix("Started ") for line in await starter(*arguments)]

    async def boxes() -> list[str]:
        sent: list[str] = await client.get_workflow_handle(subscription).query("boxes")
        return sent

    async def has_letters() -> bool:
        return (await boxes())[-1] == "box from v2 with a letter"

    deployment = client.get_worker_deployment_handle("deliveries")
    async with program("worker", address, "v1") as v1:
        await v1.line("^Worker of v1 ready on task queue deliveries$")
        await known(deployment, "v1", task_queue="deliveries")
        assert await release("current", "v1") == ["v1  current"]
        [delivery] = await started("deliver")
        [subscription] = await started("subscribe", "--interval", "0.2")
        await eventually(boxes, what="the subscription has begun on v1")
        assert await client.get_workflow_handle(delivery).query("__temporal_workflow_metadata")

        async with program("worker", address, "v2") as v2:
            await v2.line("^Worker of v2 ready on task queue deliveries$")
            await known(deployment, "v2", task_queue="deliveries")
            assert await release("ramp", "v2", "50") == ["v1  current", "v2  ramping 50 %"]
            ramped = await started("deliver", "--count", "4")
            assert len(ramped) == 4
            assert await release("current", "v2") == ["v1  draining", "v2  current"]

            await eventually(has_letters, what="the subscription has moved to v2")
            sent = await starter("boxes", subscription)
            kinds = ["box from v1", "box from v2", "box from v2 with a letter"]
            assert sorted(sent, key=kinds.index) == sent
            assert {"box from v1", "box from v2 with a letter"} <= set(sent)

            assert await starter("pick-up", delivery) == ["delivered by v1"]
            [new] = await started("deliver")
            assert await starter("pick-up", new) == ["delivered by v2, insured"]
            for handle in map(client.get_workflow_handle, ramped):
                await handle.signal("pick_up")
                assert await handle.result() in ("delivered by v1", "delivered by v2, insured")
            assert await release("drained", "v1") == ["v1  drained", "v2  current"]
            await client.get_workflow_handle(subscription).terminate()
