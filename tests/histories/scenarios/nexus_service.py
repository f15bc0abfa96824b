"""The service that the recorded workflows call, with handlers of the official SDK."""

from __future__ import annotations

import importlib
from typing import Any

from ..workflows.children import Child, Stubborn
from ..workflows.nexus import SERVICE

# The official SDK's, and a package that comes with it: the types that ours has do not matter here.
nexus: Any = importlib.import_module("invincible.nexus")
nexusrpc: Any = importlib.import_module("nexusrpc")
handler: Any = importlib.import_module("nexusrpc.handler")


def service() -> Any:
    """A handler of the service; its workflows run on the task queue that the operations come to."""

    async def echo(self: Any, context: Any, input: str) -> str:
        return input

    async def fail(self: Any, context: Any, input: str) -> str:
        raise nexusrpc.OperationError("no", state=nexusrpc.OperationErrorState.FAILED)

    async def cancelled(self: Any, context: Any, input: str) -> str:
        raise nexusrpc.OperationError("no", state=nexusrpc.OperationErrorState.CANCELED)

    async def refuse(self: Any, context: Any, input: str) -> str:
        raise nexusrpc.HandlerError("no", type=nexusrpc.HandlerErrorType.BAD_REQUEST)

    async def run(self: Any, context: Any, input: str) -> Any:
        return await context.start_workflow(Child.run, input, id=f"{nexus.info().task_queue}-{context.request_id}")

    async def stubborn(self: Any, context: Any, input: str) -> Any:
        return await context.start_workflow(Stubborn.run, id=f"{nexus.info().task_queue}-{context.request_id}")

    operations: dict[str, Any] = {}
    for at_once in (echo, fail, cancelled, refuse):
        at_once.__annotations__ = {"context": handler.StartOperationContext, "input": str, "return": str}
        operations[at_once.__name__] = handler.sync_operation(at_once)
    for begin in (run, stubborn):
        result = nexus.WorkflowHandle[str]
        begin.__annotations__ = {"context": nexus.WorkflowRunOperationContext, "input": str, "return": result}
        operations[begin.__name__] = nexus.workflow_run_operation(begin)
    return handler.service_handler(name=SERVICE)(type("Service", (), operations))()
