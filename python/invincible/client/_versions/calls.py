"""The calls about versions of workers, at the end of the interceptor chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from invincible.service import RPCError

from .._call import service_call
from .._interceptor import OutboundInterceptor
from .._values import encode_map

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from invincible.api.deployment.v1 import WorkerDeploymentVersion as VersionMessage
    from invincible.service import ServiceResponse

    from .._call import CallInput
    from .._client import Client
    from .build_ids import WorkerBuildIdVersionSets, WorkerTaskReachability
    from .deployment import WorkerDeploymentDescription, WorkerDeploymentVersionDescription
    from .deployments import WorkerDeploymentAsyncIterator
    from .inputs import (
        DeleteWorkerDeploymentInput,
        DeleteWorkerDeploymentVersionInput,
        DescribeWorkerDeploymentInput,
        DescribeWorkerDeploymentVersionInput,
        GetWorkerBuildIdCompatibilityInput,
        GetWorkerTaskReachabilityInput,
        ListWorkerDeploymentsInput,
        SetWorkerDeploymentCurrentVersionInput,
        SetWorkerDeploymentRampingVersionInput,
        UpdateWorkerBuildIdCompatibilityInput,
        UpdateWorkerDeploymentVersionMetadataInput,
    )

    class DeploymentInput(CallInput, Protocol):
        """What every input about a deployment has."""

        name: str


class VersionCalls(OutboundInterceptor):
    """Reads and changes the versions of workers."""

    _client: Client

    async def update_worker_build_id_compatibility(self, input: UpdateWorkerBuildIdCompatibilityInput) -> None:
        """Changes the sets of build ids."""
        from invincible.api.workflowservice.v1 import (
            UpdateWorkerBuildIdCompatibilityRequest,
            UpdateWorkerBuildIdCompatibilityResponse,
        )

        request = UpdateWorkerBuildIdCompatibilityRequest(namespace=self._client.namespace, task_queue=input.task_queue)
        input.operation._fill(request)
        response_type = UpdateWorkerBuildIdCompatibilityResponse
        await service_call(self._client, "update_worker_build_id_compatibility", request, response_type, input)

    async def get_worker_build_id_compatibility(
        self, input: GetWorkerBuildIdCompatibilityInput
    ) -> WorkerBuildIdVersionSets:
        """Asks for the sets of build ids."""
        from invincible.api.workflowservice.v1 import (
            GetWorkerBuildIdCompatibilityRequest,
            GetWorkerBuildIdCompatibilityResponse,
        )

        from .build_ids import WorkerBuildIdVersionSets

        request = GetWorkerBuildIdCompatibilityRequest(
            namespace=self._client.namespace, task_queue=input.task_queue, max_sets=input.max_sets or 0
        )
        response = await service_call(
            self._client, "get_worker_build_id_compatibility", request, GetWorkerBuildIdCompatibilityResponse, input
        )
        return WorkerBuildIdVersionSets._from_response(response)

    async def get_worker_task_reachability(self, input: GetWorkerTaskReachabilityInput) -> WorkerTaskReachability:
        """Asks which tasks build ids may be given."""
        from invincible.api.workflowservice.v1 import (
            GetWorkerTaskReachabilityRequest,
            GetWorkerTaskReachabilityResponse,
        )

        from .build_ids import WorkerTaskReachability

        request = GetWorkerTaskReachabilityRequest(
            namespace=self._client.namespace,
            build_ids=input.build_ids,
            task_queues=input.task_queues,
            reachability=input.reachability or 0,  # type: ignore[arg-type]
        )
        response = await service_call(
            self._client, "get_worker_task_reachability", request, GetWorkerTaskReachabilityResponse, input
        )
        return WorkerTaskReachability._from_response(response)

    def list_worker_deployments(self, input: ListWorkerDeploymentsInput) -> WorkerDeploymentAsyncIterator:
        """Pages through the deployments, from the first use of the iterator on."""
        from .deployments import WorkerDeploymentAsyncIterator

        return WorkerDeploymentAsyncIterator(self._client, input)

    async def describe_worker_deployment(self, input: DescribeWorkerDeploymentInput) -> WorkerDeploymentDescription:
        """Asks for the description of a deployment."""
        from invincible.api.workflowservice.v1 import DescribeWorkerDeploymentRequest, DescribeWorkerDeploymentResponse

        from .deployment import WorkerDeploymentDescription

        request = DescribeWorkerDeploymentRequest(namespace=self._client.namespace, deployment_name=input.name)
        response = await self._deployment_call(
            "describe_worker_deployment", request, DescribeWorkerDeploymentResponse, input
        )
        return WorkerDeploymentDescription._from_response(response)

    async def set_worker_deployment_current_version(self, input: SetWorkerDeploymentCurrentVersionInput) -> bytes:
        """Sets the version that work goes to."""
        from invincible.api.workflowservice.v1 import (
            SetWorkerDeploymentCurrentVersionRequest,
            SetWorkerDeploymentCurrentVersionResponse,
        )

        request = SetWorkerDeploymentCurrentVersionRequest(**self._routing(input))
        response = await self._deployment_call(
            "set_worker_deployment_current_version", request, SetWorkerDeploymentCurrentVersionResponse, input
        )
        return response.conflict_token

    async def set_worker_deployment_ramping_version(self, input: SetWorkerDeploymentRampingVersionInput) -> bytes:
        """Sets the version that a share of work goes to."""
        from invincible.api.workflowservice.v1 import (
            SetWorkerDeploymentRampingVersionRequest,
            SetWorkerDeploymentRampingVersionResponse,
        )

        request = SetWorkerDeploymentRampingVersionRequest(**self._routing(input), percentage=input.percentage)
        response = await self._deployment_call(
            "set_worker_deployment_ramping_version", request, SetWorkerDeploymentRampingVersionResponse, input
        )
        return response.conflict_token

    def _routing(
        self, input: SetWorkerDeploymentCurrentVersionInput | SetWorkerDeploymentRampingVersionInput
    ) -> dict[str, Any]:
        """Fields of requests that send work to a version."""
        return {
            "namespace": self._client.namespace,
            "deployment_name": input.name,
            "build_id": input.build_id or "",
            "conflict_token": input.conflict_token or b"",
            "identity": self._client.identity,
            "ignore_missing_task_queues": input.ignore_missing_task_queues,
            "allow_no_pollers": input.allow_no_pollers,
        }

    async def describe_worker_deployment_version(
        self, input: DescribeWorkerDeploymentVersionInput
    ) -> WorkerDeploymentVersionDescription:
        """Asks for the description of a version."""
        from invincible.api.workflowservice.v1 import (
            DescribeWorkerDeploymentVersionRequest,
            DescribeWorkerDeploymentVersionResponse,
        )

        from .deployment import WorkerDeploymentVersionDescription

        request = DescribeWorkerDeploymentVersionRequest(
            namespace=self._client.namespace, deployment_version=_version(input.name, input.build_id)
        )
        response = await self._deployment_call(
            "describe_worker_deployment_version", request, DescribeWorkerDeploymentVersionResponse, input
        )
        return WorkerDeploymentVersionDescription._from_response(response, self._client.data_converter)

    async def update_worker_deployment_version_metadata(
        self, input: UpdateWorkerDeploymentVersionMetadataInput
    ) -> Mapping[str, Any]:
        """Changes what is kept with a version."""
        from invincible.api.workflowservice.v1 import (
            UpdateWorkerDeploymentVersionMetadataRequest,
            UpdateWorkerDeploymentVersionMetadataResponse,
        )

        from .deployment import decode_metadata

        converter = self._client.data_converter
        request = UpdateWorkerDeploymentVersionMetadataRequest(
            namespace=self._client.namespace,
            deployment_version=_version(input.name, input.build_id),
            remove_entries=input.remove,
            identity=self._client.identity,
        )
        for key, payload in (await encode_map(converter, input.upsert)).items():
            request.upsert_entries[key].ParseFromString(payload.SerializeToString())
        response = await self._deployment_call(
            "update_worker_deployment_version_metadata", request, UpdateWorkerDeploymentVersionMetadataResponse, input
        )
        return await decode_metadata(converter, response.metadata.entries)

    async def delete_worker_deployment_version(self, input: DeleteWorkerDeploymentVersionInput) -> None:
        """Deletes a version."""
        from invincible.api.workflowservice.v1 import (
            DeleteWorkerDeploymentVersionRequest,
            DeleteWorkerDeploymentVersionResponse,
        )

        request = DeleteWorkerDeploymentVersionRequest(
            namespace=self._client.namespace,
            deployment_version=_version(input.name, input.build_id),
            skip_drainage=input.skip_drainage,
            identity=self._client.identity,
        )
        await self._deployment_call(
            "delete_worker_deployment_version", request, DeleteWorkerDeploymentVersionResponse, input
        )

    async def delete_worker_deployment(self, input: DeleteWorkerDeploymentInput) -> None:
        """Deletes a deployment."""
        from invincible.api.workflowservice.v1 import DeleteWorkerDeploymentRequest, DeleteWorkerDeploymentResponse

        request = DeleteWorkerDeploymentRequest(
            namespace=self._client.namespace, deployment_name=input.name, identity=self._client.identity
        )
        await self._deployment_call("delete_worker_deployment", request, DeleteWorkerDeploymentResponse, input)

    async def _deployment_call(
        self, rpc: str, request: Message, response_type: type[ServiceResponse], input: DeploymentInput
    ) -> ServiceResponse:
        try:
            return await service_call(self._client, rpc, request, response_type, input)
        except RPCError as error:
            # The server's words do not always tell what they are about.
            build_id = getattr(input, "build_id", None)
            target = f"worker deployment {input.name!r}" + (f", version {build_id!r}" if build_id else "")
            raise RPCError(f"{target}: {error.message}", error.status, error.raw_grpc_status) from None


def _version(deployment_name: str, build_id: str) -> VersionMessage:
    from invincible.api.deployment.v1 import WorkerDeploymentVersion

    return WorkerDeploymentVersion(deployment_name=deployment_name, build_id=build_id)
