"""The dashboard for Grafana and the list of metrics in the guide, against what a busy worker serves."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.client import Client, WorkflowFailureError
from invincible.common import RetryPolicy
from invincible.exceptions import ApplicationError, FailureError
from invincible.service import RPCError
from invincible.worker import Worker
from tests.support import guides
from tests.support.conditions import eventually
from tests.support.metrics import Prometheus

DASHBOARD = guides.ROOT / "docs" / "dashboards" / "temporal-workers.json"
# What a busy worker without Nexus operations and without trouble at the server does not have.
UNSEEN = {
    "temporal_activity_poll_no_task",
    "temporal_local_activity_execution_cancelled",
    "temporal_long_request_failure",
    "temporal_nexus_poll_no_task",
    "temporal_nexus_task_endtoend_latency",
    "temporal_nexus_task_execution_failed",
    "temporal_nexus_task_execution_latency",
    "temporal_nexus_task_schedule_to_start_latency",
    "temporal_workflow_task_queue_poll_empty",
}
SELECTOR = re.compile(r"\b([a-z_]+)\{([^}]*)\}")
BY = re.compile(r"\bby \(([^)]*)\)")


@activity.defn(start_to_close_timeout=timedelta(seconds=10), retry_policy=RetryPolicy(maximum_attempts=1))
async def act(fails: bool) -> None:
    # Longer than the event loop's lag is unknown.
    await asyncio.sleep(0.3)
    if fails:
        raise ApplicationError("as it should")


@workflow.defn
class Busy:
    def __init__(self) -> None:
        self._go_on = False

    @workflow.run
    async def run(self, ending: str) -> None:
        for fails in (False, True):
            with suppress(FailureError):
                await act.execute(fails)
            with suppress(FailureError):
                await act.execute_local(fails)
        await workflow.wait_condition(lambda: self._go_on)
        if ending == "continue":
            workflow.continue_as_new("complete")
        if ending == "fail":
            raise ApplicationError("as it should")
        if ending == "fail task":
            raise ValueError("as it should")

    @workflow.signal
    def go_on(self) -> None:
        self._go_on = True


async def scrape(address: str, task_queue: str) -> dict[str, set[str]]:
    """Names of the metrics of a worker that has met everything, with the labels of each."""
    prometheus = Prometheus()
    client = await Client.connect(address, runtime=prometheus.runtime)
    with pytest.raises(RPCError):
        await client.get_workflow_handle(task_queue).describe()
    async with Worker(client, task_queue=task_queue, workflows=[Busy], activities=[act], max_cached_workflows=2):
        handles = {
            ending: await client.start_workflow(Busy.run, ending, id=f"{task_queue}-{ending}", task_queue=task_queue)
            for ending in ("complete", "continue", "fail", "cancel", "fail task")
        }
        await handles["cancel"].cancel()
        for name in handles.keys() - {"cancel"}:
            await handles[name].signal("go_on")
        await handles["complete"].result()
        for name in ("fail", "cancel"):
            with pytest.raises(WorkflowFailureError):
                await handles[name].result()

        async def everything() -> bool:
            text = prometheus.text()
            wanted = ("invincible_event_loop_lag", "temporal_workflow_task_execution_failed")
            return all(name in text for name in (*wanted, "temporal_workflow_continue_as_new"))

        await eventually(everything, what="the metrics of what takes its time")
        for name in ("continue", "fail task"):
            await client.get_workflow_handle(handles[name].id).terminate()
        # It is alone, and so still in the cache for its next tasks.
        await client.execute_workflow(
            Busy.run, "complete", id=f"{task_queue}-alone", task_queue=task_queue, start_signal="go_on"
        )
        return dict(labels_by_metric(prometheus.text()))


def labels_by_metric(text: str) -> Iterator[tuple[str, set[str]]]:
    histograms = set(re.findall(r"^# TYPE (\S+) histogram$", text, re.MULTILINE))
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name = line.partition("{")[0].partition(" ")[0]
            if (of := re.sub(r"_(bucket|sum|count)$", "", name)) in histograms:
                name = of
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', line))
    yield from found.items()


def expressions(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["label"], variable["query"]["query"]


async def test_the_dashboard_and_the_guide_name_metrics_that_there_are(address: str, task_queue: str) -> None:
    metrics = await scrape(address, task_queue)
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    used = [*expressions(dashboard)]
    assert len(used) > 30
    for title, expression in used:
        selectors = SELECTOR.findall(expression)
        if not selectors:
            assert re.fullmatch(r"label_values\(temporal_worker_start, namespace\)", expression), expression
        for name, conditions in selectors:
            name = name.removesuffix("_bucket")
            assert name in metrics, (title, name, sorted(metrics))
            labels = {*re.findall(r"(\w+)=~", conditions)}
            labels.update(label for by in BY.findall(expression) for label in by.split(", "))
            assert labels <= metrics[name], (title, name, labels - metrics[name])
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(panel["description"] for panel in panels)

    rows = re.findall(
        r"^\| `(\w+)` \| (?:counter|gauge|histogram) \| (.*?) ?\|", guides.text("observability.md"), re.MULTILINE
    )
    told = {name: {*re.findall(r"`(\w+)`", labels)} for name, labels in rows}
    assert told.keys() == metrics.keys() | UNSEEN
    common = {"namespace", "task_queue", "le"}
    assert {name: told[name] for name in metrics} == {name: labels - common for name, labels in metrics.items()}
