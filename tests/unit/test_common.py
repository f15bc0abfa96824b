"""Policies, priorities, versions and search attributes: values, checks and their native forms."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from typing import Any

import pytest

from invincible import common
from invincible.api.common.v1 import RetryPolicy as RetryPolicyMessage
from invincible.common import (
    AutoUpgradeVersioningOverride,
    MetricMeter,
    OneTimeVersioningOverride,
    PinnedVersioningOverride,
    Priority,
    RetryPolicy,
    SearchAttributeIndexedValueType,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    VersioningOverride,
    WorkerDeploymentVersion,
)


class TestEnums:
    """The numbers are those of the Temporal API."""

    @pytest.mark.parametrize(
        ("enum", "numbers"),
        [
            (
                common.WorkflowIDReusePolicy,
                "ALLOW_DUPLICATE=1 ALLOW_DUPLICATE_FAILED_ONLY=2 REJECT_DUPLICATE=3 TERMINATE_IF_RUNNING=4",
            ),
            (common.WorkflowIDConflictPolicy, "UNSPECIFIED=0 FAIL=1 USE_EXISTING=2 TERMINATE_EXISTING=3"),
            (common.QueryRejectCondition, "NONE=1 NOT_OPEN=2 NOT_COMPLETED_CLEANLY=3"),
            (
                common.ActivityIDReusePolicy,
                "UNSPECIFIED=0 ALLOW_DUPLICATE=1 ALLOW_DUPLICATE_FAILED_ONLY=2 REJECT_DUPLICATE=3",
            ),
            (common.ActivityIDConflictPolicy, "UNSPECIFIED=0 FAIL=1 USE_EXISTING=2"),
            (
                common.NexusOperationIDReusePolicy,
                "UNSPECIFIED=0 ALLOW_DUPLICATE=1 ALLOW_DUPLICATE_FAILED_ONLY=2 REJECT_DUPLICATE=3",
            ),
            (common.NexusOperationIDConflictPolicy, "UNSPECIFIED=0 FAIL=1 USE_EXISTING=2"),
            (
                common.NexusOperationExecutionStatus,
                "UNSPECIFIED=0 RUNNING=1 COMPLETED=2 FAILED=3 CANCELED=4 TERMINATED=5 TIMED_OUT=6",
            ),
            (
                common.PendingNexusOperationExecutionState,
                "UNSPECIFIED=0 SCHEDULED=1 BACKING_OFF=2 STARTED=3 BLOCKED=4",
            ),
            (
                common.NexusOperationCancellationState,
                "UNSPECIFIED=0 SCHEDULED=1 BACKING_OFF=2 SUCCEEDED=3 FAILED=4 TIMED_OUT=5 BLOCKED=6",
            ),
            (common.HeaderCodecBehavior, "NO_CODEC=1 CODEC=2 WORKFLOW_ONLY_CODEC=3"),
            (common.VersioningBehavior, "UNSPECIFIED=0 PINNED=1 AUTO_UPGRADE=2"),
            (
                SearchAttributeIndexedValueType,
                "TEXT=1 KEYWORD=2 INT=3 DOUBLE=4 BOOL=5 DATETIME=6 KEYWORD_LIST=7",
            ),
        ],
    )
    def test_numbers(self, enum: type[IntEnum], numbers: str) -> None:
        assert " ".join(f"{member.name}={member.value}" for member in enum) == numbers


class TestRetryPolicy:
    def test_defaults(self) -> None:
        policy = RetryPolicy()
        assert policy.initial_interval == timedelta(seconds=1)
        assert policy.backoff_coefficient == 2.0
        assert policy.maximum_interval is None
        assert policy.maximum_attempts == 0
        assert policy.non_retryable_error_types is None

    def test_native_durations_are_seconds(self) -> None:
        policy = RetryPolicy(
            initial_interval=timedelta(milliseconds=2500),
            backoff_coefficient=3,
            maximum_interval=timedelta(seconds=9),
            maximum_attempts=4,
            non_retryable_error_types=["A", "B"],
        )._to_native()
        assert policy.initial_interval == 2.5
        assert policy.backoff_coefficient == 3.0
        assert policy.maximum_interval == 9.0
        assert policy.maximum_attempts == 4
        assert list(policy.non_retryable_error_types) == ["A", "B"]

    @pytest.mark.parametrize("maximum", [None, timedelta(0)])
    def test_maximum_interval_defaults_to_a_hundred_times_the_initial_one(self, maximum: timedelta | None) -> None:
        policy = RetryPolicy(initial_interval=timedelta(seconds=2.5), maximum_interval=maximum)
        assert policy._to_native().maximum_interval == 250.0

    def test_native_policy_is_made_once_and_again_after_a_change(self) -> None:
        policy = RetryPolicy(non_retryable_error_types=["A"])
        first = policy._to_native()
        assert policy._to_native() is first
        policy.maximum_attempts = 3
        assert policy._to_native().maximum_attempts == 3
        policy.non_retryable_error_types = ["B"]
        assert list(policy._to_native().non_retryable_error_types) == ["B"]

    def test_native_round_trip(self) -> None:
        policy = RetryPolicy(maximum_interval=timedelta(seconds=5), non_retryable_error_types=["A"])
        assert RetryPolicy._from_native(policy._to_native()) == policy

    def test_message_round_trip(self) -> None:
        policy = RetryPolicy(maximum_interval=timedelta(seconds=5), maximum_attempts=2, non_retryable_error_types=["A"])
        message = RetryPolicyMessage()
        policy.apply_to_proto(message)
        assert RetryPolicy.from_proto(message) == policy

    def test_message_of_the_default_policy(self) -> None:
        message = RetryPolicyMessage()
        RetryPolicy().apply_to_proto(message)
        # What the official SDK writes.
        assert message.SerializeToString() == bytes.fromhex("0a020801110000000000000040" + "1a020864")

    def test_empty_message(self) -> None:
        policy = RetryPolicy.from_proto(RetryPolicyMessage())
        assert policy == RetryPolicy(initial_interval=timedelta(0), backoff_coefficient=0.0)

    def test_pickle_after_use(self) -> None:
        policy = RetryPolicy(maximum_attempts=3)
        policy._to_native()
        assert pickle.loads(pickle.dumps(policy)) == policy

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"initial_interval": timedelta(seconds=-1)}, "Initial interval cannot be negative"),
            ({"backoff_coefficient": 0.5}, "Backoff coefficient cannot be less than 1"),
            ({"maximum_interval": timedelta(seconds=-1)}, "Maximum interval cannot be negative"),
            ({"maximum_interval": timedelta(seconds=0.5)}, "Maximum interval cannot be less than initial interval"),
            ({"maximum_attempts": -1}, "Maximum attempts cannot be negative"),
        ],
    )
    def test_refused(self, options: dict[str, Any], problem: str) -> None:
        policy = RetryPolicy(**options)
        with pytest.raises(ValueError, match=problem):
            policy._to_native()
        with pytest.raises(ValueError, match=problem):
            policy.apply_to_proto(RetryPolicyMessage())

    def test_a_single_attempt_needs_no_valid_intervals(self) -> None:
        assert RetryPolicy(maximum_attempts=1, backoff_coefficient=0.1)._to_native().maximum_attempts == 1


class TestPriority:
    def test_native_round_trip(self) -> None:
        for priority in (Priority.default, Priority(2, "tenant", 1.5)):
            assert Priority._from_wire(priority._to_native()) == priority

    @pytest.mark.parametrize("key", [0, -1])
    def test_key_must_be_positive(self, key: int) -> None:
        with pytest.raises(ValueError, match="priority_key must be a positive integer"):
            Priority(key)

    def test_key_must_be_an_integer(self) -> None:
        with pytest.raises(TypeError, match="priority_key must be an integer, got str"):
            Priority("high")  # type: ignore[arg-type]

    def test_frozen(self) -> None:
        with pytest.raises(FrozenInstanceError):
            Priority.default.priority_key = 1  # type: ignore[misc]


class TestVersions:
    def test_canonical_string_ends_the_name_at_the_first_dot(self) -> None:
        version = WorkerDeploymentVersion.from_canonical_string("orders.v1.2")
        assert version == WorkerDeploymentVersion("orders", "v1.2")
        assert version.to_canonical_string() == "orders.v1.2"

    def test_canonical_string_without_a_dot(self) -> None:
        with pytest.raises(ValueError, match=r"'orders' is not a version: .* <deployment_name>\.<build_id>"):
            WorkerDeploymentVersion.from_canonical_string("orders")

    def test_overrides_are_values(self) -> None:
        version = WorkerDeploymentVersion("orders", "1")
        overrides: list[VersioningOverride] = [
            PinnedVersioningOverride(version),
            OneTimeVersioningOverride(target_version=version),
            AutoUpgradeVersioningOverride(),
        ]
        assert overrides == [
            PinnedVersioningOverride(version=version),
            OneTimeVersioningOverride(version),
            AutoUpgradeVersioningOverride(),
        ]
        assert len(set(overrides)) == 3


class TestSearchAttributes:
    count = SearchAttributeKey.for_int("Count")
    tags = SearchAttributeKey.for_keyword_list("Tags")

    @pytest.mark.parametrize(
        ("key", "indexed_type", "value_type"),
        [
            (SearchAttributeKey.for_text("a"), SearchAttributeIndexedValueType.TEXT, str),
            (SearchAttributeKey.for_keyword("a"), SearchAttributeIndexedValueType.KEYWORD, str),
            (SearchAttributeKey.for_int("a"), SearchAttributeIndexedValueType.INT, int),
            (SearchAttributeKey.for_float("a"), SearchAttributeIndexedValueType.DOUBLE, float),
            (SearchAttributeKey.for_bool("a"), SearchAttributeIndexedValueType.BOOL, bool),
            (SearchAttributeKey.for_datetime("a"), SearchAttributeIndexedValueType.DATETIME, datetime),
        ],
    )
    def test_keys(self, key: SearchAttributeKey[Any], indexed_type: object, value_type: type) -> None:
        assert key.name == "a"
        assert key.indexed_value_type is indexed_type
        assert key.value_type is key.origin_value_type is value_type

    def test_keyword_list_has_an_origin_fit_for_isinstance(self) -> None:
        assert isinstance(["a"], self.tags.origin_value_type)

    def test_keys_are_equal_by_name_and_type(self) -> None:
        assert self.count == SearchAttributeKey.for_int("Count")
        assert self.count != SearchAttributeKey.for_float("Count")
        assert repr(self.count) == "SearchAttributeKey('Count', INT)"

    def test_updates(self) -> None:
        update = self.count.value_set(3)
        assert (update.key, update.value) == (self.count, 3)
        assert self.count.value_unset().value is None

    def test_collection(self) -> None:
        attributes = TypedSearchAttributes([SearchAttributePair(self.tags, ["a"]), SearchAttributePair(self.count, 3)])
        assert len(attributes) == 2
        assert attributes[self.count] == 3
        assert [pair.key.name for pair in attributes] == ["Count", "Tags"]
        of_another_type: Any = SearchAttributeKey.for_text("Tags")
        key: Any = self.tags
        name: Any = "Tags"
        assert key in attributes
        assert of_another_type not in attributes
        assert name not in attributes
        assert attributes.get(SearchAttributeKey.for_bool("Missing")) is None
        assert attributes.get(SearchAttributeKey.for_bool("Missing"), "default") == "default"
        with pytest.raises(KeyError, match="Missing"):
            attributes[SearchAttributeKey.for_bool("Missing")]

    def test_order_does_not_matter(self) -> None:
        pairs = [SearchAttributePair[Any](self.tags, ["a"]), SearchAttributePair[Any](self.count, 3)]
        assert TypedSearchAttributes(pairs) == TypedSearchAttributes(pairs[::-1])

    def test_a_name_occurs_once(self) -> None:
        text = SearchAttributeKey.for_text("Count")
        pairs: list[Any] = [SearchAttributePair(self.count, 3), SearchAttributePair(text, "3")]
        with pytest.raises(ValueError, match="Duplicate search attribute entries found for key Count"):
            TypedSearchAttributes(pairs)

    def test_updated_replaces_by_name(self) -> None:
        attributes = TypedSearchAttributes([SearchAttributePair(self.count, 3)])
        started = SearchAttributeKey.for_datetime("Started")
        now = datetime(2024, 1, 1, tzinfo=timezone.utc)
        updated = attributes.updated(SearchAttributePair(self.count, 4), SearchAttributePair(started, now))
        assert updated == TypedSearchAttributes([SearchAttributePair(self.count, 4), SearchAttributePair(started, now)])
        assert attributes[self.count] == 3
        assert not TypedSearchAttributes.empty


class TestNoopMeter:
    def test_metrics_take_values_and_keep_their_names(self) -> None:
        meter = MetricMeter.noop.with_additional_attributes({"a": 1})
        meter.create_counter("c").add(1, {"b": "x"})
        meter.create_histogram("h").record(1)
        meter.create_histogram_float("h").record(1.5)
        meter.create_histogram_timedelta("h").record(timedelta(seconds=1))
        meter.create_gauge("g").set(1)
        meter.create_gauge_float("g").set(1.5)
        counter = meter.create_counter("name", "description", "unit")
        assert (counter.name, counter.description, counter.unit) == ("name", "description", "unit")
        assert counter.with_additional_attributes({"a": True}).name == "name"
