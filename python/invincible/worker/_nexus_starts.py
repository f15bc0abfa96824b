"""Starts of what is behind Nexus operations: by the worker's client, with the callback that tells of the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from nexusrpc import OperationError, OperationErrorState
from nexusrpc.handler import StartOperationContext

from invincible.api.common.v1 import Callback
from invincible.client import Client, WorkflowUpdateFailedError
from invincible.client._handler_calls import Backing, HandlerCalls, handler_calls
from invincible.nexus import NexusCallback
from invincible.nexus._token import OperationToken, OperationTokenType

from ._nexus_links import link_messages, link_of

_TOKEN_HEADER = "nexus-operation-token"


@contextmanager
def calls_linked(ctx: StartOperationContext) -> Iterator[None]:
    """Has calls of clients carry the links of a request, and collects those of their answers for the response."""

    def collect(serialized: bytes) -> None:
        link = link_of(serialized)
        if link is not None:
            ctx.outbound_links.append(link)

    links = [link.SerializeToString() for link in link_messages(ctx.inbound_links)]
    token = handler_calls.set(HandlerCalls(links, collect))
    try:
        yield
    finally:
        handler_calls.reset(token)


class OperationStarts:
    """What operations start with.

    Args:
        client: The worker's client.
        task_queue: Where what they start runs, unless they say so.
    """

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue

    async def start_workflow(self, ctx: StartOperationContext, arguments: Mapping[str, Any]) -> OperationToken:
        """Starts a workflow whose end will be the operation's."""
        if arguments.get("start_signal") is not None:
            raise ValueError(
                "start_signal does not go with an operation: the server tells nobody of the end of a workflow that it "
                "starts together with a signal. Send the signal after the start"
            )

        def token(workflow_id: str) -> OperationToken:
            return OperationToken(OperationTokenType.WORKFLOW, self._client.namespace, workflow_id=workflow_id)

        with _behind(ctx, token):
            handle = await self._client.start_workflow(**self._placed(arguments))
        return token(handle.id)

    async def start_update(
        self, ctx: StartOperationContext, arguments: Mapping[str, Any]
    ) -> OperationToken | tuple[Any]:
        """Sends an update whose end will be the operation's; its result, if it is there already, in a tuple."""
        options = dict(arguments)
        run_id = options.pop("run_id", None)
        workflow = self._client.get_workflow_handle(
            options.pop("workflow_id"),
            run_id=run_id,
            first_execution_run_id=options.pop("first_execution_run_id", None),
        )

        def token(workflow_id: str, update_id: str, run_id: str = run_id or "") -> OperationToken:
            kind, namespace = OperationTokenType.UPDATE, self._client.namespace
            return OperationToken(kind, namespace, workflow_id=workflow_id, update_id=update_id, run_id=run_id)

        with _behind(ctx, token):
            handle = await workflow.start_update(id=options.pop("update_id", None) or ctx.request_id, **options)
        if handle._known_outcome is None:
            return token(handle.workflow_id, handle.id, handle.workflow_run_id or "")
        try:
            return (await handle.result(),)
        except WorkflowUpdateFailedError as error:
            raise OperationError(str(error), state=OperationErrorState.FAILED) from error

    async def start_activity(self, ctx: StartOperationContext, arguments: Mapping[str, Any]) -> OperationToken:
        """Starts an activity whose end will be the operation's."""

        def token(activity_id: str, run_id: str = "") -> OperationToken:
            kind, namespace = OperationTokenType.ACTIVITY, self._client.namespace
            return OperationToken(kind, namespace, activity_id=activity_id, run_id=run_id)

        with _behind(ctx, token):
            handle = await self._client.start_activity(**self._placed(arguments))
        return token(handle.id, handle.run_id or "")

    def _placed(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {**arguments, "task_queue": arguments.get("task_queue") or self._task_queue}


@contextmanager
def _behind(ctx: StartOperationContext, token: Callable[..., OperationToken]) -> Iterator[None]:
    """Has the next start of a client end the operation.

    Args:
        ctx: Context of the operation.
        token: Makes the operation's token of the ids of what is started.
    """
    calls = handler_calls.get()
    if calls is None or ctx.callback_url is None:
        yield
        return
    url, headers, links = ctx.callback_url, ctx.callback_headers, calls.links

    def callback(*ids: str) -> bytes:
        return _callback(NexusCallback(url, {**headers, _TOKEN_HEADER: token(*ids).encode()}), links)

    backed = HandlerCalls(calls.links, calls.on_link, Backing(ctx.request_id, callback))
    reset = handler_calls.set(backed)
    try:
        yield
    finally:
        handler_calls.reset(reset)


def _callback(callback: NexusCallback, links: Sequence[bytes]) -> bytes:
    message = Callback(nexus=Callback.Nexus(url=callback.url, header=callback.headers))
    for link in links:
        message.links.add().ParseFromString(link)
    return message.SerializeToString()
