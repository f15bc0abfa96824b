"""Program: the embedded server. Prints its address as one line of JSON and serves until its input ends."""

from __future__ import annotations

import asyncio
import json
import sys

from invincible.testing import WorkflowEnvironment


async def main() -> None:
    async with await WorkflowEnvironment.start_local() as environment:
        print(json.dumps({"address": environment.client.service_client.config.target_host}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
