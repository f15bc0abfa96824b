"""What interceptors trace the same way, however workflows are traced."""

from __future__ import annotations

from invincible import client, worker

from ._activity import ActivityTracing
from ._client import ClientTracing
from ._propagation import Tracing


class CallTracing(Tracing, client.Interceptor, worker.Interceptor):
    """Traces clients, activities and Nexus operations."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """Traces the calls of a client."""
        return ClientTracing(next, self)

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:
        """Traces an activity."""
        return ActivityTracing(next, self)

    def intercept_nexus_operation(
        self, next: worker.NexusOperationInboundInterceptor
    ) -> worker.NexusOperationInboundInterceptor:
        """Traces the handler of a Nexus operation."""
        # Most workers have none.
        from ._nexus import NexusTracing

        return NexusTracing(next, self)
