"""A WSGI application that runs a workflow for each request. Its client is made when the module is imported."""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from invincible.client import SyncClient

client = SyncClient.connect(os.environ["TEST_ADDRESS"])
queue = os.environ["TEST_TASK_QUEUE"]
# With --preload this is done in the master: calls have been made, and one is under way, when it forks.
open_workflow = client.start_workflow("nobody", id=f"open-{uuid.uuid4()}", task_queue=f"{queue}-nobody")
threading.Thread(target=open_workflow.result, daemon=True).start()
imported_by = os.getpid()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    name = environ["PATH_INFO"].strip("/")
    greeting = client.execute_workflow("greet", name, id=str(uuid.uuid4()), task_queue=queue)
    told = {"greeting": greeting, "pid": os.getpid(), "imported_by": imported_by, "identity": client.identity}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
