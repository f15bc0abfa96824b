"""Uses a connection with a secret in every place for one, in success and failure, with all logs on.

Runs as a process of its own: `python -m tests.support.leaky`. What it prints is searched for the secrets.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import traceback
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from invincible import activity, workflow
from invincible.api.workflowservice.v1 import DescribeNamespaceRequest
from invincible.client import Client
from invincible.common import RetryPolicy
from invincible.envconfig import ClientConfig, ClientConfigProfile
from invincible.exceptions import ApplicationError
from invincible.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    OpenTelemetryConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from invincible.service import ConnectConfig, HttpConnectProxyConfig, RetryConfig, TLSConfig
from invincible.worker import Worker


@activity.defn
async def refuse(secret: str) -> str:
    raise ApplicationError("refused", secret, non_retryable=True)


@activity.defn
async def pass_on(secret: str) -> str:
    activity.heartbeat(secret)
    return secret


@workflow.defn
class Carry:
    def __init__(self) -> None:
        self._secrets: list[str] = []

    @workflow.run
    async def run(self, secret: str, fails: bool) -> str:
        await workflow.wait_condition(lambda: bool(self._secrets))
        task = refuse if fails else pass_on
        return await workflow.execute_activity(task, secret, start_to_close_timeout=timedelta(seconds=10))

    @workflow.signal
    def keep(self, secret: str) -> None:
        self._secrets.append(secret)

    @workflow.query
    def kept(self, secret: str) -> list[str]:
        return [*self._secrets, secret]

    @workflow.update
    def change(self, secret: str) -> str:
        self._secrets.append(secret)
        return secret


async def shown(what: str, call: Callable[[], Awaitable[Any]]) -> Any:
    """Makes the call; prints the repr of its outcome, or its error with tracebacks and causes."""
    try:
        outcome = await call()
    except Exception as error:
        print(f"{what} failed:", flush=True)
        traceback.print_exc(file=sys.stdout)
        while error is not None:
            print(repr(error), str(error), getattr(error, "message", ""), flush=True)
            error = error.__cause__ or error.__context__  # type: ignore[assignment]
        return None
    print(f"{what} succeeded: {type(outcome).__name__}", flush=True)
    return outcome


async def main(options: dict[str, Any], secrets: dict[str, str]) -> None:
    logging_config = LoggingConfig(TelemetryFilter(core_level="TRACE", other_level="TRACE"))
    if options["forwarding"]:
        logging.basicConfig(level=1, stream=sys.stdout, format="%(name)s %(message)s %(temporal_log)s", force=True)
        logging.getLogger().handlers[0].addFilter(with_fields)
        logging_config = LoggingConfig(logging_config.filter, LogForwardingConfig(logging.getLogger("core")))
    runtime = Runtime(
        telemetry=TelemetryConfig(
            logging=logging_config,
            metrics=OpenTelemetryConfig(url="http://127.0.0.1:1", headers={"authorization": secrets["collector"]}),
        )
    )
    tls = tls_config(options)
    proxy = HttpConnectProxyConfig(options["proxy"], basic_auth=("user", secrets["password"]))
    given: dict[str, Any] = {
        "tls": tls,
        "api_key": secrets["api_key"],
        "rpc_metadata": {"tenant": secrets["header"], "trace-bin": secrets["binary"].encode()},
        "http_connect_proxy_config": proxy,
        "retry_config": RetryConfig(max_retries=2),
        "runtime": runtime,
    }
    target, queue = options["target"], options["queue"]
    print(tls, proxy, given["retry_config"], ConnectConfig(target, **given))

    client: Client = await shown("connecting", lambda: Client.connect(target, **given))
    print(client, client.service_client, client.service_client.config)
    await shown("a wrong port", lambda: Client.connect("127.0.0.1:1", **given))
    await shown("plain text", lambda: Client.connect(target, **{**given, "tls": False}))
    await shown("another name", lambda: Client.connect(f"ip6-{target}", **given))
    await shown("a wrong password", lambda: Client.connect(target, **{**given, **wrong_password(options, secrets)}))
    await shown("a wrong key", lambda: Client.connect(target, **{**given, "api_key": secrets["wrong_key"]}))
    await shown(
        "a bad header", lambda: Client.connect(target, **{**given, "rpc_metadata": {"x": f"{secrets['bad']}\n"}})
    )
    await shown("a bad name", lambda: Client.connect(target, **{**given, "rpc_metadata": {"x y": secrets["bad"]}}))
    await shown("a bad key", lambda: Client.connect(target, **{**given, "api_key": f"{secrets['bad']}\n"}))

    async def raw(namespace: str) -> Any:
        request = DescribeNamespaceRequest(namespace=namespace)
        headers: dict[str, str | bytes] = {"of-call": secrets["header_of_call"]}
        headers["of-call-bin"] = secrets["binary_of_call"].encode()
        return await client.workflow_service.describe_namespace(request, metadata=headers)

    await shown("a raw call", lambda: raw("default"))
    await shown("a refused call", lambda: raw("none"))

    async with Worker(client, task_queue=queue, workflows=[Carry], activities=[refuse, pass_on]):
        for fails in (False, True):
            await carried(client, queue, fails, secrets)

    client.api_key, client.rpc_metadata = secrets["wrong_key"], {"tenant": secrets["header"]}
    await shown("a call with a replaced key", lambda: raw("default"))

    async def configured(profile: str) -> Any:
        return ClientConfigProfile.load(profile, config_source=Path(options["config"]), override_env_vars={})

    print(await shown("a profile", lambda: configured("good")))
    await shown("a missing profile", lambda: configured("bad"))

    async def all_configured() -> Any:
        return ClientConfig.load(config_source=f"a = {secrets['config']}\n")

    await shown("a broken file", all_configured)


async def carried(client: Client, queue: str, fails: bool, secrets: dict[str, str]) -> None:
    """A run that has secrets in every message, with what fails about it."""
    secret = secrets["argument"]
    handle = await client.start_workflow(
        Carry.run,
        args=[secret, fails],
        id=f"{queue}-{fails}",
        task_queue=queue,
        memo={"memo": secrets["memo"]},
        static_summary=secrets["summary"],
        retry_policy=RetryPolicy(maximum_attempts=1),
    )
    print(handle)
    await shown("a query", lambda: handle.query(Carry.kept, secret))
    await shown("an update", lambda: handle.execute_update(Carry.change, secret))
    await shown("a signal", lambda: handle.signal(Carry.keep, secret))
    await shown("a result", handle.result)
    await shown("a signal too late", lambda: handle.signal(Carry.keep, secret))
    await shown("a query of what is not there", lambda: handle.query("none", secret))


def tls_config(options: dict[str, Any]) -> TLSConfig:
    return TLSConfig(
        server_root_ca_cert=Path(options["ca"]).read_bytes(),
        client_cert=Path(options["cert"]).read_bytes(),
        client_private_key=Path(options["key"]).read_bytes(),
    )


def wrong_password(options: dict[str, Any], secrets: dict[str, str]) -> dict[str, Any]:
    auth = ("user", secrets["wrong_password"])
    return {"http_connect_proxy_config": HttpConnectProxyConfig(options["proxy"], basic_auth=auth)}


def with_fields(record: logging.LogRecord) -> bool:
    record.__dict__.setdefault("temporal_log", "")
    return True


if __name__ == "__main__":
    settings = json.load(sys.stdin)
    asyncio.run(main(settings["options"], settings["secrets"]))
