"""What the options of a worker come to: checked, registered, and as Core takes them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ._activities import registered_activities
from ._activity_places import check_executor
from ._config import WorkerConfig, activities_at_once, check, grace, limit, native_config, watch_limits
from ._watchdog import deadlock_timeout_seconds
from ._workflows import warn_of_nondeterminism, workflow_definitions

if TYPE_CHECKING:
    from nexusrpc.handler import Handler

    from ._interception import Interception


class WorkerParts:
    """The parts of a worker that is to run.

    Args:
        config: The options; plugins have had their say.

    Attributes:
        client: The client to poll through.
        definitions: Its workflows by name.
        activities: Its activities by name.
        services: Its Nexus services, if it has some.
        interception: Its interceptors, and those of the client, if there are some.
        guarded: Whether workflow code is guarded against calls that would not replay.
        deadlock_timeout: Seconds that workflow code may take without waiting, where its definition does not say.
        loop_lag_warning: Seconds for which something may block the event loop untold.
        stall_timeout: Seconds that work may wait without any of it moving.
        activities_at_once: How many activities there can be under way at a time.
        storage_concurrency: How many payloads of one workflow task are stored or retrieved at a time.
        grace: Seconds that activities may go on after a shutdown; ``None`` if nobody has said.
        native: The options as Core takes them.

    Raises:
        TypeError: A workflow, an activity or another value is none.
        ValueError: Options are out of their range, or do not go together.
    """

    def __init__(self, config: WorkerConfig) -> None:
        check(config)
        if config["client"]._always_replay:
            config["max_cached_workflows"] = 0
        self.config = config
        self.client = config["client"]
        self.definitions = workflow_definitions(config["workflows"])
        self.activities = registered_activities(config["activities"])
        if config["activity_executor"] is not None:
            check_executor(
                config["activity_executor"],
                config["shared_state_manager"],
                activities=self.activities,
                data_converter=self.client.data_converter,
                max_concurrent_activities=config["max_concurrent_activities"],
            )
        self.interception = self._interception()
        self.services = self._services()
        self.guarded = config["workflow_runner"]._guarded
        if self.guarded:
            warn_of_nondeterminism(self.definitions)
        self.deadlock_timeout = deadlock_timeout_seconds(config["deadlock_timeout"], debug_mode=config["debug_mode"])
        self.loop_lag_warning, self.stall_timeout = watch_limits(config, debug_mode=self.deadlock_timeout is None)
        self.activities_at_once = activities_at_once(config)
        self.storage_concurrency = limit(
            "max_workflow_task_external_storage_concurrency",
            config["max_workflow_task_external_storage_concurrency"],
            3,
        )
        self.grace = grace(config)
        self.native = native_config(
            config, self.definitions, self.activities, graceful_shutdown_period=self.grace or 0.0
        )

    def default_grace(self, grace: timedelta) -> None:
        """The grace of activities, if the options say none."""
        if self.grace is None:
            self.set_grace(grace)

    def set_grace(self, grace: timedelta) -> None:
        """The grace of activities, whatever the options say."""
        self.grace = grace.total_seconds()
        self.native = native_config(self.config, self.definitions, self.activities, graceful_shutdown_period=self.grace)

    def _interception(self) -> Interception | None:
        of_client = self.client._config["interceptors"]
        if not self.config["interceptors"] and not of_client:
            return None
        from ._interception import interception_of

        return interception_of(of_client, self.config["interceptors"])

    def _services(self) -> Handler | None:
        if not self.config["nexus_service_handlers"]:
            return None
        from ._nexus_services import registered_services

        return registered_services(
            self.config["nexus_service_handlers"],
            self.config["nexus_task_executor"],
            self.interception.nexus if self.interception is not None else (),
        )
