"""The counter that remembers: every number and every pause is a step in the workflow's history."""

from datetime import timedelta

from invincible import activity, workflow

TASK_QUEUE = "durable"


@activity.defn(name="AddOne", start_to_close_timeout=timedelta(seconds=5))
async def add_one(number: int) -> int:
    return number + 1


@workflow.defn(name="CountingWorkflow")
async def count_to_ten(interval: float = 1.0) -> str:
    """Count to 10 with `interval` seconds after each number."""
    workflow.logger.info("*** Counting to 10")
    number = 0
    while number < 10:
        number = await add_one.execute(number)
        workflow.logger.info("%d", number)
        await workflow.sleep(interval)
    workflow.logger.info("*** Counted to 10")
    return "Counted to 10"
