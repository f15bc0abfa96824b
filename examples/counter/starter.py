"""Start a count and leave: the worker does the counting."""

import argparse
import asyncio
from uuid import uuid4

from ..connection import connect
from .workflow import TASK_QUEUE, count_to_ten


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between numbers (default: %(default)s)")
    options = parser.parse_args()

    client = await connect()
    handle = await client.start_workflow(
        count_to_ten, options.interval, id=f"counting-{uuid4()}", task_queue=TASK_QUEUE
    )
    print(f"Started {handle.id}")


if __name__ == "__main__":
    asyncio.run(main())
