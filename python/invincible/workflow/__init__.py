"""Workflows: durable functions. What they may use is here; I/O belongs into activities.

Example:
    @workflow.defn
    async def greeting(name: str) -> str:
        await workflow.sleep(timedelta(days=1))
        return await greet.execute(name)
"""

from typing import TYPE_CHECKING

from invincible._lazy import lazy_names

if TYPE_CHECKING:
    from invincible._engine.activities import ActivityHandle
    from invincible._engine.children import ChildWorkflowHandle
    from invincible._engine.configs import ActivityConfig, ChildWorkflowConfig, LocalActivityConfig
    from invincible._engine.definition import DynamicWorkflowConfig, HandlerUnfinishedPolicy
    from invincible._engine.errors import (
        ContinueAsNewError,
        NondeterminismError,
        NotInWorkflowError,
        ReadOnlyContextError,
        UnfinishedSignalHandlersWarning,
        UnfinishedUpdateHandlersWarning,
    )
    from invincible._engine.external import ExternalWorkflowHandle
    from invincible._engine.groups import EventGroup
    from invincible._engine.messages import UpdateInfo
    from invincible._engine.nexus import NexusOperationHandle
    from invincible._engine.options import (
        ActivityCancellationType,
        ChildWorkflowCancellationType,
        ContinueAsNewVersioningBehavior,
        NexusOperationCancellationType,
        ParentClosePolicy,
        VersioningIntent,
    )

    from ._activities import (
        execute_activity,
        execute_activity_class,
        execute_activity_method,
        start_activity,
        start_activity_class,
        start_activity_method,
    )
    from ._children import (
        continue_as_new,
        execute_child_workflow,
        get_external_workflow_handle,
        get_external_workflow_handle_for,
        start_child_workflow,
    )
    from ._definition import UpdateMethodMultiParam, defn, dynamic_config, init, query, run, signal, update
    from ._handlers import (
        all_handlers_finished,
        current_update_info,
        get_dynamic_query_handler,
        get_dynamic_signal_handler,
        get_dynamic_update_handler,
        get_query_handler,
        get_signal_handler,
        get_update_handler,
        set_dynamic_query_handler,
        set_dynamic_signal_handler,
        set_dynamic_update_handler,
        set_query_handler,
        set_signal_handler,
        set_update_handler,
    )
    from ._info import Info, ParentInfo, RootInfo, info
    from ._local_activities import (
        execute_local_activity,
        execute_local_activity_class,
        execute_local_activity_method,
        start_local_activity,
        start_local_activity_class,
        start_local_activity_method,
    )
    from ._log import LoggerAdapter, logger
    from ._metrics import metric_meter
    from ._nexus import NexusClient, create_nexus_client
    from ._runtime import (
        deprecate_patch,
        in_workflow,
        new_random,
        now,
        patched,
        random,
        random_seed,
        register_random_seed_callback,
        sleep,
        time,
        time_ns,
        uuid4,
        uuid7,
        wait_condition,
    )
    from ._signal_with_start import signal_with_start_workflow
    from ._state import (
        cancellation_reason,
        create_event_group,
        extern_functions,
        get_current_details,
        get_last_completion_result,
        get_last_failure,
        has_last_completion_result,
        instance,
        is_failure_exception,
        memo,
        memo_value,
        payload_converter,
        set_current_details,
        upsert_memo,
        upsert_search_attributes,
    )
    from ._unsafe import SandboxImportNotificationPolicy, unsafe
    from ._waiting import as_completed, wait
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "invincible._engine.activities": "ActivityHandle",
            "invincible._engine.children": "ChildWorkflowHandle",
            "invincible._engine.definition": "DynamicWorkflowConfig HandlerUnfinishedPolicy",
            "invincible._engine.errors": (
                "ContinueAsNewError NondeterminismError NotInWorkflowError ReadOnlyContextError "
                "UnfinishedSignalHandlersWarning UnfinishedUpdateHandlersWarning"
            ),
            "invincible._engine.external": "ExternalWorkflowHandle",
            "invincible._engine.groups": "EventGroup",
            "invincible._engine.messages": "UpdateInfo",
            "invincible._engine.nexus": "NexusOperationHandle",
            "invincible._engine.configs": "ActivityConfig ChildWorkflowConfig LocalActivityConfig",
            "invincible._engine.options": (
                "ActivityCancellationType ChildWorkflowCancellationType ContinueAsNewVersioningBehavior "
                "NexusOperationCancellationType ParentClosePolicy VersioningIntent"
            ),
            "._activities": (
                "execute_activity execute_activity_class execute_activity_method start_activity start_activity_class "
                "start_activity_method"
            ),
            "._children": (
                "continue_as_new execute_child_workflow get_external_workflow_handle "
                "get_external_workflow_handle_for start_child_workflow"
            ),
            "._definition": "UpdateMethodMultiParam defn dynamic_config init query run signal update",
            "._handlers": (
                "all_handlers_finished current_update_info get_dynamic_query_handler get_dynamic_signal_handler "
                "get_dynamic_update_handler get_query_handler get_signal_handler get_update_handler "
                "set_dynamic_query_handler set_dynamic_signal_handler set_dynamic_update_handler set_query_handler "
                "set_signal_handler set_update_handler"
            ),
            "._info": "Info ParentInfo RootInfo info",
            "._local_activities": (
                "execute_local_activity execute_local_activity_class execute_local_activity_method "
                "start_local_activity start_local_activity_class start_local_activity_method"
            ),
            "._log": "LoggerAdapter logger",
            "._metrics": "metric_meter",
            "._nexus": "NexusClient create_nexus_client",
            "._runtime": (
                "deprecate_patch in_workflow new_random now patched random random_seed register_random_seed_callback "
                "sleep time time_ns uuid4 uuid7 wait_condition"
            ),
            "._signal_with_start": "signal_with_start_workflow",
            "._state": (
                "cancellation_reason create_event_group extern_functions get_current_details "
                "get_last_completion_result get_last_failure has_last_completion_result instance "
                "is_failure_exception memo memo_value payload_converter set_current_details upsert_memo "
                "upsert_search_attributes"
            ),
            "._unsafe": "SandboxImportNotificationPolicy unsafe",
            "._waiting": "as_completed wait",
        },
    )

