"""Run the workflow and its activities. Kill this whenever you like: another one, or the next one, goes on."""

import asyncio
import logging

from invincible.worker import Worker

from ..connection import connect
from ..signals import until_stopped
from .activities import get_ip, get_location_info
from .workflows import TASK_QUEUE, GetAddressFromIP


async def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    client = await connect()
    async with Worker(
        client, task_queue=TASK_QUEUE, workflows=[GetAddressFromIP], activities=[get_ip, get_location_info]
    ):
        print(f"Worker ready on task queue {TASK_QUEUE}", flush=True)
        await until_stopped()


if __name__ == "__main__":
    asyncio.run(main())
