"""Handles of worker deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .._checks import identifier, optional_text, texts

if TYPE_CHECKING:
    from .._client import Client
    from .deployment import WorkerDeploymentDescription, WorkerDeploymentVersionDescription


class WorkerDeploymentHandle:
    """A worker deployment: workers that do the same work, in versions. Made by
    :meth:`Client.get_worker_deployment_handle`.

    A deployment and a version come into being when the first worker of them polls, a moment after it has started.

    All calls raise :class:`~invincible.service.RPCError` if the service refuses them; with the status ``NOT_FOUND`` if
    there is no such deployment or version.

    Args:
        client: Makes the calls.
        name: Name of the deployment.
    """

    def __init__(self, client: Client, name: str) -> None:
        """Creates the handle; the server is not asked."""
        self._client = client
        self._name = identifier("name of the worker deployment", name)

    def __repr__(self) -> str:
        """Which deployment it is."""
        return f"<WorkerDeploymentHandle name={self._name!r}>"

    @property
    def name(self) -> str:
        """Name of the deployment."""
        return self._name

    async def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> WorkerDeploymentDescription:
        """What the server tells about the deployment.

        Args:
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import DescribeWorkerDeploymentInput

        return await self._client._calls.describe_worker_deployment(
            DescribeWorkerDeploymentInput(name=self._name, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def set_current_version(
        self,
        build_id: str | None,
        *,
        conflict_token: bytes | None = None,
        ignore_missing_task_queues: bool = False,
        allow_no_pollers: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> bytes:
        """Gives new workflows, and those that upgrade, to workers of a version.

        If that version was ramping, it no longer is.

        Args:
            build_id: Build id of the version; ``None`` for workers without versions.
            conflict_token: State of the deployment for which this is meant, from :meth:`describe` or a call that
                changed it; any if ``None``.
            ignore_missing_task_queues: Whether the version may lack workers of task queues that the current one has.
            allow_no_pollers: Whether the version may have no workers at all.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Returns:
            The conflict token of the new state.

        Raises:
            RPCError: With the status ``FAILED_PRECONDITION`` if the conflict token is outdated, or workers are missing.
        """
        from .inputs import SetWorkerDeploymentCurrentVersionInput

        return await self._client._calls.set_worker_deployment_current_version(
            SetWorkerDeploymentCurrentVersionInput(
                name=self._name,
                build_id=optional_text("build_id", build_id),
                conflict_token=conflict_token,
                ignore_missing_task_queues=ignore_missing_task_queues,
                allow_no_pollers=allow_no_pollers,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def set_ramping_version(
        self,
        build_id: str | None,
        percentage: float,
        *,
        conflict_token: bytes | None = None,
        ignore_missing_task_queues: bool = False,
        allow_no_pollers: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> bytes:
        """Gives a share of new workflows, and of those that upgrade, to workers of a version.

        Args:
            build_id: Build id of the version. ``None`` for workers without versions; with a percentage of 0, no version
                is ramping any more.
            percentage: The share, 0 to 100.
            conflict_token: State of the deployment for which this is meant, from :meth:`describe` or a call that
                changed it; any if ``None``.
            ignore_missing_task_queues: Whether the version may lack workers of task queues that the current one has.
            allow_no_pollers: Whether the version may have no workers at all.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Returns:
            The conflict token of the new state.

        Raises:
            TypeError: The percentage is no number.
            ValueError: The percentage is not between 0 and 100.
            RPCError: With the status ``FAILED_PRECONDITION`` if the conflict token is outdated, workers are missing, or
                the version is the current one.
        """
        from .inputs import SetWorkerDeploymentRampingVersionInput

        if not isinstance(percentage, (int, float)):
            raise TypeError(f"percentage must be a number, got {type(percentage).__name__}")
        if not 0 <= percentage <= 100:
            raise ValueError(f"percentage must be between 0 and 100, got {percentage}")
        return await self._client._calls.set_worker_deployment_ramping_version(
            SetWorkerDeploymentRampingVersionInput(
                name=self._name,
                build_id=optional_text("build_id", build_id),
                percentage=percentage,
                conflict_token=conflict_token,
                ignore_missing_task_queues=ignore_missing_task_queues,
                allow_no_pollers=allow_no_pollers,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def describe_version(
        self, build_id: str, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> WorkerDeploymentVersionDescription:
        """What the server tells about a version.

        Args:
            build_id: Its build id.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import DescribeWorkerDeploymentVersionInput

        return await self._client._calls.describe_worker_deployment_version(
            DescribeWorkerDeploymentVersionInput(
                name=self._name,
                build_id=identifier("build_id", build_id),
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def update_version_metadata(
        self,
        build_id: str,
        *,
        upsert: Mapping[str, Any] = {},
        remove: Sequence[str] = (),
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Mapping[str, Any]:
        """Changes what is kept with a version: a commit or a ticket, say.

        Args:
            build_id: Its build id.
            upsert: Values to add or to replace.
            remove: Keys to remove.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Returns:
            All that is kept with it now.
        """
        from .inputs import UpdateWorkerDeploymentVersionMetadataInput

        return await self._client._calls.update_worker_deployment_version_metadata(
            UpdateWorkerDeploymentVersionMetadataInput(
                name=self._name,
                build_id=identifier("build_id", build_id),
                upsert=upsert,
                remove=texts("remove", remove),
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def delete_version(
        self,
        build_id: str,
        *,
        skip_drainage: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Deletes a version that is neither current nor ramping, is drained, and has no workers.

        Args:
            build_id: Its build id.
            skip_drainage: Whether it may still be draining. Workflows that are pinned to it get stuck.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            RPCError: With the status ``FAILED_PRECONDITION`` if it is not such a version.
        """
        from .inputs import DeleteWorkerDeploymentVersionInput

        await self._client._calls.delete_worker_deployment_version(
            DeleteWorkerDeploymentVersionInput(
                name=self._name,
                build_id=identifier("build_id", build_id),
                skip_drainage=skip_drainage,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def delete(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> None:
        """Deletes the deployment, which must have no versions.

        Args:
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            RPCError: With the status ``FAILED_PRECONDITION`` if it has.
        """
        from .inputs import DeleteWorkerDeploymentInput

        await self._client._calls.delete_worker_deployment(
            DeleteWorkerDeploymentInput(name=self._name, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )
