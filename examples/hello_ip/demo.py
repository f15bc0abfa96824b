"""The whole demo in one command: services, Temporal server, worker and starter, and a greeting at the end."""

import argparse
import asyncio
import json
import os
import socket
import sys
from contextlib import AsyncExitStack, suppress

from ..processes import Program, ProgramEndedError, running
from ..progress import Progress
from ..signals import until_stopped
from ..standin import Standin

HOST = "127.0.0.1"
PATIENCE = 120.0  # seconds for a greeting to arrive, on top of the timer

KEPT = """\
Everything stays up. In another terminal:

  export TEMPORAL_ADDRESS={TEMPORAL_ADDRESS} TEMPORAL_UI_URL={TEMPORAL_UI_URL}
  export ICANHAZIP_URL={ICANHAZIP_URL} IP_API_URL={IP_API_URL}

  # ask for a greeting that takes its time, kill the worker meanwhile, and start the next one
  {python} -m examples.hello_ip.starter Ada --seconds 10
  kill -9 {worker_pid}
  {python} -m examples.hello_ip.worker

  # break a service, ask for a greeting, and mend the service
  curl -X PATCH {IP_API_URL}/control/ip_api -d '{{"mode": "error_500"}}'
  curl -X PATCH {IP_API_URL}/control/ip_api -d '{{"mode": "ok"}}'

Ctrl-C here stops everything.
"""


async def demo(name: str, seconds: int, keep: bool) -> None:
    """Run the demo; with `keep`, stay until cancelled."""
    progress = Progress()
    async with AsyncExitStack() as programs:
        with progress.step("stand-in web services") as step:
            standin = await programs.enter_async_context(Standin())
            step.result = standin.url

        with progress.step("Temporal server") as step:
            ports = ("--port", str(free_port(7233)), "--ui-port", str(free_port(8233)))
            command = (*python("invincible"), "server", *ports, "--log-level", "error")
            server = await programs.enter_async_context(
                running("server", *command, ready='"event":"ready"', env={}, echo=progress.program_line)
            )
            ready = json.loads(server.ready_line)
            step.result = f"{ready['grpc']}, Web UI {ready['ui']}"

        env = {
            "TEMPORAL_ADDRESS": ready["grpc"],
            "TEMPORAL_NAMESPACE": "default",
            "TEMPORAL_UI_URL": ready["ui"],
            "ICANHAZIP_URL": standin.url,
            "IP_API_URL": standin.url,
        }
        with progress.step("worker") as step:
            command = python("examples.hello_ip.worker")
            worker = await programs.enter_async_context(
                running("worker", *command, ready="^Worker ready", env=env, echo=progress.program_line)
            )
            step.result = f"process {worker.pid}"

        said: list[str] = []
        with progress.step("starter") as step:
            command = (*python("examples.hello_ip.starter"), "--seconds", str(seconds), "--", name)
            starter = await programs.enter_async_context(
                running("starter", *command, ready="^http", env=env, echo=lambda _, line: said.append(line))
            )
            step.result = f"process {starter.pid}"

        with progress.step(f"greeting, after {seconds} s of durable sleep"):
            await end_of(starter, worker, server, timeout=seconds + PATIENCE)
            if starter.ended.result() != 0:
                raise ProgramEndedError("the starter got no greeting:\n" + "\n".join(said))
        progress.line(f"\n{said[-1]}\n{starter.ready_line}\n", "1")

        if keep:
            progress.line(KEPT.format(**env, python=sys.executable, worker_pid=worker.pid))
            with suppress(asyncio.CancelledError):  # the way to end it
                await asyncio.Event().wait()
        with progress.step("everything stopped"):
            await programs.aclose()


async def end_of(starter: Program, *others: Program, timeout: float) -> None:
    """Wait until the starter has ended; the other programs must stay up until then."""
    programs = [starter, *others]
    await asyncio.wait([each.ended for each in programs], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    for program in others:
        if program.ended.done():
            raise ProgramEndedError(f"the {program.name} ended with exit code {program.ended.result()}")
    if not starter.ended.done():
        raise ProgramEndedError(f"no greeting arrived in {timeout:.0f} s")


def python(module: str) -> tuple[str, ...]:
    return sys.executable, "-m", module


def free_port(wanted: int) -> int:
    """The wanted port, or 0 (any) when it is taken."""
    with socket.socket() as probe:
        try:
            probe.bind((HOST, wanted))
        except OSError:
            return 0
    return wanted


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.hello_ip.demo", description=__doc__)
    parser.add_argument("name", nargs="?", default="World", help="whom to greet (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=3, help="to sleep between the two calls (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="leave everything up until Ctrl-C; so does KEEP=1")
    options = parser.parse_args()
    keep = options.keep or os.environ.get("KEEP", "0") not in ("", "0")

    run = asyncio.create_task(demo(options.name, options.seconds, keep))
    stop = asyncio.create_task(until_stopped())
    await asyncio.wait([run, stop], return_when=asyncio.FIRST_COMPLETED)
    for task in (run, stop):
        task.cancel()
    outcome, _ = await asyncio.gather(run, stop, return_exceptions=True)
    if isinstance(outcome, asyncio.CancelledError):
        print("\nStopped.")
        return 130
    if isinstance(outcome, (ProgramEndedError, OSError)):
        print(f"\nThe demo failed: {outcome}", file=sys.stderr)
        return 1
    if isinstance(outcome, BaseException):
        raise outcome
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
