"""The stand-in for icanhazip.com and ip-api.com: real requests over real sockets, no Temporal."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from examples.standin import Mode, Standin
from tests.support.conditions import eventually
from tests.support.processes import Program


@pytest.fixture
async def standin() -> AsyncIterator[Standin]:
    async with Standin() as running:
        yield running


@pytest.fixture
async def http(standin: Standin) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(standin.url, timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


async def get_json(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as response:
        assert response.status == 200
        return await response.json()


async def test_icanhazip_answers_the_address_as_a_line_of_plain_text(http: aiohttp.ClientSession) -> None:
    async with http.get("/") as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
        assert await response.text() == "8.8.8.8\n"


async def test_icanhazip_tells_the_address_it_was_given() -> None:
    async with Standin(ip="1.1.1.1") as standin, aiohttp.request("GET", standin.url) as response:
        assert await response.text() == "1.1.1.1\n"


@pytest.mark.parametrize(
    ("ip", "place"),
    [
        ("8.8.8.8", ("Mountain View", "California", "United States")),
        ("1.1.1.1", ("Sydney", "New South Wales", "Australia")),
        ("9.9.9.9", ("Unknown", "Unknown", "Unknown")),
    ],
)
async def test_ip_api_locates_an_address(http: aiohttp.ClientSession, ip: str, place: tuple[str, str, str]) -> None:
    body = await get_json(http, f"/json/{ip}")
    assert (body["query"], body["status"]) == (ip, "success")
    assert (body["city"], body["regionName"], body["country"]) == place
    assert body.keys() == {
        *("query", "status", "country", "countryCode", "region", "regionName", "city"),
        *("zip", "lat", "lon", "timezone", "isp", "org", "as"),
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("192.168.1.100", "private range"),
        ("10.1.2.3", "private range"),
        ("fd00::1", "private range"),
        ("127.0.0.1", "reserved range"),
        ("203.0.113.42", "reserved range"),
        ("not-an-address", "invalid query"),
    ],
)
async def test_ip_api_reports_what_it_cannot_locate_with_status_200(
    http: aiohttp.ClientSession, query: str, message: str
) -> None:
    assert await get_json(http, f"/json/{query}") == {"query": query, "status": "fail", "message": message}


async def test_every_request_is_counted_for_its_service(standin: Standin, http: aiohttp.ClientSession) -> None:
    standin.ip_api.set("error_500")
    for path in ("/", "/json/8.8.8.8", "/json/8.8.8.8"):
        async with http.get(path):
            pass
    assert (standin.icanhazip.requests, standin.ip_api.requests) == (1, 2)


@pytest.mark.parametrize("path", ["/", "/json/8.8.8.8"])
async def test_error_500(standin: Standin, http: aiohttp.ClientSession, path: str) -> None:
    standin.icanhazip.set(Mode.ERROR_500)
    standin.ip_api.set(Mode.ERROR_500)
    async with http.get(path) as response:
        assert response.status == 500


@pytest.mark.parametrize("path", ["/", "/json/8.8.8.8"])
async def test_drop_closes_the_connection_without_an_answer(standin: Standin, path: str) -> None:
    standin.icanhazip.set(Mode.DROP)
    standin.ip_api.set(Mode.DROP)
    # A bare connection: aiohttp's client would ask a second time by itself.
    reader, writer = await asyncio.open_connection(standin.host, standin.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {standin.host}\r\n\r\n".encode())
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert standin.icanhazip.requests + standin.ip_api.requests == 1


async def test_timeout_never_answers(standin: Standin, http: aiohttp.ClientSession) -> None:
    standin.ip_api.set(Mode.TIMEOUT)
    with pytest.raises(asyncio.TimeoutError):
        await http.get("/json/8.8.8.8", timeout=aiohttp.ClientTimeout(total=0.2))
    assert standin.ip_api.requests == 1


async def test_a_held_request_does_not_hold_up_the_stop() -> None:
    standin = Standin()

    async def requested() -> bool:
        return standin.icanhazip.requests == 1

    async with aiohttp.ClientSession() as session:
        async with standin:
            standin.icanhazip.set(Mode.TIMEOUT)
            request = asyncio.create_task(session.get(standin.url))
            await eventually(requested, what="the request to arrive")
        with pytest.raises(aiohttp.ClientError):
            await asyncio.wait_for(request, 5)


async def test_a_restart_keeps_the_port_and_the_counters(standin: Standin, http: aiohttp.ClientSession) -> None:
    async with http.get("/"):
        pass
    await standin.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await http.get("/")
    await standin.start()
    async with http.get("/") as response:
        assert response.status == 200
    assert standin.icanhazip.requests == 2


async def test_rate_limit_names_the_seconds_to_reset(standin: Standin, http: aiohttp.ClientSession) -> None:
    standin.ip_api.set(Mode.RATE_LIMIT_429, rate_limit_ttl=17)
    async with http.get("/json/8.8.8.8") as response:
        assert response.status == 429
        assert (response.headers["X-Rl"], response.headers["X-Ttl"]) == ("0", "17")


async def test_bad_json(standin: Standin, http: aiohttp.ClientSession) -> None:
    standin.icanhazip.set(Mode.BAD_JSON)
    standin.ip_api.set(Mode.BAD_JSON)
    async with http.get("/") as response:
        assert response.status == 200
        assert "<html>" in await response.text()
    with pytest.raises(json.JSONDecodeError):
        await get_json(http, "/json/8.8.8.8")


async def test_status_fail(standin: Standin, http: aiohttp.ClientSession) -> None:
    standin.ip_api.set(Mode.STATUS_FAIL)
    assert (await get_json(http, "/json/8.8.8.8"))["status"] == "fail"


async def test_fail_first_fails_that_many_requests_and_then_answers(
    standin: Standin, http: aiohttp.ClientSession
) -> None:
    standin.icanhazip.set(Mode.ERROR_500, fail_first=2)
    statuses = []
    for _ in range(4):
        async with http.get("/") as response:
            statuses.append(response.status)
    assert statuses == [500, 500, 200, 200]


async def test_delay_comes_before_the_answer(standin: Standin, http: aiohttp.ClientSession) -> None:
    standin.icanhazip.set(delay=0.2)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    async with http.get("/"):
        assert loop.time() - begin >= 0.2


async def test_faults_are_set_and_shown_over_http(standin: Standin, http: aiohttp.ClientSession) -> None:
    async with http.patch("/control/ip_api", json={"mode": "error_500", "fail_first": 3, "delay": 0.5}) as response:
        changed = await response.json()
    assert changed == {"requests": 0, "mode": "error_500", "fail_first": 3, "delay": 0.5, "rate_limit_ttl": 2}
    assert standin.ip_api.mode is Mode.ERROR_500
    assert await get_json(http, "/control") == {"icanhazip": standin.icanhazip.state(), "ip_api": changed}


async def test_reset_clears_faults_and_counters(standin: Standin, http: aiohttp.ClientSession) -> None:
    standin.icanhazip.set(Mode.ERROR_500)
    async with http.get("/"):
        pass
    async with http.post("/control/reset") as response:
        assert response.status == 200
    assert standin.icanhazip.state() == Standin().icanhazip.state()


@pytest.mark.parametrize(
    ("service", "body", "status", "reason"),
    [
        ("ipapi", "{}", 404, "unknown service 'ipapi', use icanhazip or ip_api"),
        ("ip_api", '{"mode": "broken"}', 400, "unknown mode 'broken', use one of ok, error_500,"),
        ("ip_api", '{"mode": {}}', 400, "unknown mode {}"),
        ("icanhazip", '{"mode": "status_fail"}', 400, "icanhazip has no mode 'status_fail'"),
        ("ip_api", '{"fail_first": "2"}', 400, "fail_first must be a whole number of at least 0, not '2'"),
        ("ip_api", '{"fail_first": true}', 400, "fail_first must be"),
        ("ip_api", '{"fail_first": 1.5}', 400, "fail_first must be"),
        ("ip_api", '{"delay": -1}', 400, "delay must be"),
        ("ip_api", '{"delay": NaN}', 400, "delay must be"),
        ("ip_api", '{"delay": Infinity}', 400, "delay must be"),
        ("ip_api", '{"rate_limit_ttl": null}', 400, "rate_limit_ttl must be"),
        ("ip_api", '{"speed": 1}', 400, "unknown setting 'speed', use mode, fail_first, delay, rate_limit_ttl"),
        ("ip_api", "[]", 400, "the body must be a JSON object"),
        ("ip_api", "{", 400, "the body is not JSON"),
        ("ip_api", b"\xff", 400, "the body is not JSON"),
    ],
)
async def test_a_wrong_setting_is_refused_and_changes_nothing(
    standin: Standin, http: aiohttp.ClientSession, service: str, body: str | bytes, status: int, reason: str
) -> None:
    standin.ip_api.set(Mode.BAD_JSON, fail_first=5)
    async with http.patch(f"/control/{service}", data=body) as response:
        assert response.status == status
        assert reason in (await response.json())["error"]
    assert (standin.ip_api.mode, standin.ip_api.fail_first) == (Mode.BAD_JSON, 5)


async def test_the_program_says_where_it_is_and_stops_on_a_signal() -> None:
    async with Program(sys.executable, "-m", "examples.standin", "--ip", "1.1.1.1") as program:
        ready = json.loads(await program.line(r"ready"))
        assert ready["pid"] == program.pid
        async with aiohttp.request("GET", ready["url"]) as response:
            assert await response.text() == "1.1.1.1\n"
        program.send(signal.SIGTERM)
        assert await program.exit_code() == 0
        assert program.output == json.dumps(ready)


async def test_the_program_names_a_port_that_is_taken(standin: Standin) -> None:
    async with Program(sys.executable, "-m", "examples.standin", "--port", str(standin.port)) as program:
        assert await program.exit_code() == 1
        assert program.output.startswith(f"cannot listen on 127.0.0.1:{standin.port}: ")
