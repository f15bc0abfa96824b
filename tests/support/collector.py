"""OpenTelemetry collectors of metrics, over gRPC and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from tests.support.conditions import eventually


class Collector:
    """Keeps the last value of each metric that an exporter sends.

    Attributes:
        url: Where it is.
        metadata: Of the last request.
        resource: Attributes of the sender.
    """

    url: str

    def __init__(self) -> None:
        self.metadata: dict[str, str | bytes] = {}
        self.resource: dict[str, object] = {}
        self._values: dict[tuple[str, frozenset[tuple[str, object]]], float] = {}

    def close(self) -> None:
        """Stops it."""
        raise NotImplementedError

    async def has(self, name: str, value: float, attributes: Mapping[str, object]) -> None:
        """Waits until the last value of a metric with these attributes is this one."""

        async def there() -> bool:
            known = {key: value for key, value in self._values.items() if key[0] == name}
            assert known.get((name, frozenset(attributes.items()))) == value, known
            return True

        await eventually(there, what=f"{name} = {value}")

    def _keep(self, request: ExportMetricsServiceRequest) -> None:
        for sender in request.resource_metrics:
            self.resource = _attributes(sender.resource)
            for metric in (metric for scope in sender.scope_metrics for metric in scope.metrics):
                for point in (*metric.sum.data_points, *metric.gauge.data_points):
                    value: float = getattr(point, point.WhichOneof("value") or "as_int")
                    self._values[metric.name, frozenset(_attributes(point).items())] = value


class GrpcCollector(Collector):
    """One that is called by gRPC."""

    def __init__(self) -> None:
        super().__init__()
        self._server = grpc.server(ThreadPoolExecutor(1))
        export = grpc.unary_unary_rpc_method_handler(
            self._export,
            request_deserializer=ExportMetricsServiceRequest.FromString,
            response_serializer=ExportMetricsServiceResponse.SerializeToString,
        )
        service = "opentelemetry.proto.collector.metrics.v1.MetricsService"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": export}),))
        self.url = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(None).wait()

    def _export(
        self, request: ExportMetricsServiceRequest, context: grpc.ServicerContext
    ) -> ExportMetricsServiceResponse:
        self.metadata = dict(context.invocation_metadata())
        self._keep(request)
        return ExportMetricsServiceResponse()


class HttpCollector(Collector):
    """One that is called by HTTP."""

    def __init__(self) -> None:
        super().__init__()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                known = self.path == "/v1/metrics"
                self.send_response(200 if known else 404)
                self.end_headers()
                if known:
                    collector.metadata = {name.lower(): value for name, value in self.headers.items()}
                    collector._keep(ExportMetricsServiceRequest.FromString(body))

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/metrics"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _attributes(owner: Any) -> dict[str, object]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in owner.attributes}
