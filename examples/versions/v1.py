"""The workflows as of version v1."""

from invincible import workflow
from invincible.common import VersioningBehavior


@workflow.defn(name="Delivery", versioning_behavior=VersioningBehavior.PINNED)
class Delivery:
    """Ends on the version it began on, so its code may change at will from version to version."""

    def __init__(self) -> None:
        self.picked_up = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.picked_up)
        return f"delivered by {workflow.info().get_current_build_id()}"

    @workflow.signal
    def pick_up(self) -> None:
        self.picked_up = True


@workflow.defn(name="Subscription", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Subscription:
    """Goes on for as long as the customer pays, on whatever version is current; each run sends three boxes."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    @workflow.run
    async def run(self, interval: float, sent: list[str]) -> None:
        self.sent = sent
        for _ in range(3):
            self.sent.append(f"box from {workflow.info().get_current_build_id()}")
            await workflow.sleep(interval)
        workflow.continue_as_new(args=[interval, self.sent])

    @workflow.query
    def boxes(self) -> list[str]:
        return self.sent
