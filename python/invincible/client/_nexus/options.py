"""Options of standalone Nexus operations by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from typing_extensions import Required

from invincible.common import NexusOperationIDConflictPolicy, NexusOperationIDReusePolicy, TypedSearchAttributes

from .._options import CallOptions


class NexusOperationOptions(CallOptions, total=False):
    """Options of :meth:`NexusClient.start_operation` and :meth:`NexusClient.execute_operation`."""

    id: Required[str]
    id_reuse_policy: NexusOperationIDReusePolicy
    id_conflict_policy: NexusOperationIDConflictPolicy
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    search_attributes: TypedSearchAttributes | None
    summary: str | None
    headers: Mapping[str, str] | None
