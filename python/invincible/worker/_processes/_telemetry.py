"""The runtime of a worker process, made like that of the client."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace
from datetime import timedelta

from invincible.runtime import OpenTelemetryConfig, PrometheusConfig, Runtime, TelemetryConfig

_LABEL = "worker_process"
_ATTEMPTS = 5


class MetricsOfOneProcessError(ValueError):
    """The client's runtime serves metrics itself, which cannot be those of all processes."""


@dataclass(frozen=True)
class RuntimeOptions:
    """What the runtimes of worker processes are made of.

    Args:
        telemetry: Logs and metrics.
        worker_heartbeat_interval: How often workers report to the server.
        disable_environment_info: Whether these reports leave out the platform.
        serve_metrics: Whether each process serves its metrics, for the supervisor to fetch.
    """

    telemetry: TelemetryConfig
    worker_heartbeat_interval: timedelta | None
    disable_environment_info: bool
    serve_metrics: bool = False

    @classmethod
    def of(cls, runtime: Runtime, *, serve_metrics: bool) -> RuntimeOptions:
        """Those of a runtime.

        Raises:
            ValueError: Its metrics stay in its process.
        """
        telemetry, heartbeat, disable_environment_info = runtime._options
        metrics = telemetry.metrics
        if isinstance(metrics, PrometheusConfig):
            if not serve_metrics:
                raise MetricsOfOneProcessError(
                    "the Prometheus endpoint of the client's runtime serves the metrics of its own process alone: give "
                    "processes=WorkerProcesses(..., metrics_address='host:port') to serve those of all of them there"
                )
        elif metrics is not None and (serve_metrics or not isinstance(metrics, OpenTelemetryConfig)):
            raise ValueError(
                f"metrics of worker processes cannot go to the {type(metrics).__name__} of the client's runtime"
                f"{' and to metrics_address' if serve_metrics else ''}: use one of OpenTelemetryConfig and "
                "WorkerProcesses(..., metrics_address='host:port')"
            )
        return cls(telemetry, heartbeat, disable_environment_info, serve_metrics)

    def make(self, index: int) -> tuple[Runtime, int | None]:
        """The runtime of a process, and the port at which it serves its metrics, if it does."""
        for attempt in range(_ATTEMPTS):
            port = _free_port() if self.serve_metrics else None
            try:
                return self._make(index, port), port
            except RuntimeError:
                # Another program may have taken the port.
                if port is None or attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _make(self, index: int, port: int | None) -> Runtime:
        metrics = self.telemetry.metrics
        if port is not None:
            served = metrics if isinstance(metrics, PrometheusConfig) else PrometheusConfig(bind_address="")
            metrics = replace(served, bind_address=f"127.0.0.1:{port}")
        tags = {**self.telemetry.global_tags, _LABEL: str(index)}
        return Runtime(
            telemetry=replace(self.telemetry, metrics=metrics, global_tags=tags),
            worker_heartbeat_interval=self.worker_heartbeat_interval,
            disable_environment_info=self.disable_environment_info,
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
