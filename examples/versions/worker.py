"""Run a worker of one version."""

import argparse
import asyncio

from invincible.common import WorkerDeploymentVersion
from invincible.worker import Worker, WorkerDeploymentConfig

from ..connection import connect
from ..signals import until_stopped
from . import v1, v2

# In real life there is one set of workflows, and the version is what was built from one commit.
WORKFLOWS = {"v1": [v1.Delivery, v1.Subscription], "v2": [v2.Delivery, v2.Subscription]}
DEPLOYMENT = "deliveries"
TASK_QUEUE = "deliveries"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", choices=WORKFLOWS)
    build_id = parser.parse_args().version

    worker = Worker(
        await connect(),
        task_queue=TASK_QUEUE,
        workflows=WORKFLOWS[build_id],
        deployment_config=WorkerDeploymentConfig(
            WorkerDeploymentVersion(DEPLOYMENT, build_id), use_worker_versioning=True
        ),
    )
    async with worker:
        print(f"Worker of {build_id} ready on task queue {TASK_QUEUE}", flush=True)
        await until_stopped()


if __name__ == "__main__":
    asyncio.run(main())
