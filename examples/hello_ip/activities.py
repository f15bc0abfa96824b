"""The two HTTP calls. Trouble in reaching a service is retried until it is over; its verdict on an address is final."""

import json
import os
from datetime import timedelta
from ipaddress import ip_address

import aiohttp

from invincible import activity
from invincible.exceptions import ApplicationError

ICANHAZIP_URL = os.environ.get("ICANHAZIP_URL", "https://icanhazip.com")
IP_API_URL = os.environ.get("IP_API_URL", "http://ip-api.com")
HTTP_TIMEOUT = aiohttp.ClientTimeout(total=10)


@activity.defn(start_to_close_timeout=timedelta(minutes=1))
async def get_ip() -> str:
    """The public address of the machine this runs on."""
    text = await fetch(ICANHAZIP_URL)
    return str(ip_address(text.strip()))


@activity.defn(start_to_close_timeout=timedelta(minutes=1))
async def get_location_info(ip: str) -> str:
    """Where an address is: city, region, country."""
    place = json.loads(await fetch(f"{IP_API_URL}/json/{ip}"))
    if place["status"] == "fail":
        reason = place["message"]
        raise ApplicationError(f"{ip} has no location: {reason}", type="LocationUnknown", non_retryable=True)
    return f"{place['city']}, {place['regionName']}, {place['country']}"


async def fetch(url: str) -> str:
    async with aiohttp.ClientSession(timeout=HTTP_TIMEOUT) as http, http.get(url) as response:
        if response.status == 429:
            wait = timedelta(seconds=int(response.headers.get("X-Ttl", 60)))
            raise ApplicationError(f"{url}: rate limited", type="RateLimited", next_retry_delay=wait)
        response.raise_for_status()
        return await response.text()
