"""Run the stand-in as a program: `python -m examples.standin --port 8000`."""

import argparse
import asyncio
import json
import os

from ..signals import until_stopped
from .server import Standin


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.standin", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on, 0 for a free one (default)")
    parser.add_argument("--ip", default="8.8.8.8", help="what icanhazip tells its callers (default: %(default)s)")
    options = parser.parse_args()
    try:
        async with Standin(ip=options.ip, host=options.host, port=options.port) as standin:
            print(json.dumps({"event": "ready", "url": standin.url, "pid": os.getpid()}), flush=True)
            await until_stopped()
    except OSError as error:
        parser.exit(1, f"cannot listen on {options.host}:{options.port}: {error.strerror}\n")


if __name__ == "__main__":
    asyncio.run(main())
