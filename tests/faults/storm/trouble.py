"""A codec, a converter and interceptors that raise every few calls while their switch is on.

Without the variable `STORM_SWITCHES`, in the storm's own client, they never do.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from invincible._native import Payload
from invincible.converter import DataConverter, DefaultPayloadConverter
from invincible.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleSignalInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)
from tests.faults.storm.switches import Switches
from tests.support.codecs import SealingCodec, sealing

VARIABLE = "STORM_SWITCHES"
# Prime to the number of calls that a step makes, so that another one is hit each time.
_EVERY = 7

_switches = Switches(Path(os.environ[VARIABLE])) if VARIABLE in os.environ else None
_calls = itertools.count(1)


def is_on(name: str) -> bool:
    """Whether the storm has turned this on."""
    return _switches is not None and _switches.is_on(name)


class StormError(Exception):
    """What is raised now and then."""


def raise_now_and_then(name: str) -> None:
    """Raise in one of a few calls while the switch is on."""
    if is_on(name) and next(_calls) % _EVERY == 0:
        raise StormError(f"the {name} raises now and then")


class Codec(SealingCodec):
    """Keeps no calls: there are too many."""

    async def _call(self, operation: str, payloads: Sequence[Payload]) -> None:
        raise_now_and_then("codec")


class Converter(DefaultPayloadConverter):
    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        raise_now_and_then("converter")
        return super().to_payloads(values)

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        raise_now_and_then("converter")
        return super().from_payloads(payloads, type_hints)


class _Workflows(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        raise_now_and_then("interceptor")
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        raise_now_and_then("interceptor")
        await super().handle_signal(input)


class _Activities(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        raise_now_and_then("interceptor")
        result = await super().execute_activity(input)
        raise_now_and_then("interceptor")
        return result


class Interceptors(Interceptor):
    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Activities(next)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return _Workflows


def data_converter() -> DataConverter:
    """The one of the worker programs and of the storm's client."""
    return sealing(Codec(), payload_converter_class=Converter)
