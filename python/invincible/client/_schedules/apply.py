"""Schedules that are kept in code: bringing one on the server up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from invincible._native import Payload
from invincible.common import TypedSearchAttributes
from invincible.converter import decode_search_attributes, encode_search_attributes
from invincible.converter._codec import decoded

from .action import ScheduleAction, ScheduleActionStartWorkflow
from .description import ScheduleDescription
from .handle import ScheduleHandle
from .schedule import Schedule, ScheduleUpdate, ScheduleUpdateInput


@dataclass(frozen=True)
class AppliedSchedule:
    """What :meth:`Client.apply_schedule` did.

    Attributes:
        created: Whether there was no such schedule before.
        changes: What it changed of the one that was there: ``action``, ``spec``, ``policy`` or ``search_attributes``.
    """

    created: bool
    changes: Sequence[str]


async def changes_by_update(
    handle: ScheduleHandle,
    schedule: Schedule,
    search_attributes: TypedSearchAttributes | None,
    rpc_metadata: Mapping[str, str | bytes],
    rpc_timeout: timedelta | None,
) -> tuple[str, ...]:
    """Updates a schedule but for its state.

    What changed shows only afterwards: the server has a form of its own for cron expressions and defaults.

    Returns:
        What changed.
    """
    before: list[ScheduleDescription] = []

    def updater(input: ScheduleUpdateInput) -> ScheduleUpdate:
        before.append(input.description)
        return ScheduleUpdate(replace(schedule, state=input.description.schedule.state), search_attributes)

    await handle.update(updater, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
    after = await handle.describe(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
    changes = []
    if await _action(handle, before[-1]) != await _action(handle, after):
        changes.append("action")
    changes += [name for name in ("spec", "policy") if _part(before[-1], name) != _part(after, name)]
    # The server takes its time until a description has new search attributes.
    if search_attributes is not None:
        wanted = decode_search_attributes(encode_search_attributes(search_attributes))
        if wanted != before[-1].search_attributes:
            changes.append("search_attributes")
    return tuple(changes)


def _part(description: ScheduleDescription, name: str) -> Any:
    return getattr(description.schedule, name)


async def _action(handle: ScheduleHandle, description: ScheduleDescription) -> ScheduleAction:
    """The action with its payloads decoded: encryption makes another payload of the same value each time."""
    action = description.schedule.action
    if not isinstance(action, ScheduleActionStartWorkflow):
        return action
    codec = handle._client._workflow_converter(action.id).payload_codec
    if codec is None:
        return action

    async def plain(value: Any) -> Any:
        if not isinstance(value, Payload):
            return value
        try:
            return (await decoded(codec, [value]))[0]
        except Exception:
            # Its key is gone, say. What cannot be read counts as changed.
            return value

    return replace(
        action,
        args=[await plain(value) for value in action.args],
        memo={name: await plain(value) for name, value in (action.memo or {}).items()},
        headers={name: await plain(value) for name, value in (action.headers or {}).items()},
        static_summary=await plain(action.static_summary),
        static_details=await plain(action.static_details),
    )
