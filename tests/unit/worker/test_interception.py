"""What the interceptors of a worker come to when it is made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from invincible import client, worker
from invincible.worker._interception import interception_of


class Inbound(worker.WorkflowInboundInterceptor): ...


class OfActivities(worker.Interceptor):
    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:
        return worker.ActivityInboundInterceptor(next)


class OfWorkflows(worker.Interceptor):
    def workflow_interceptor_class(self, input: worker.WorkflowInterceptorClassInput) -> type[Inbound]:
        input.unsafe_extern_functions[f"function {len(input.unsafe_extern_functions)}"] = len
        return Inbound


class OfNexus(worker.Interceptor):
    def intercept_nexus_operation(
        self, next: worker.NexusOperationInboundInterceptor
    ) -> worker.NexusOperationInboundInterceptor:
        return next


class OfBoth(OfActivities, client.Interceptor): ...


def test_each_call_passes_only_what_intercepts_its_kind() -> None:
    activities, workflows, nexus = OfActivities(), OfWorkflows(), OfNexus()
    made = interception_of((), [worker.Interceptor(), activities, workflows, nexus])
    assert (made.activities, made.workflows, made.nexus) == ((activities,), (Inbound,), (nexus,))
    nothing = interception_of((), [worker.Interceptor()])
    assert (nothing.activities, nothing.workflows, nothing.nexus) == ((), (), ())


def test_those_of_the_client_come_first() -> None:
    shared, own = OfBoth(), OfActivities()
    assert interception_of([client.Interceptor(), shared], [own]).activities == (shared, own)


def test_all_share_the_functions_for_workflow_code() -> None:
    made = interception_of((), [OfWorkflows(), OfWorkflows()])
    assert (list(made.extern_functions), made.workflows) == (["function 0", "function 1"], (Inbound, Inbound))


def test_a_method_set_on_the_object_counts() -> None:
    interceptor = worker.Interceptor()
    interceptor.intercept_activity = lambda next: next  # type: ignore[method-assign]
    assert interception_of((), [interceptor]).activities == (interceptor,)


def refused(make: Callable[[], Any]) -> str:
    with pytest.raises((TypeError, ValueError)) as error:
        make()
    return str(error.value)


def test_what_cannot_be_used_is_named() -> None:
    class Wrong(worker.Interceptor):
        def workflow_interceptor_class(self, input: worker.WorkflowInterceptorClassInput) -> Any:
            return 3

    shared = OfBoth()
    assert "subclasses of invincible.worker.Interceptor, got 3" in refused(lambda: interception_of((), [3]))
    assert "got <invincible.client._interceptor.Interceptor" in refused(
        lambda: interception_of((), [client.Interceptor()])
    )
    assert "Wrong must return a subclass of invincible.worker.WorkflowInboundInterceptor or None, got 3" in refused(
        lambda: interception_of((), [Wrong()])
    )
    assert "do not give it again" in refused(lambda: interception_of([shared], [shared]))


def test_programs_without_interceptors_do_not_load_them() -> None:
    code = "import sys, invincible.worker; assert not [name for name in sys.modules if 'worker._interce' in name]"
    code += "; assert 'invincible.workflow._interception' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
