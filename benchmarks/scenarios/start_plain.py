"""A workflow whose file imports nothing else."""

from invincible import workflow


@workflow.defn
class Trivial:
    @workflow.run
    async def run(self) -> None:
        return None
