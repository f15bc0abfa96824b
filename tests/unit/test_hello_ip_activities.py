"""The activities of the hello_ip example as the plain functions they are, against the stand-in."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from examples.hello_ip import activities
from examples.hello_ip.activities import get_ip, get_location_info
from examples.standin import Mode, Standin
from invincible.exceptions import ApplicationError


@pytest.fixture(autouse=True)
async def standin(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Standin]:
    async with Standin() as running:
        monkeypatch.setattr(activities, "ICANHAZIP_URL", running.url)
        monkeypatch.setattr(activities, "IP_API_URL", running.url)
        yield running


async def test_get_ip_is_the_address_without_the_line_end() -> None:
    assert await get_ip() == "8.8.8.8"


async def test_get_ip_refuses_what_is_no_address(standin: Standin) -> None:
    standin.icanhazip.set(Mode.BAD_JSON)
    with pytest.raises(ValueError, match="log in to this network"):
        await get_ip()


@pytest.mark.parametrize(
    ("ip", "location"),
    [("8.8.8.8", "Mountain View, California, United States"), ("1.1.1.1", "Sydney, New South Wales, Australia")],
)
async def test_get_location_info_is_city_region_country(ip: str, location: str) -> None:
    assert await get_location_info(ip) == location


@pytest.mark.parametrize(
    ("ip", "reason"), [("192.168.1.100", "private range"), ("127.0.0.1", "reserved range"), ("x", "invalid query")]
)
async def test_an_address_without_a_location_is_not_tried_again(ip: str, reason: str) -> None:
    with pytest.raises(ApplicationError) as failed:
        await get_location_info(ip)
    assert failed.value.message == f"{ip} has no location: {reason}"
    assert (failed.value.type, failed.value.non_retryable) == ("LocationUnknown", True)


async def test_a_rate_limit_says_when_to_try_again(standin: Standin) -> None:
    standin.ip_api.set(Mode.RATE_LIMIT_429, rate_limit_ttl=17)
    with pytest.raises(ApplicationError) as failed:
        await get_location_info("8.8.8.8")
    assert failed.value.next_retry_delay == timedelta(seconds=17)
    assert not failed.value.non_retryable


async def test_a_rate_limit_without_a_time_means_a_minute(standin: Standin) -> None:
    standin.icanhazip.set(Mode.RATE_LIMIT_429)
    with pytest.raises(ApplicationError) as failed:
        await get_ip()
    assert failed.value.next_retry_delay == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        (Mode.ERROR_500, aiohttp.ClientResponseError),
        (Mode.DROP, aiohttp.ServerDisconnectedError),
        (Mode.BAD_JSON, ValueError),
        (Mode.TIMEOUT, asyncio.TimeoutError),
    ],
)
async def test_trouble_with_the_service_is_an_error_that_is_tried_again(
    standin: Standin, monkeypatch: pytest.MonkeyPatch, mode: Mode, error: type[Exception]
) -> None:
    monkeypatch.setattr(activities, "HTTP_TIMEOUT", aiohttp.ClientTimeout(total=0.5))
    standin.ip_api.set(mode)
    with pytest.raises(error) as failed:
        await get_location_info("8.8.8.8")
    assert not isinstance(failed.value, ApplicationError)
