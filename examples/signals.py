"""How the programs of all examples stop."""

import asyncio
import signal


async def until_stopped() -> None:
    """Wait for SIGINT (Ctrl-C) or SIGTERM. Once one came, a second one acts as it always does."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    # Not loop.add_signal_handler: Windows does not have it.
    previous = {each: signal.signal(each, lambda *_: loop.call_soon_threadsafe(stopped.set)) for each in signals}
    try:
        await stopped.wait()
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)