__all__ = [
    "ActivityCancellationType",
    "ActivityConfig",
    "ActivityHandle",
    "ChildWorkflowCancellationType",
    "ChildWorkflowConfig",
    "ChildWorkflowHandle",
    "ContinueAsNewError",
    "ContinueAsNewVersioningBehavior",
    "DynamicWorkflowConfig",
    "EventGroup",
    "ExternalWorkflowHandle",
    "HandlerUnfinishedPolicy",
    "Info",
    "LocalActivityConfig",
    "LoggerAdapter",
    "NexusClient",
    "NexusOperationCancellationType",
    "NexusOperationHandle",
    "NondeterminismError",
    "NotInWorkflowError",
    "ParentClosePolicy",
    "ParentInfo",
    "ReadOnlyContextError",
    "RootInfo",
    "SandboxImportNotificationPolicy",
    "UnfinishedSignalHandlersWarning",
    "UnfinishedUpdateHandlersWarning",
    "UpdateInfo",
    "UpdateMethodMultiParam",
    "VersioningIntent",
    "all_handlers_finished",
    "as_completed",
    "cancellation_reason",
    "continue_as_new",
    "create_event_group",
    "create_nexus_client",
    "current_update_info",
    "defn",
    "deprecate_patch",
    "dynamic_config",
    "execute_activity",
    "execute_activity_class",
    "execute_activity_method",
    "execute_child_workflow",
    "execute_local_activity",
    "execute_local_activity_class",
    "execute_local_activity_method",
    "extern_functions",
    "get_current_details",
    "get_dynamic_query_handler",
    "get_dynamic_signal_handler",
    "get_dynamic_update_handler",
    "get_external_workflow_handle",
    "get_external_workflow_handle_for",
    "get_last_completion_result",
    "get_last_failure",
    "get_query_handler",
    "get_signal_handler",
    "get_update_handler",
    "has_last_completion_result",
    "in_workflow",
    "info",
    "init",
    "instance",
    "is_failure_exception",
    "logger",
    "memo",
    "memo_value",
    "metric_meter",
    "new_random",
    "now",
    "patched",
    "payload_converter",
    "query",
    "random",
    "random_seed",
    "register_random_seed_callback",
    "run",
    "set_current_details",
    "set_dynamic_query_handler",
    "set_dynamic_signal_handler",
    "set_dynamic_update_handler",
    "set_query_handler",
    "set_signal_handler",
    "set_update_handler",
    "signal",
    "signal_with_start_workflow",
    "sleep",
    "start_activity",
    "start_activity_class",
    "start_activity_method",
    "start_child_workflow",
    "start_local_activity",
    "start_local_activity_class",
    "start_local_activity_method",
    "time",
    "time_ns",
    "unsafe",
    "update",
    "upsert_memo",
    "upsert_search_attributes",
    "uuid4",
    "uuid7",
    "wait",
    "wait_condition",
]
