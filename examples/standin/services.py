"""The two services: icanhazip.com tells the caller's address, ip-api.com tells where an address is."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from aiohttp import web

from .service import Mode, Service

PRIVATE_NETWORKS = [ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]

PLACES: dict[str, dict[str, Any]] = {
    "8.8.8.8": {
        "country": "United States",
        "countryCode": "US",
        "region": "CA",
        "regionName": "California",
        "city": "Mountain View",
        "zip": "94043",
        "lat": 37.4,
        "lon": -122.1,
        "timezone": "America/Los_Angeles",
        "isp": "Google LLC",
        "org": "Google Public DNS",
        "as": "AS15169 Google LLC",
    },
    "1.1.1.1": {
        "country": "Australia",
        "countryCode": "AU",
        "region": "NSW",
        "regionName": "New South Wales",
        "city": "Sydney",
        "zip": "2000",
        "lat": -33.9,
        "lon": 151.2,
        "timezone": "Australia/Sydney",
        "isp": "Cloudflare, Inc",
        "org": "APNIC and Cloudflare DNS Resolver project",
        "as": "AS13335 Cloudflare, Inc.",
    },
}

UNKNOWN_PLACE: dict[str, Any] = {
    "country": "Unknown",
    "countryCode": "",
    "region": "",
    "regionName": "Unknown",
    "city": "Unknown",
    "zip": "",
    "lat": 0.0,
    "lon": 0.0,
    "timezone": "",
    "isp": "",
    "org": "",
    "as": "",
}


class ICanHazIP(Service):
    """`GET /`: the caller's address as plain text. Here every caller comes from `ip`."""

    name = "icanhazip"
    modes = frozenset(Mode) - {Mode.STATUS_FAIL}

    def __init__(self, ip: str) -> None:
        super().__init__()
        self.ip = ip

    def answer(self, request: web.Request, mode: Mode) -> web.Response:
        if mode is Mode.BAD_JSON:
            return web.Response(text="<html>Please log in to this network</html>", content_type="text/html")
        return web.Response(text=f"{self.ip}\n")


class IPAPI(Service):
    """`GET /json/{ip}`: where an address is, or why that cannot be told; both with status 200."""

    name = "ip_api"

    def answer(self, request: web.Request, mode: Mode) -> web.Response:
        if mode is Mode.BAD_JSON:
            return web.Response(text='{"query": "', content_type="application/json")
        query = request.match_info["ip"]
        failure = "reserved range" if mode is Mode.STATUS_FAIL else _why_not_located(query)
        if failure:
            body: dict[str, Any] = {"query": query, "status": "fail", "message": failure}
        else:
            body = {"query": query, "status": "success", **PLACES.get(query, UNKNOWN_PLACE)}
        return web.json_response(body, headers={"X-Rl": "44", "X-Ttl": "60"})

    def rate_limited(self) -> web.Response:
        return web.Response(status=429, headers={"X-Rl": "0", "X-Ttl": str(self.rate_limit_ttl)})


def _why_not_located(query: str) -> str | None:
    try:
        address: IPv4Address | IPv6Address = ip_address(query)
    except ValueError:
        return "invalid query"
    if any(address in network for network in PRIVATE_NETWORKS):
        return "private range"
    return None if address.is_global else "reserved range"
