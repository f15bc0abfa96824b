"""The worker deployments of a namespace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._call import service_call
from .._paging import PagedIterator
from .deployment import WorkerDeploymentListDescription
from .inputs import ListWorkerDeploymentsInput

if TYPE_CHECKING:
    from .._client import Client


class WorkerDeploymentAsyncIterator(PagedIterator[WorkerDeploymentListDescription]):
    """The worker deployments of a namespace, fetched as they are needed. To be iterated over once.

    Args:
        client: Fetches them.
        input: How many.
    """

    def __init__(self, client: Client, input: ListWorkerDeploymentsInput) -> None:
        """Creates the iterator; it fetches nothing yet."""
        super().__init__(limit=input.limit, page_size=input.page_size, next_page_token=input.next_page_token)
        self._client = client
        self._input = input

    async def _fetch_page(
        self, page_size: int | None, token: bytes | None
    ) -> tuple[Sequence[WorkerDeploymentListDescription], bytes | None]:
        from invincible.api.workflowservice.v1 import ListWorkerDeploymentsRequest, ListWorkerDeploymentsResponse

        response = await service_call(
            self._client,
            "list_worker_deployments",
            ListWorkerDeploymentsRequest(
                namespace=self._client.namespace, page_size=page_size or 0, next_page_token=token or b""
            ),
            ListWorkerDeploymentsResponse,
            self._input,
        )
        found = [WorkerDeploymentListDescription._from_summary(each) for each in response.worker_deployments]
        return found, response.next_page_token
