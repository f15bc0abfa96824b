"""One imitated HTTP service: its fault mode, its request counter, and how a fault reaches the client."""

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum
from typing import Any

from aiohttp import web


class Mode(str, Enum):
    """What a service does with a request."""

    OK = "ok"
    ERROR_500 = "error_500"  # 500 Internal Server Error
    TIMEOUT = "timeout"  # accepts the request and never answers
    DROP = "drop"  # closes the connection without an answer
    RATE_LIMIT_429 = "rate_limit_429"  # 429, with the service's own rate-limit headers
    BAD_JSON = "bad_json"  # 200 with a body that is not what was promised
    STATUS_FAIL = "status_fail"  # 200 with a body that reports a failure


class Service(ABC):
    """A service with a switch for faults. `requests` counts every request, failed ones included."""

    name: str
    modes = frozenset(Mode)

    def __init__(self) -> None:
        self.requests = 0
        self.mode = Mode.OK
        self.fail_first: int | None = None
        self.delay = 0.0
        self.rate_limit_ttl = 2

    def set(
        self,
        mode: Mode | str = Mode.OK,
        *,
        fail_first: int | None = None,
        delay: float = 0.0,
        rate_limit_ttl: int = 2,
    ) -> None:
        """Replace the fault settings; the request counter goes on.

        Args:
            mode: What happens to requests from now on.
            fail_first: Apply `mode` to this many requests, then go back to `ok`. None: until the next call.
            delay: Seconds to wait before each answer.
            rate_limit_ttl: Seconds until the rate limit resets, as told to the client by `rate_limit_429`.

        Raises:
            ValueError: A setting is not possible; nothing was changed.
        """
        try:
            mode = Mode(mode)
        except ValueError:
            raise ValueError(f"unknown mode {mode!r}, use one of {_listed(self.modes)}") from None
        if mode not in self.modes:
            raise ValueError(f"{self.name} has no mode {mode.value!r}, use one of {_listed(self.modes)}")
        if fail_first is not None:
            _check_number("fail_first", fail_first, int)
        _check_number("delay", delay, float)
        _check_number("rate_limit_ttl", rate_limit_ttl, int)
        self.mode, self.fail_first, self.delay, self.rate_limit_ttl = mode, fail_first, delay, rate_limit_ttl

    def update(self, settings: Mapping[str, Any]) -> None:
        """`set` for settings that come from outside, by name.

        Raises:
            ValueError: A setting is unknown or not possible; nothing was changed.
        """
        known = ("mode", "fail_first", "delay", "rate_limit_ttl")
        if unknown := sorted(settings.keys() - set(known)):
            raise ValueError(f"unknown setting {unknown[0]!r}, use {', '.join(known)}")
        self.set(**settings)

    def reset(self) -> None:
        """No faults, and the counter at zero."""
        self.set()
        self.requests = 0

    def state(self) -> dict[str, Any]:
        """The settings and the counter, ready for JSON."""
        return {
            "requests": self.requests,
            "mode": self.mode.value,
            "fail_first": self.fail_first,
            "delay": self.delay,
            "rate_limit_ttl": self.rate_limit_ttl,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Count the request and answer it as the mode says."""
        self.requests += 1
        mode = self._take_mode()
        await asyncio.sleep(self.delay)
        if mode is Mode.TIMEOUT:
            await asyncio.Event().wait()  # until the client gives up, which cancels this handler
        if mode is Mode.DROP:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if mode is Mode.ERROR_500:
            return web.Response(status=500, text="Internal Server Error")
        if mode is Mode.RATE_LIMIT_429:
            return self.rate_limited()
        return self.answer(request, mode)

    def rate_limited(self) -> web.Response:
        """The service's refusal of a client that asks too often."""
        return web.Response(status=429, text="Too Many Requests")

    @abstractmethod
    def answer(self, request: web.Request, mode: Mode) -> web.Response:
        """The body for `ok`, `bad_json` and `status_fail`."""

    def _take_mode(self) -> Mode:
        if self.fail_first is None:
            return self.mode
        if self.fail_first == 0:
            return Mode.OK
        self.fail_first -= 1
        return self.mode


def _listed(modes: frozenset[Mode]) -> str:
    return ", ".join(mode.value for mode in Mode if mode in modes)


def _check_number(name: str, value: object, kind: type[int] | type[float]) -> None:
    accepted = (int,) if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, accepted) or not 0 <= value < math.inf:
        raise ValueError(f"{name} must be {'a whole' if kind is int else 'a'} number of at least 0, not {value!r}")
