"""Run the counter: stop this at 5, start it again, and it goes on with 6."""

import asyncio
import logging

from invincible.worker import Worker

from ..connection import connect
from ..signals import until_stopped
from .workflow import TASK_QUEUE, add_one, count_to_ten


async def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    client = await connect()
    async with Worker(client, task_queue=TASK_QUEUE, workflows=[count_to_ten], activities=[add_one]):
        print(f"Worker ready on task queue {TASK_QUEUE}", flush=True)
        await until_stopped()


if __name__ == "__main__":
    asyncio.run(main())
