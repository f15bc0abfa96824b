"""The part of clients that is about versions of workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from .._checks import identifier, texts

if TYPE_CHECKING:
    from .._client import Client
    from .._interceptor import OutboundInterceptor
    from .build_ids import BuildIdOp, TaskReachabilityType, WorkerBuildIdVersionSets, WorkerTaskReachability
    from .deployments import WorkerDeploymentAsyncIterator
    from .handle import WorkerDeploymentHandle


class ClientVersions:
    """Worker deployments, and the sets of build ids that they replace."""

    _calls: OutboundInterceptor

    def get_worker_deployment_handle(self, name: str) -> WorkerDeploymentHandle:
        """A handle of a worker deployment. The server is not asked.

        Args:
            name: Name of the deployment.

        Raises:
            TypeError: ``name`` is no ``str``.
            ValueError: ``name`` is empty.

        Example:
            payments = client.get_worker_deployment_handle("payments")
            await payments.set_ramping_version("v2", 10)
        """
        from .handle import WorkerDeploymentHandle

        return WorkerDeploymentHandle(cast("Client", self), name)

    def list_worker_deployments(
        self,
        *,
        limit: int | None = None,
        page_size: int = 100,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkerDeploymentAsyncIterator:
        """The worker deployments of the namespace.

        Args:
            limit: Most deployments to iterate over; all if ``None``.
            page_size: Most deployments to fetch at once.
            next_page_token: Where to begin, as another iterator had it.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.
        """
        from .inputs import ListWorkerDeploymentsInput

        return self._calls.list_worker_deployments(
            ListWorkerDeploymentsInput(
                limit=limit,
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def update_worker_build_id_compatibility(
        self,
        task_queue: str,
        operation: BuildIdOp,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Changes the sets of compatible build ids of a task queue.

        For workers with ``use_worker_versioning``, on servers that still have it switched on. Worker deployments
        replace it.

        Args:
            task_queue: The task queue.
            operation: The change.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            TypeError: ``operation`` is no ``BuildIdOp``, or ``task_queue`` no ``str``.
            ValueError: ``task_queue`` is empty.
            RPCError: The service refused the call; with ``PERMISSION_DENIED`` if it has this switched off.
        """
        from .build_ids import BuildIdOp
        from .inputs import UpdateWorkerBuildIdCompatibilityInput

        if not isinstance(operation, BuildIdOp):
            raise TypeError(
                f"operation must be a BuildIdOp, BuildIdOpAddNewDefault('v2') say, got {type(operation).__name__}"
            )
        await self._calls.update_worker_build_id_compatibility(
            UpdateWorkerBuildIdCompatibilityInput(
                task_queue=identifier("task_queue", task_queue),
                operation=operation,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def get_worker_build_id_compatibility(
        self,
        task_queue: str,
        max_sets: int | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkerBuildIdVersionSets:
        """The sets of compatible build ids of a task queue; see :meth:`update_worker_build_id_compatibility`.

        Args:
            task_queue: The task queue.
            max_sets: Most sets, the default and those before it; all if ``None``.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            RPCError: The service refused the call; with ``PERMISSION_DENIED`` if it has this switched off.
        """
        from .inputs import GetWorkerBuildIdCompatibilityInput

        return await self._calls.get_worker_build_id_compatibility(
            GetWorkerBuildIdCompatibilityInput(
                task_queue=identifier("task_queue", task_queue),
                max_sets=max_sets,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def get_worker_task_reachability(
        self,
        build_ids: Sequence[str],
        task_queues: Sequence[str] = (),
        reachability_type: TaskReachabilityType | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkerTaskReachability:
        """Which tasks workers of some build ids may be given; none, and they can be stopped for good.

        See :meth:`update_worker_build_id_compatibility`.

        Args:
            build_ids: The build ids, at least one.
            task_queues: The task queues; all if empty.
            reachability_type: Kind of workflows to look at; the server's choice if ``None``.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            TypeError: ``build_ids`` or ``task_queues`` is no sequence of ``str``.
            RPCError: The service refused the call; with ``PERMISSION_DENIED`` if it has this switched off.
        """
        from .inputs import GetWorkerTaskReachabilityInput

        return await self._calls.get_worker_task_reachability(
            GetWorkerTaskReachabilityInput(
                build_ids=texts("build_ids", build_ids),
                task_queues=texts("task_queues", task_queues),
                reachability=reachability_type,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
