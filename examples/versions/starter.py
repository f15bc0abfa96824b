"""Start deliveries and a subscription, and see to them."""

import argparse
import asyncio
from uuid import uuid4

from invincible.client import Client

from ..connection import connect
from .worker import TASK_QUEUE


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    deliver = commands.add_parser("deliver", help="start a delivery")
    deliver.add_argument("--count", type=int, default=1, help="how many (default: %(default)s)")
    subscribe = commands.add_parser("subscribe", help="start a subscription")
    subscribe.add_argument("--interval", type=float, default=5.0, help="seconds between boxes (default: %(default)s)")
    for name, help in (("pick-up", "pick a delivery up"), ("boxes", "list the boxes of a subscription")):
        commands.add_parser(name, help=help).add_argument("id")
    options = parser.parse_args()

    client = await connect()
    if options.command == "deliver":
        for _ in range(options.count):
            print(f"Started {await start(client, 'Delivery')}")
    elif options.command == "subscribe":
        print(f"Started {await start(client, 'Subscription', options.interval, [])}")
    elif options.command == "pick-up":
        delivery = client.get_workflow_handle(options.id, result_type=str)
        await delivery.signal("pick_up")
        print(await delivery.result())
    else:
        print("\n".join(await client.get_workflow_handle(options.id).query("boxes", result_type=list[str])))


async def start(client: Client, workflow: str, *arguments: object) -> str:
    """Not by `v1.Delivery` or `v2.Delivery`: which of them runs is up to the release."""
    id = f"{workflow.lower()}-{uuid4()}"
    await client.start_workflow(workflow, args=arguments, id=id, task_queue=TASK_QUEUE)
    return id


if __name__ == "__main__":
    asyncio.run(main())
