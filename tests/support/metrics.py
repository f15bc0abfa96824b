"""A runtime whose metrics are scraped over HTTP, as Prometheus does it."""

import re
import socket
import urllib.request

from invincible.runtime import PrometheusConfig, Runtime, TelemetryConfig

_SAMPLE = re.compile(r"(?P<name>[\w:]+)\{(?P<labels>.*)\} (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Prometheus:
    """A runtime with a Prometheus endpoint of its own.

    Attributes:
        runtime: The runtime.
    """

    def __init__(self, *, durations_as_seconds: bool = False) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        config = PrometheusConfig(bind_address=self._address, durations_as_seconds=durations_as_seconds)
        self.runtime = Runtime(telemetry=TelemetryConfig(logging=None, metrics=config, attach_service_name=False))

    def text(self) -> str:
        """What the endpoint serves."""
        with urllib.request.urlopen(f"http://{self._address}/metrics", timeout=10) as response:
            body: bytes = response.read()
        return body.decode()

    def samples(self, name: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Values of a metric by their labels, which are sorted."""
        values = {}
        for line in self.text().splitlines():
            found_name, labels, value = self._sample(line)
            if found_name == name:
                values[labels] = value
        return values

    def value(self, name: str, **labels: str) -> float | None:
        """The value of a metric with exactly these labels."""
        return self.samples(name).get(tuple(sorted(labels.items())))

    @staticmethod
    def _sample(line: str) -> tuple[str, tuple[tuple[str, str], ...], float]:
        if sample := _SAMPLE.fullmatch(line):
            return sample["name"], tuple(sorted(_LABEL.findall(sample["labels"]))), float(sample["value"])
        name, _, value = line.rpartition(" ")
        return name, (), float(value) if not line.startswith("#") else 0.0
