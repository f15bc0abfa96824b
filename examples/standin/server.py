"""The HTTP server in front of the two services, and the endpoints that steer it."""

import json
from types import TracebackType

from aiohttp import web

from .service import Service
from .services import IPAPI, ICanHazIP


class Standin:
    """Both services on one port, up for the time of the `async with` block.

    ```python
    async with Standin() as standin:
        standin.ip_api.set("error_500", fail_first=2)
        ...                                     # point ICANHAZIP_URL and IP_API_URL at standin.url
        assert standin.icanhazip.requests == 1
    ```

    Args:
        ip: The address that icanhazip tells its callers.
        host: The local address to listen on.
        port: The port to listen on; 0 takes a free one.
    """

    def __init__(self, *, ip: str = "8.8.8.8", host: str = "127.0.0.1", port: int = 0) -> None:
        self.icanhazip = ICanHazIP(ip)
        self.ip_api = IPAPI()
        self.host = host
        self.port = port
        self._services: dict[str, Service] = {service.name: service for service in (self.icanhazip, self.ip_api)}
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base URL of both services."""
        return f"http://{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen. Once started and stopped, it listens on the same port again, with the same faults and counters.

        Raises:
            OSError: The port is taken.
        """
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self.icanhazip.handle),
                web.get("/json/{ip}", self.ip_api.handle),
                web.get("/control", self._show),
                web.post("/control/reset", self._reset),
                web.patch("/control/{service}", self._change),
            ]
        )
        # Without handler_cancellation a request held by the `timeout` mode would outlive its client.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self.port = runner.addresses[0][1]
        self._runner = runner

    async def stop(self) -> None:
        """Refuse connections from now on, and drop those that are open."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def __aenter__(self) -> "Standin":
        await self.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({name: service.state() for name, service in self._services.items()})

    async def _reset(self, request: web.Request) -> web.Response:
        for service in self._services.values():
            service.reset()
        return await self._show(request)

    async def _change(self, request: web.Request) -> web.Response:
        name = request.match_info["service"]
        service = self._services.get(name)
        if service is None:
            return _refused(404, f"unknown service {name!r}, use {' or '.join(self._services)}")
        try:
            settings = json.loads(await request.read())
        except ValueError as error:
            return _refused(400, f"the body is not JSON: {error}")
        if not isinstance(settings, dict):
            return _refused(400, 'the body must be a JSON object such as {"mode": "error_500"}')
        try:
            service.update(settings)
        except ValueError as error:
            return _refused(400, str(error))
        return web.json_response(service.state())


def _refused(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)
