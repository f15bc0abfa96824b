"""Decorators and registration: what is refused, and with which words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible._engine.reference import query_reference, signal_reference, update_reference, workflow_definition
from invincible.activity._definition import ActivityDefinition
from invincible.common import VersioningBehavior
from invincible.worker._activities import registered_activities
from invincible.worker._workflows import workflow_definitions


@activity.defn(start_to_close_timeout=timedelta(seconds=1))
def work(amount: int) -> int:
    return amount


@workflow.defn
class Order:
    @workflow.run
    async def run(self, number: int) -> str:
        return f"order {number}"

    @workflow.signal(name="pay-now")
    def pay(self, amount: int) -> None: ...

    @workflow.query
    def state(self) -> str:
        return "open"


@workflow.defn(name="order-function")
async def order(number: int) -> str:
    return f"order {number}"


@pytest.mark.parametrize("reference", [Order, Order.run])
def test_class_and_run_method_name_the_same_workflow(reference: Any) -> None:
    definition = workflow_definition(reference)
    assert definition.name == "Order"
    assert definition.signature.return_hint is str


def test_a_function_is_a_workflow_too() -> None:
    definition = workflow_definition(order)
    assert (definition.name, definition.workflow_class) == ("order-function", None)


@pytest.mark.parametrize("reference", [str, work, object(), 3])
def test_other_things_are_no_workflows(reference: Any) -> None:
    with pytest.raises(TypeError, match=r"is not a workflow: give a class or function decorated with @workflow.defn"):
        workflow_definition(reference)


def test_a_class_without_run_method_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"Empty is no valid workflow class: no method is decorated with @workflow.run"
    ):

        @workflow.defn
        class Empty:
            pass


def test_two_run_methods_are_refused() -> None:
    with pytest.raises(ValueError, match=r"more than one method is decorated with @workflow.run"):

        @workflow.defn
        class Twice:
            @workflow.run
            async def one(self) -> None: ...

            @workflow.run
            async def two(self) -> None: ...


def test_two_handlers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two signal handlers are named 'pay'"):

        @workflow.defn
        class Twice:
            @workflow.run
            async def run(self) -> None: ...

            @workflow.signal
            def pay(self) -> None: ...

            @workflow.signal(name="pay")
            def pay_again(self) -> None: ...


def test_an_override_without_its_decorator_is_refused() -> None:
    with pytest.raises(ValueError, match=r"state overrides a method decorated with @workflow.query"):

        @workflow.defn
        class Special(Order):
            @workflow.run
            async def run(self, number: int) -> str:
                return "special"

            def state(self) -> str:
                return "special"


def test_a_subclass_inherits_handlers() -> None:
    @workflow.defn
    class Special(Order):
        @workflow.run
        async def run(self, number: int) -> str:
            return await super().run(number)

    definition = workflow_definition(Special)
    assert definition.name == "Special"
    assert set(definition.signals) == {"pay-now"}
    assert workflow_definition(Order).name == "Order"
    assert workflow_definition(Order.run).name == "Order"


def test_an_inherited_run_method_is_refused_because_it_names_the_base_class() -> None:
    with pytest.raises(
        ValueError, match=r"Special is no valid workflow class: its run method is inherited: define one"
    ):

        @workflow.defn
        class Special(Order):
            pass

    assert workflow_definition(Order.run).name == "Order"


def test_init_must_have_the_parameters_of_run() -> None:
    with pytest.raises(
        ValueError, match=r"parameters of the @workflow.init method and of the @workflow.run method differ"
    ):

        @workflow.defn
        class Mismatch:
            @workflow.init
            def __init__(self, number: str) -> None: ...

            @workflow.run
            async def run(self, number: int) -> None: ...


def test_sync_workflows_and_async_queries_are_refused() -> None:
    with pytest.raises(TypeError, match=r"@workflow.run needs an async method"):

        @workflow.run  # type: ignore[arg-type]
        def run(self: Any) -> None: ...

    with pytest.raises(TypeError, match="a query handler cannot be async"):

        @workflow.query
        async def state(self: Any) -> None: ...

    with pytest.raises(TypeError, match="decorates classes and async functions"):

        @workflow.defn  # type: ignore[arg-type]
        def sync() -> None: ...


@pytest.mark.parametrize(
    "define",
    [
        lambda: workflow.defn(name="named", dynamic=True)(Order),
        lambda: activity.defn(name="named", dynamic=True),
        lambda: workflow.signal(name="named", dynamic=True)(Order.pay),
        lambda: workflow.query(name="named", dynamic=True)(Order.state),
        lambda: workflow.update(name="named", dynamic=True)(Order.pay),
    ],
)
def test_dynamic_and_named_exclude_each_other(define: Any) -> None:
    with pytest.raises(ValueError, match="either dynamic or has a name"):
        define()


def test_decorators_are_for_what_they_are_for() -> None:
    with pytest.raises(TypeError, match=r"@workflow.init decorates __init__, not .*setup"):

        @workflow.init
        def setup(self: Any) -> None: ...

    with pytest.raises(TypeError, match=r"@workflow.dynamic_config needs a method that is not async, and .*config is"):

        @workflow.dynamic_config  # type: ignore[arg-type]
        async def config(self: Any) -> None: ...

    with pytest.raises(TypeError, match=r"@workflow.run decorates methods of a class, and .*free is a function"):

        @workflow.run
        async def free(self: Any) -> None: ...

    @workflow.update
    def change(self: Any) -> None: ...

    with pytest.raises(TypeError, match=r"a validator cannot be async, because it may not wait: .*check"):

        @change.validator  # type: ignore[arg-type]
        async def check(self: Any) -> None: ...

    with pytest.raises(TypeError, match="decorates classes and async functions, got 3"):
        workflow.defn(3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"@activity.defn decorates functions, got int"):
        activity.defn(3)  # type: ignore[call-overload]


def test_a_versioning_behavior_is_no_text() -> None:
    behavior: Any = "pinned"
    words = "versioning_behavior must be a VersioningBehavior, got 'pinned'"
    with pytest.raises(TypeError, match=words):

        @workflow.defn(versioning_behavior=behavior)
        async def run() -> None: ...

    with pytest.raises(TypeError, match=words):
        workflow.DynamicWorkflowConfig(versioning_behavior=behavior)


def test_a_dynamic_config_is_for_one_dynamic_workflow() -> None:
    with pytest.raises(
        ValueError, match=r"@workflow.dynamic_config is for dynamic workflows: decorate with @workflow.def"
    ):

        @workflow.defn
        class Named:
            @workflow.run
            async def run(self) -> None: ...

            @workflow.dynamic_config
            def config(self) -> workflow.DynamicWorkflowConfig:
                return workflow.DynamicWorkflowConfig()

    with pytest.raises(ValueError, match=r"more than one method is decorated with @workflow.dynamic_config"):

        @workflow.defn(dynamic=True)
        class Twice:
            @workflow.run
            async def run(self, args: Any) -> None: ...

            @workflow.dynamic_config
            def one(self) -> workflow.DynamicWorkflowConfig:
                return workflow.DynamicWorkflowConfig()

            @workflow.dynamic_config
            def two(self) -> workflow.DynamicWorkflowConfig:
                return workflow.DynamicWorkflowConfig()


@pytest.mark.parametrize("decorator", ["run", "signal", "query", "update"])
def test_an_override_of_any_kind_needs_its_decorator(decorator: str) -> None:
    class Base:
        if decorator == "run":

            @workflow.run
            async def method(self) -> None: ...

        else:
            method = getattr(workflow, decorator)(lambda self: None)

            @workflow.run
            async def run(self) -> None: ...

    class Special(Base):
        def method(self) -> None: ...  # type: ignore[override]

    with pytest.raises(
        ValueError, match=rf"method overrides a method decorated with @workflow.{decorator}: decorate it"
    ):
        workflow.defn(Special)


def test_all_problems_of_a_class_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"no method is decorated.*; two query handlers are named 'state'"):

        @workflow.defn
        class Wrong:
            @workflow.query
            def state(self) -> None: ...

            @workflow.query(name="state")
            def other(self) -> None: ...


def test_definitions_keep_their_options() -> None:
    @workflow.defn(
        name="chosen",
        sandboxed=False,
        failure_exception_types=[KeyError],
        versioning_behavior=VersioningBehavior.PINNED,
        deadlock_timeout=timedelta(seconds=3),
    )
    async def function() -> None: ...

    definition = workflow_definition(function)
    assert (definition.name, definition.sandboxed, definition.deadlock_timeout) == ("chosen", False, 3.0)
    assert definition.failure_exception_types == (KeyError,)
    assert definition.versioning_behavior is VersioningBehavior.PINNED
    with pytest.raises(ValueError, match="deadlock_timeout must not be negative"):
        workflow.defn(deadlock_timeout=timedelta(seconds=-1))(function)


def test_handlers_keep_their_options() -> None:
    abandon = workflow.HandlerUnfinishedPolicy.ABANDON

    @workflow.defn
    class Handling:
        @workflow.run
        async def run(self) -> None: ...

        @workflow.signal(name="a", unfinished_policy=abandon, description="signal")
        def one(self) -> None: ...

        @workflow.update(name="b", unfinished_policy=abandon, description="update")
        def two(self) -> None: ...

        @two.validator
        def check(self) -> None: ...

        @workflow.query(name="c", description="query")
        def three(self) -> None: ...

    definition = workflow_definition(Handling)
    signal, update, query = definition.signals["a"], definition.updates["b"], definition.queries["c"]
    assert (signal.unfinished_policy, signal.description) == (abandon, "signal")
    assert (update.unfinished_policy, update.description, update.validator) == (abandon, "update", Handling.check)
    assert query.description == "query"
    assert set(definition.functions) == {Handling.run, Handling.one, Handling.two, Handling.check, Handling.three}
    assert update_reference(Handling.two).name == "b"
    with pytest.raises(TypeError, match=r"Handling.one is not an update"):
        update_reference(Handling.one)


def test_handlers_are_bound_by_their_own_signatures() -> None:
    assert signal_reference(Order.pay).bind(5, ()) == [5]
    assert list(signal_reference("anything").bind(5, ())) == [5]
    with pytest.raises(ValueError, match="give either arg or args, not both"):
        signal_reference("anything").bind(5, [6])


def test_handlers_are_named_by_their_methods() -> None:
    assert signal_reference(Order.pay).name == "pay-now"
    assert query_reference(Order.state).name == "state"
    assert signal_reference("anything").name == "anything"
    with pytest.raises(TypeError, match=r"Order.state is not a signal"):
        signal_reference(Order.state)


def test_two_workflows_of_one_name_cannot_share_a_worker() -> None:
    @workflow.defn(name="Order")
    async def impostor() -> None: ...

    with pytest.raises(ValueError, match=r"two workflows are named 'Order': .*test_definitions.Order and .*impostor"):
        workflow_definitions([Order, impostor])


def test_two_activities_of_one_name_cannot_share_a_worker() -> None:
    @activity.defn(name="work")
    def other() -> None: ...

    with pytest.raises(ValueError, match="two activities are named 'work'"):
        registered_activities([work, other])


def test_what_is_no_activity_is_refused() -> None:
    with pytest.raises(TypeError, match="print is not an activity: decorate it"):
        registered_activities([print])


class Shop:
    @activity.defn(start_to_close_timeout=timedelta(seconds=1))
    async def ship(self, item: str) -> str:
        return item


def test_methods_are_registered_bound() -> None:
    with pytest.raises(TypeError, match=r"Shop.ship is a method: register it bound"):
        registered_activities([Shop.ship])
    assert set(registered_activities([Shop().ship])) == {"ship"}


def test_a_method_takes_its_arguments_without_self() -> None:
    definition = ActivityDefinition.of(Shop.ship)
    assert definition is not None
    assert definition.signature.bind(["book"], {}) == ["book"]


def test_negative_timeouts_are_refused() -> None:
    with pytest.raises(ValueError, match="start_to_close_timeout must not be negative"):
        activity.defn(start_to_close_timeout=timedelta(seconds=-1))


def without_parameters() -> None: ...


def with_two(values: Any, more: Any) -> None: ...


@pytest.mark.parametrize("function", [without_parameters, with_two])
def test_dynamic_activities_take_one_argument(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"dynamic activity '.*' must take one argument, a Sequence\[RawValue\]"):
        activity.defn(dynamic=True)(function)


class Dynamic:
    @activity.defn(dynamic=True)
    def anything(self, values: Any, *more: Any) -> None: ...


def test_dynamic_activities_may_be_methods() -> None:
    assert set(registered_activities([Dynamic().anything])) == {None}


async def generates() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (generates, "activity 'generates' is an async generator, which has no result"),
        (staticmethod(without_parameters), "put @staticmethod above @activity.defn"),
        (classmethod(with_two), "put @classmethod above @activity.defn"),
        (Dynamic().anything, "Dynamic.anything cannot be decorated"),
        (len, "len cannot be decorated"),
        (5, "decorates functions, got int"),
    ],
)
def test_what_cannot_be_an_activity_is_told_at_once(function: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        activity.defn(function)


def test_the_name_of_an_activity_is_a_str() -> None:
    with pytest.raises(TypeError, match="name of an activity must be a str, got int"):
        activity.defn(name=5)  # type: ignore[call-overload]


def test_durations_are_timedeltas_or_numbers() -> None:
    for wrong in (True, "10 s"):
        with pytest.raises(TypeError, match="start_to_close_timeout must be a timedelta or a number of seconds"):
            activity.defn(start_to_close_timeout=wrong)  # type: ignore[call-overload]


def test_annotations_may_refer_to_later_definitions() -> None:
    @activity.defn(start_to_close_timeout=timedelta(seconds=1))
    def pack(item: Later) -> None: ...

    definition = ActivityDefinition.of(pack)
    assert definition is not None
    assert definition.signature.parameters[0].hint is Later


class Later:
    pass
