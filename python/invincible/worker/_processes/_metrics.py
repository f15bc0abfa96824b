"""The metrics of all worker processes at one address."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ._options import host_and_port

_TIMEOUT = 5.0


class MetricsServer:
    """Serves ``/metrics`` from a thread of its own.

    Args:
        address: Where, as ``host:port``; port 0 takes a free one.
        sources: Gives the addresses of what is served, as ``host:port``. Called in other threads.

    Attributes:
        address: Where it really serves.

    Raises:
        RuntimeError: It cannot serve there.
    """

    def __init__(self, address: str, sources: Callable[[], Iterable[str]]) -> None:
        host, port = host_and_port("metrics_address", address)

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.partition("?")[0] != "/metrics":
                    self.send_error(404)
                    return
                body = union(fetched(sources())).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        try:
            self._server = Server((host, port), Handler)
        except OSError as error:
            reason = error.strerror or error
            raise RuntimeError(f"could not serve the metrics of worker processes at {address}: {reason}") from None
        self._server.daemon_threads = True
        self.address = f"{address.rpartition(':')[0]}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="invincible-metrics")
        self._thread.daemon = True
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def fetched(sources: Iterable[str]) -> list[str]:
    """What is served at these addresses; processes that have ended meanwhile are left out."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(filter(None, pool.map(_fetch, sources)))


def _fetch(source: str) -> str:
    try:
        # Not through a proxy that the environment names.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{source}/metrics", timeout=_TIMEOUT) as response:
            body: bytes = response.read()
    except OSError:
        return ""
    return body.decode()


def union(texts: Iterable[str]) -> str:
    """Metrics of several processes as one text: each metric's samples must stand together."""
    comments: dict[str, list[str]] = {}
    samples: dict[str, list[str]] = {}
    for text in texts:
        name = ""
        for line in text.splitlines():
            if line.startswith("# "):
                kind, name = line.split(" ", 3)[1:3]
                known = comments.setdefault(name, [])
                if not any(each.startswith(f"# {kind} ") for each in known):
                    known.append(line)
            elif line:
                samples.setdefault(name, []).append(line)
    return "".join(f"{line}\n" for name in samples for line in (*comments.get(name, ()), *samples[name]))
