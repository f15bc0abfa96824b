"""Decorators of operations, and what workers make of service handlers."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import nexusrpc
import pytest
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation

from invincible import nexus
from invincible.worker._nexus_services import registered_services


class Methods:
    @nexus.workflow_run_operation
    async def run(self, ctx: nexus.WorkflowRunOperationContext, input: int) -> nexus.WorkflowHandle[dict[str, int]]:
        raise NotImplementedError

    @nexus.workflow_run_operation(name="another")
    async def bare(self, ctx, input):  # type: ignore[no-untyped-def]
        raise NotImplementedError

    @nexus.temporal_operation
    async def act(
        self, ctx: nexus.TemporalStartOperationContext, client: nexus.TemporalNexusClient, input: str
    ) -> nexus.TemporalOperationResult[int]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (Methods.run, ("run", "run", int, dict[str, int])),
        (Methods.bare, ("another", "bare", None, None)),
        (Methods.act, ("act", "act", str, int)),
    ],
)
def test_operations_have_the_types_of_their_methods(method: Any, expected: tuple[Any, ...]) -> None:
    operation = nexusrpc.get_operation(method)
    assert operation is not None
    assert (operation.name, operation.method_name, operation.input_type, operation.output_type) == expected


@pytest.mark.parametrize("decorator", [nexus.workflow_run_operation, nexus.temporal_operation])
def test_methods_must_be_async(decorator: Any) -> None:
    def start(self: Any, ctx: Any, input: Any) -> Any: ...

    with pytest.raises(TypeError, match=r"is for async def methods, and start is none$"):
        decorator(start)


@pytest.mark.parametrize("arguments", [{}, {"value": 1, "token": "t"}])
def test_results_have_a_value_or_a_token(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="exactly one of value or token"):
        nexus.TemporalOperationResult(**arguments)
    result: nexus.TemporalOperationResult[None] = nexus.TemporalOperationResult.sync(None)
    assert (result.value, result.token) == (None, None)


@service_handler
class Greeting:
    @sync_operation
    def greet(self, ctx: StartOperationContext, input: str) -> str:
        return input


@service_handler(name="Greeting")
class OtherGreeting:
    @sync_operation
    def greet(self, ctx: StartOperationContext, input: str) -> str:
        return input


class NoService:
    pass


@pytest.mark.parametrize(
    ("services", "executor", "error", "message"),
    [
        ([Greeting], None, TypeError, "Greeting is a class: register an object of it, as `Greeting()`"),
        ([NoService()], None, TypeError, "NoService is no Nexus service handler: decorate the class"),
        (
            [Greeting(), OtherGreeting()],
            None,
            ValueError,
            "two handlers are of the Nexus service 'Greeting': Greeting and OtherGreeting",
        ),
        (
            [Greeting()],
            ProcessPoolExecutor(1),
            TypeError,
            "nexus_task_executor must be a concurrent.futures.ThreadPoolExecutor, got ProcessPoolExecutor",
        ),
        ([Greeting()], 5, TypeError, "nexus_task_executor must be a concurrent.futures.ThreadPoolExecutor, got int"),
    ],
)
def test_what_cannot_be_registered_is_told(
    services: list[Any], executor: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        registered_services(services, executor, ())
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "call",
    [nexus.info, nexus.client, nexus.metric_meter, nexus.is_worker_shutdown, nexus.wait_for_worker_shutdown_sync],
)
def test_outside_of_handlers_there_is_nothing_to_ask(call: Any) -> None:
    assert not nexus.in_operation()
    with pytest.raises(RuntimeError, match="works in handlers of Nexus operations only"):
        call()


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_workers_do_without_the_package() -> None:
    code = (
        "import sys; sys.modules['nexusrpc'] = None\n"
        "from invincible import activity, client, worker, workflow\n"
        "worker.Worker; worker.Interceptor; worker.NexusOperationInboundInterceptor\n"
        "try: import invincible.nexus\n"
        "except ImportError as error: print(error)"
    )
    assert "pip install 'invincible[nexus]'" in run(code)


def test_workers_do_not_load_the_package() -> None:
    code = (
        "import sys\n"
        "from invincible import activity, client, worker, workflow\n"
        "print([name for name in sys.modules if name.startswith(('nexusrpc', 'invincible.nexus'))])"
    )
    assert run(code) == "[]\n"
