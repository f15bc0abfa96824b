"""Ask for a greeting, and wait for it."""

import argparse
import asyncio
import os
import sys
from uuid import uuid4

from invincible.client import WorkflowFailureError

from ..connection import connect
from .workflows import TASK_QUEUE, GetAddressFromIP, GreetingRequest

UI_URL = os.environ.get("TEMPORAL_UI_URL", "http://localhost:8233")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="World", help="whom to greet (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=0, help="to sleep between the two calls (default: %(default)s)")
    options = parser.parse_args()

    client = await connect()
    handle = await client.start_workflow(
        GetAddressFromIP.run,
        GreetingRequest(options.name, options.seconds),
        id=f"getAddressFromIP-{uuid4()}",
        task_queue=TASK_QUEUE,
    )
    print(f"Started {handle.id}")
    print(f"{UI_URL}/namespaces/{client.namespace}/workflows/{handle.id}/{handle.result_run_id}/history", flush=True)
    try:
        greeting = await handle.result()
    except WorkflowFailureError as failure:
        sys.exit(f"No greeting: {root_cause(failure)}")
    print(greeting.message)


def root_cause(error: BaseException) -> BaseException:
    return root_cause(error.__cause__) if error.__cause__ else error


if __name__ == "__main__":
    asyncio.run(main())
