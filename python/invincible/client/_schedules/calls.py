"""The calls about schedules, at the end of the interceptor chain."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from invincible.converter._limits import SentPayloads, named_arguments, named_memo
from invincible.converter._payloads import as_payload
from invincible.service import RPCError, RPCStatusCode

from .._call import service_call
from .._checks import identifier
from .._interceptor import OutboundInterceptor
from .._sizes import sizes_checked

if TYPE_CHECKING:
    from invincible.api.schedule.v1 import Schedule as ScheduleMessage
    from invincible.api.schedule.v1 import SchedulePatch
    from invincible.api.workflowservice.v1 import DescribeScheduleResponse

    from .._client import Client
    from .description import ScheduleDescription
    from .handle import ScheduleHandle
    from .inputs import (
        BackfillScheduleInput,
        CreateScheduleInput,
        DeleteScheduleInput,
        DescribeScheduleInput,
        ListSchedulesInput,
        PauseScheduleInput,
        TriggerScheduleInput,
        UnpauseScheduleInput,
        UpdateScheduleInput,
    )
    from .listing import ScheduleAsyncIterator
    from .schedule import Schedule

    _OneScheduleInput = (
        BackfillScheduleInput
        | DescribeScheduleInput
        | PauseScheduleInput
        | TriggerScheduleInput
        | UnpauseScheduleInput
        | UpdateScheduleInput
    )


class ScheduleCalls(OutboundInterceptor):
    """Creates, changes, describes and lists schedules."""

    _client: Client

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
        """Creates the schedule."""
        from invincible.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest
        from invincible.api.workflowservice.v1 import CreateScheduleRequest, CreateScheduleResponse
        from invincible.converter import encode_search_attributes

        from .._proto import payload_message
        from .action_message import converted
        from .checks import check_new_state
        from .errors import ScheduleAlreadyRunningError
        from .handle import ScheduleHandle
        from .messages import backfill_messages, schedule_message

        client, schedule = self._client, input.schedule
        identifier("id of the schedule", input.id)
        check_new_state(schedule.state)
        request = CreateScheduleRequest(
            namespace=client.namespace,
            schedule_id=input.id,
            schedule=await schedule_message(client, schedule),
            identity=client.identity,
            request_id=str(uuid4()),
        )
        backfills = backfill_messages(input.backfill)
        if input.trigger_immediately or backfills:
            overlap: Any = schedule.policy.overlap
            trigger = TriggerImmediatelyRequest(overlap_policy=overlap) if input.trigger_immediately else None
            request.initial_patch.CopyFrom(SchedulePatch(trigger_immediately=trigger, backfill_request=backfills))
        for name, value in (input.memo or {}).items():
            request.memo.fields[name].CopyFrom(payload_message(await converted(client.data_converter, value)))
        if input.search_attributes is not None:
            encode_search_attributes(input.search_attributes, request.search_attributes)
        try:
            with sizes_checked(client, _sent(input.id, request.schedule, schedule)):
                await service_call(client, "create_schedule", request, CreateScheduleResponse, input)
        except RPCError as error:
            if error.status is RPCStatusCode.ALREADY_EXISTS:
                raise ScheduleAlreadyRunningError(input.id) from None
            raise
        return ScheduleHandle(client, input.id)

    def list_schedules(self, input: ListSchedulesInput) -> ScheduleAsyncIterator:
        """Pages through the schedules, from the first use of the iterator on."""
        from .listing import ScheduleAsyncIterator

        return ScheduleAsyncIterator(self._client, input)

    async def backfill_schedule(self, input: BackfillScheduleInput) -> None:
        """Makes it act for the past."""
        from invincible.api.schedule.v1 import SchedulePatch

        from .messages import backfill_messages

        if not input.backfills:
            raise ValueError("give at least one backfill")
        await self._patch_schedule(input, SchedulePatch(backfill_request=backfill_messages(input.backfills)))

    async def delete_schedule(self, input: DeleteScheduleInput) -> None:
        """Deletes it."""
        from invincible.api.workflowservice.v1 import DeleteScheduleRequest, DeleteScheduleResponse

        client = self._client
        await service_call(
            client,
            "delete_schedule",
            DeleteScheduleRequest(namespace=client.namespace, schedule_id=input.id, identity=client.identity),
            DeleteScheduleResponse,
            input,
        )

    async def describe_schedule(self, input: DescribeScheduleInput) -> ScheduleDescription:
        """Asks for the description."""
        return await self._described_schedule(input)

    async def pause_schedule(self, input: PauseScheduleInput) -> None:
        """Pauses it."""
        from invincible.api.schedule.v1 import SchedulePatch

        # Without a note the server would not take it for a pause.
        await self._patch_schedule(input, SchedulePatch(pause=input.note or "Paused via Python SDK"))

    async def unpause_schedule(self, input: UnpauseScheduleInput) -> None:
        """Unpauses it."""
        from invincible.api.schedule.v1 import SchedulePatch

        await self._patch_schedule(input, SchedulePatch(unpause=input.note or "Unpaused via Python SDK"))

    async def trigger_schedule(self, input: TriggerScheduleInput) -> None:
        """Makes it act now."""
        from invincible.api.schedule.v1 import SchedulePatch, TriggerImmediatelyRequest

        overlap: Any = input.overlap or 0
        await self._patch_schedule(
            input, SchedulePatch(trigger_immediately=TriggerImmediatelyRequest(overlap_policy=overlap))
        )

    async def update_schedule(self, input: UpdateScheduleInput) -> None:
        """Asks for the description, has the updater change it, and sends that."""
        from invincible.api.workflowservice.v1 import UpdateScheduleRequest, UpdateScheduleResponse
        from invincible.converter import encode_search_attributes

        from .messages import schedule_message
        from .schedule import ScheduleUpdate, ScheduleUpdateInput

        client = self._client
        answer = input.updater(ScheduleUpdateInput(await self._described_schedule(input)))
        update = await answer if inspect.isawaitable(answer) else answer
        if update is None:
            return
        if not isinstance(update, ScheduleUpdate):
            raise TypeError(f"the updater must return a ScheduleUpdate or None, got {type(update).__name__}")
        # The conflict token stays out: the server drops an update with an old one without a word.
        request = UpdateScheduleRequest(
            namespace=client.namespace,
            schedule_id=input.id,
            schedule=await schedule_message(client, update.schedule),
            identity=client.identity,
            request_id=str(uuid4()),
        )
        if update.search_attributes is not None:
            request.search_attributes.SetInParent()
            encode_search_attributes(update.search_attributes, request.search_attributes)
        with sizes_checked(client, _sent(input.id, request.schedule, update.schedule)):
            await service_call(client, "update_schedule", request, UpdateScheduleResponse, input)
        await self._wait_for_change(input)

    async def _described_schedule(self, input: DescribeScheduleInput | UpdateScheduleInput) -> ScheduleDescription:
        from .description import ScheduleDescription

        return ScheduleDescription._from_response(
            input.id, await self._ask_for_schedule(input), self._client.data_converter
        )

    async def _ask_for_schedule(self, input: _OneScheduleInput) -> DescribeScheduleResponse:
        from invincible.api.workflowservice.v1 import DescribeScheduleRequest, DescribeScheduleResponse

        client = self._client
        return await service_call(
            client,
            "describe_schedule",
            DescribeScheduleRequest(namespace=client.namespace, schedule_id=input.id),
            DescribeScheduleResponse,
            input,
        )

    async def _wait_for_change(self, input: _OneScheduleInput) -> None:
        """Waits until the schedule has taken in a change that the server has accepted.

        A schedule that finds two changes at once drops one without a word, a pause after an update for example. When it
        can be asked how it is, it has taken in what came before.
        """
        with suppress(RPCError):
            await self._ask_for_schedule(input)

    async def _patch_schedule(
        self,
        input: BackfillScheduleInput | PauseScheduleInput | TriggerScheduleInput | UnpauseScheduleInput,
        patch: SchedulePatch,
    ) -> None:
        from invincible.api.workflowservice.v1 import PatchScheduleRequest, PatchScheduleResponse

        client = self._client
        await service_call(
            client,
            "patch_schedule",
            PatchScheduleRequest(
                namespace=client.namespace,
                schedule_id=input.id,
                patch=patch,
                identity=client.identity,
                request_id=str(uuid4()),
            ),
            PatchScheduleResponse,
            input,
        )
        await self._wait_for_change(input)


def _sent(schedule_id: str, message: ScheduleMessage, schedule: Schedule) -> SentPayloads:
    """What the action of a schedule sends."""
    from .action import ScheduleActionStartWorkflow

    action, info = schedule.action, message.action.start_workflow
    reference = action._reference if isinstance(action, ScheduleActionStartWorkflow) else None
    arguments = [as_payload(payload) for payload in info.input.payloads]
    memo = {name: as_payload(payload) for name, payload in info.memo.fields.items()}
    return SentPayloads(
        f"schedule {schedule_id!r} of workflow {info.workflow_type.name!r}",
        named_arguments(arguments, None if reference is None else reference.signature),
        named_memo(memo),
    )
