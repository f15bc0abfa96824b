"""The workflows as of version v2: deliveries can be insured, boxes come with a letter."""

from invincible import workflow
from invincible.common import VersioningBehavior


@workflow.defn(name="Delivery", versioning_behavior=VersioningBehavior.PINNED)
class Delivery:
    """No run of v1 ever gets here: the new timer needs no patch."""

    def __init__(self) -> None:
        self.picked_up = False

    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(0.1)  # the insurer thinks about it
        await workflow.wait_condition(lambda: self.picked_up)
        return f"delivered by {workflow.info().get_current_build_id()}, insured"

    @workflow.signal
    def pick_up(self) -> None:
        self.picked_up = True


@workflow.defn(name="Subscription", versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Subscription:
    """Runs of v1 are replayed by this code, which must do what v1 did wherever v1 did it: hence the patch."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    @workflow.run
    async def run(self, interval: float, sent: list[str]) -> None:
        self.sent = sent
        for _ in range(3):
            box = f"box from {workflow.info().get_current_build_id()}"
            if workflow.patched("letter"):
                await workflow.sleep(0.1)  # somebody writes it
                box += " with a letter"
            self.sent.append(box)
            await workflow.sleep(interval)
        workflow.continue_as_new(args=[interval, self.sent])

    @workflow.query
    def boxes(self) -> list[str]:
        return self.sent
