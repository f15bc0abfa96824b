"""Asking the peer: temporalio from PyPI, in an environment and a process of its own."""

from __future__ import annotations

import importlib.metadata
import pickle
import struct
import subprocess
from pathlib import Path
from typing import Any

from tests.support.environments import PEER, PEER_VERSION, ROOT, environment


class Refused(Exception):
    """The peer raised an exception; the message holds its class and message."""


class Peer:
    """Asks what temporalio makes of values and payloads: see `peer_program`."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen(
            [str(python), "-m", "tests.parity.peer_program"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, request: str, *arguments: Any) -> Any:
        """The peer's answer.

        Raises:
            Refused: It raised an exception.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = pickle.dumps((request, arguments))
        self._process.stdin.write(struct.pack(">I", len(question)) + question)
        self._process.stdin.flush()
        head = self._process.stdout.read(4)
        assert head, f"the peer ended with status {self._process.wait()}"
        done, value = pickle.loads(self._process.stdout.read(struct.unpack(">I", head)[0]))
        if not done:
            raise Refused(value)
        return value

    def close(self) -> None:
        self._process.communicate()


def peer_python() -> Path:
    """The interpreter of the peer's environment."""
    # The same pydantic as here: values of its types travel between the processes.
    pydantic = f"pydantic=={importlib.metadata.version('pydantic')}"
    return environment(ROOT / "build" / "peer", [f"{PEER}[opentelemetry,pydantic]=={PEER_VERSION}", pydantic])
