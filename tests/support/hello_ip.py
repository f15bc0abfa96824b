"""The hello_ip example under test: its programs, set up for one server and one stand-in."""

import sys

from examples.standin import Standin
from invincible.api.workflow.v1 import PendingActivityInfo
from invincible.client import Client

from .conditions import eventually
from .processes import Program

GREETING = "Hello Ada. Your IP is 8.8.8.8 and your location is Mountain View, California, United States"


class HelloIP:
    """Makes the example's programs, and asks the server about its runs."""

    def __init__(self, address: str, client: Client, standin: Standin) -> None:
        self.client = client
        self.standin = standin
        self._env = {
            "TEMPORAL_ADDRESS": address,
            "TEMPORAL_NAMESPACE": client.namespace,
            "TEMPORAL_UI_URL": "http://ui.test",
            "ICANHAZIP_URL": standin.url,
            "IP_API_URL": standin.url,
        }

    @property
    def requests(self) -> tuple[int, int]:
        """How often the stand-in was asked for an address, and for a location."""
        return self.standin.icanhazip.requests, self.standin.ip_api.requests

    def worker(self, **env: str) -> Program:
        return Program(sys.executable, "-m", "examples.hello_ip.worker", env={**self._env, **env})

    def starter(self, *, seconds: int = 0) -> Program:
        command = (sys.executable, "-m", "examples.hello_ip.starter", "Ada", "--seconds", str(seconds))
        return Program(*command, env=self._env)

    async def wait_for_attempt(self, workflow_id: str, number: int) -> PendingActivityInfo:
        """Wait until the server shows a pending activity at this attempt or a later one."""

        async def probe() -> PendingActivityInfo | None:
            description = await self.client.get_workflow_handle(workflow_id).describe()
            pending = description.raw_description.pending_activities
            return pending[0] if pending and pending[0].attempt >= number else None

        return await eventually(probe, what=f"attempt {number} of an activity")


async def ready(worker: Program) -> None:
    """Wait until a worker polls its task queue."""
    await worker.line("^Worker ready on task queue ip-address-python$")


async def started(starter: Program) -> str:
    """Wait until a starter has started its workflow, and return the workflow's id."""
    return (await starter.line("^Started getAddressFromIP-")).removeprefix("Started ")


async def greeted(starter: Program, *, timeout: float = 60) -> None:
    """Wait until a starter has printed the right greeting and ended well."""
    greeting = await starter.line("^Hello", timeout=timeout)
    assert greeting == GREETING, greeting
    code = await starter.exit_code()
    assert code == 0, f"the starter ended with exit code {code}; its output:\n{starter.output}"
