"""Say which version gets the work, and look what becomes of the others."""

import argparse
import asyncio

from invincible.client import WorkerDeploymentHandle, WorkerDeploymentVersionStatus

from ..connection import connect
from .worker import DEPLOYMENT


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("status", help="list the versions")
    current = commands.add_parser("current", help="give a version the work")
    ramp = commands.add_parser("ramp", help="give a version a share of the work")
    drained = commands.add_parser("drained", help="wait until no run needs a version any more")
    for command in (current, ramp, drained):
        command.add_argument("version")
    ramp.add_argument("percentage", type=float)
    options = parser.parse_args()

    deployment = (await connect()).get_worker_deployment_handle(DEPLOYMENT)
    if options.command == "current":
        await deployment.set_current_version(options.version)
    elif options.command == "ramp":
        await deployment.set_ramping_version(options.version, options.percentage)
    elif options.command == "drained":
        while not await is_drained(deployment, options.version):  # noqa: ASYNC110  # no call waits for it
            await asyncio.sleep(1)
    await print_status(deployment)


async def is_drained(deployment: WorkerDeploymentHandle, build_id: str) -> bool:
    return (await deployment.describe_version(build_id)).status is WorkerDeploymentVersionStatus.DRAINED


async def print_status(deployment: WorkerDeploymentHandle) -> None:
    description = await deployment.describe()
    for each in sorted(description.versions, key=lambda each: each.version.build_id):
        ramping = each.status is WorkerDeploymentVersionStatus.RAMPING
        share = f" {description.routing.ramping_percentage:g} %" if ramping else ""
        print(f"{each.version.build_id}  {each.status.name.lower() if each.status else 'unknown'}{share}")


if __name__ == "__main__":
    asyncio.run(main())
