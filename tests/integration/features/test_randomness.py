"""Chance that is the same on every replay."""

from __future__ import annotations

import asyncio

from invincible import workflow
from invincible.api.common.v1 import WorkflowExecution
from invincible.api.workflowservice.v1 import ResetWorkflowExecutionRequest, ResetWorkflowExecutionResponse
from tests.support.features import Feature, of_kind, recorded, rested


@workflow.defn
class Chance:
    def __init__(self) -> None:
        self.seeds: list[int] = []

    @workflow.run
    async def run(self) -> list[str]:
        workflow.register_random_seed_callback(self.seeds.append)
        named = workflow.new_random("dice")
        drawn: list[str] = []

        async def draw() -> None:
            values = [
                str(workflow.uuid4()),
                str(workflow.uuid7()),
                workflow.random().random(),
                workflow.random().choice("abcdefgh"),
                named.random(),
                workflow.new_random("other").random(),
                workflow.new_random().random(),
                str(workflow.random_seed()),
            ]
            drawn.append(str(await recorded(values)))

        await draw()
        await asyncio.gather(draw(), draw(), rested())
        await draw()
        assert workflow.uuid4().version == 4
        identifier = workflow.uuid7()
        assert identifier.version == 7
        assert identifier.int >> 80 == workflow.time_ns() // 1_000_000
        assert workflow.new_random("dice").random() == workflow.new_random("dice").random()
        await recorded([str(seed) for seed in self.seeds])
        return [*drawn, str(self.seeds)]


async def test_chance_is_the_same_on_replay_and_differs_between_draws_and_runs(feature: Feature) -> None:
    async with feature.worker([Chance]):
        first = await feature.execute(Chance.run, id=f"{feature.task_queue}-1")
        second = await feature.execute(Chance.run, id=f"{feature.task_queue}-2")
    *first_draws, first_seeds = first
    *second_draws, _ = second
    assert len({*first_draws, *second_draws}) == 8
    assert first_seeds == "[]"


async def test_a_reset_changes_the_seed_from_there_on(feature: Feature) -> None:
    async with feature.worker([Chance]):
        handle = await feature.start(Chance.run)
        *before, seeds = await handle.result()
        assert seeds == "[]"
        events = await feature.events(handle)
        rest = next(
            event.event_id
            for event in of_kind(events, "activity_task_scheduled")
            if event.activity_task_scheduled_event_attributes.activity_type.name == "rest"
        )
        completed = next(e.event_id for e in of_kind(events, "workflow_task_completed") if e.event_id > rest)
        response = await feature.client.service_client._rpc_call(
            "reset_workflow_execution",
            ResetWorkflowExecutionRequest(
                namespace=feature.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.result_run_id or ""),
                reason="tested",
                workflow_task_finish_event_id=completed,
                request_id="reset",
            ),
            ResetWorkflowExecutionResponse,
        )
        again = feature.client.get_workflow_handle(handle.id, run_id=response.run_id)
        feature.to_replay(again)
        *after, seeds = await again.result()
    assert after[0] == before[0]
    assert after[3] != before[3]
    assert seeds != "[]"
