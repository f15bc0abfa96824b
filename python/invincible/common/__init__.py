"""Types that clients, workers and workflows share: policies, priorities, search attributes, versions, metrics."""

from typing import TYPE_CHECKING

from invincible._lazy import lazy_names

if TYPE_CHECKING:
    from ._metrics import (
        MetricAttributes,
        MetricCommon,
        MetricCounter,
        MetricGauge,
        MetricGaugeFloat,
        MetricHistogram,
        MetricHistogramFloat,
        MetricHistogramTimedelta,
        MetricMeter,
    )
    from ._policies import (
        ActivityIDConflictPolicy,
        ActivityIDReusePolicy,
        HeaderCodecBehavior,
        NexusOperationCancellationState,
        NexusOperationExecutionStatus,
        NexusOperationIDConflictPolicy,
        NexusOperationIDReusePolicy,
        PendingNexusOperationExecutionState,
        QueryRejectCondition,
        WorkflowIDConflictPolicy,
        WorkflowIDReusePolicy,
    )
    from ._priority import Priority
    from ._raw_value import RawValue
    from ._retry_policy import RetryPolicy
    from ._search_attributes import (
        SearchAttributeIndexedValueType,
        SearchAttributeKey,
        SearchAttributePair,
        SearchAttributes,
        SearchAttributeUpdate,
        SearchAttributeValue,
        SearchAttributeValues,
        SearchAttributeValueType,
        TypedSearchAttributes,
    )
    from ._versioning import (
        AutoUpgradeVersioningOverride,
        OneTimeVersioningOverride,
        PinnedVersioningOverride,
        VersioningBehavior,
        VersioningOverride,
        WorkerDeploymentVersion,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "._metrics": (
                "MetricAttributes MetricCommon MetricCounter MetricGauge MetricGaugeFloat MetricHistogram "
                "MetricHistogramFloat MetricHistogramTimedelta MetricMeter"
            ),
            "._policies": (
                "ActivityIDConflictPolicy ActivityIDReusePolicy HeaderCodecBehavior NexusOperationCancellationState "
                "NexusOperationExecutionStatus NexusOperationIDConflictPolicy NexusOperationIDReusePolicy "
                "PendingNexusOperationExecutionState QueryRejectCondition WorkflowIDConflictPolicy "
                "WorkflowIDReusePolicy"
            ),
            "._priority": "Priority",
            "._raw_value": "RawValue",
            "._retry_policy": "RetryPolicy",
            "._search_attributes": (
                "SearchAttributeIndexedValueType SearchAttributeKey SearchAttributePair SearchAttributeUpdate "
                "SearchAttributeValue SearchAttributeValueType SearchAttributeValues SearchAttributes "
                "TypedSearchAttributes"
            ),
            "._versioning": (
                "AutoUpgradeVersioningOverride OneTimeVersioningOverride PinnedVersioningOverride VersioningBehavior "
                "VersioningOverride WorkerDeploymentVersion"
            ),
        },
    )

__all__ = [
    "ActivityIDConflictPolicy",
    "ActivityIDReusePolicy",
    "AutoUpgradeVersioningOverride",
    "HeaderCodecBehavior",
    "MetricAttributes",
    "MetricCommon",
    "MetricCounter",
    "MetricGauge",
    "MetricGaugeFloat",
    "MetricHistogram",
    "MetricHistogramFloat",
    "MetricHistogramTimedelta",
    "MetricMeter",
    "NexusOperationCancellationState",
    "NexusOperationExecutionStatus",
    "NexusOperationIDConflictPolicy",
    "NexusOperationIDReusePolicy",
    "OneTimeVersioningOverride",
    "PendingNexusOperationExecutionState",
    "PinnedVersioningOverride",
    "Priority",
    "QueryRejectCondition",
    "RawValue",
    "RetryPolicy",
    "SearchAttributeIndexedValueType",
    "SearchAttributeKey",
    "SearchAttributePair",
    "SearchAttributeUpdate",
    "SearchAttributeValue",
    "SearchAttributeValueType",
    "SearchAttributeValues",
    "SearchAttributes",
    "TypedSearchAttributes",
    "VersioningBehavior",
    "VersioningOverride",
    "WorkerDeploymentVersion",
    "WorkflowIDConflictPolicy",
    "WorkflowIDReusePolicy",
]
