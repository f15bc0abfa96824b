"""Find out where we are, and say hello from there."""

from dataclasses import dataclass

from invincible import workflow

from .activities import get_ip, get_location_info

TASK_QUEUE = "ip-address-python"


@dataclass
class GreetingRequest:
    name: str
    seconds: int = 0  # to sleep between the two calls


@dataclass
class Greeting:
    message: str
    ip_addr: str
    location: str


@workflow.defn
class GetAddressFromIP:
    @workflow.run
    async def run(self, request: GreetingRequest) -> Greeting:
        ip = await get_ip.execute()
        if request.seconds > 0:
            await workflow.sleep(request.seconds)
        location = await get_location_info.execute(ip)
        return Greeting(f"Hello {request.name}. Your IP is {ip} and your location is {location}", ip, location)
