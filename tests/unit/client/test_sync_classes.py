"""The blocking classes: each async class has one, with all its members, and type checkers see the same."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import invincible.client
import invincible.service
from invincible.client import (
    Client,
    SyncClient,
    SyncScheduleHandle,
    SyncServiceClient,
    SyncWithStartWorkflowOperation,
    SyncWorkflowExecutionDescription,
    SyncWorkflowHandle,
    WithStartWorkflowOperation,
    WorkflowHandle,
)
from invincible.client._sync import classes
from invincible.client._sync.rules import Facts, chosen, sync_doc, sync_name
from invincible.common import WorkflowIDConflictPolicy
from invincible.service import ConnectConfig, ServiceClient

ROOT = Path(__file__).parents[3]
SPECIAL = {"__anext__": "__next__", "__aiter__": "__iter__"}
# Programs write classes derived from these; the client calls them on its event loop.
WRITTEN_BY_PROGRAMS = {"Interceptor", "OutboundInterceptor", "Plugin"}


def async_members(cls: type) -> set[str]:
    return {
        name
        for name, member in inspect.getmembers(cls)
        if (not name.startswith("_") or name in SPECIAL)
        and (inspect.iscoroutinefunction(member) or inspect.isasyncgenfunction(member) or name in SPECIAL)
    }


def public_async_classes() -> Iterator[type]:
    for module in (invincible.client, invincible.service):
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, type) and name not in WRITTEN_BY_PROGRAMS and async_members(value):
                yield value


ASYNC_CLASSES = sorted(set(public_async_classes()), key=lambda cls: cls.__name__)
MADE = [getattr(invincible.client, name) for name in classes.__all__]


def test_the_async_classes_are_found() -> None:
    assert {Client, WorkflowHandle, ServiceClient, invincible.service.WorkflowService} <= set(ASYNC_CLASSES)
    assert len(ASYNC_CLASSES) > 20


@pytest.mark.parametrize("cls", ASYNC_CLASSES, ids=lambda cls: cls.__name__)
def test_every_async_class_has_a_blocking_one_with_all_its_members(cls: type) -> None:
    made = getattr(invincible.client, sync_name(cls.__name__))
    public = {SPECIAL.get(name, name) for name in dir(cls) if not name.startswith("_") or name in SPECIAL}
    assert public - set(dir(made)) == set()
    assert async_members(made) == set()


@pytest.mark.parametrize("made", MADE, ids=lambda made: made.__name__)
def test_members_have_the_signatures_and_the_docs_of_the_async_ones(made: Any) -> None:
    for name in async_members(made._async_class) - SPECIAL.keys():
        function, original = getattr(made, name), getattr(made._async_class, name)
        assert inspect.signature(function) == inspect.signature(original)
        assert function.__name__ == name
        assert function.__qualname__.endswith(f".{name}")
        assert bool(function.__doc__) == bool(original.__doc__)
    members = [member for name, member in inspect.getmembers(made) if not name.startswith("_")]
    for text in (made.__doc__, *(member.__doc__ for member in members)):
        assert "await " not in (text or "")
        assert "async for" not in (text or "")


def test_blocking_classes_are_named_and_derived_as_the_async_ones() -> None:
    assert SyncWorkflowExecutionDescription.__mro__[1].__name__ == "SyncWorkflowExecution"
    assert SyncClient.__module__ == "invincible.client._sync.classes"
    assert SyncClient.start_workflow.__qualname__ == "SyncClient.start_workflow"
    assert "SyncWorkflowHandle[str, int]" in repr(SyncWorkflowHandle[str, int])
    assert "SyncClient" in (SyncClient.__doc__ or "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Client", "SyncClient"),
        ("ScheduleAsyncIterator", "SyncScheduleIterator"),
        ("AsyncActivityHandle", "SyncAsyncActivityHandle"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert sync_name(name) == expected


def test_docs_are_about_the_blocking_classes() -> None:
    doc = (
        "Asks :meth:`Client.start`: ``await Client.connect()``, ``async for x in y``, a ClientConfig, an async program."
    )
    assert sync_doc(doc, {"Client"}) == (
        "Asks :meth:`SyncClient.start`: ``SyncClient.connect()``, ``for x in y``, a ClientConfig, an async program."
    )


def test_what_leads_to_an_async_class_gets_a_blocking_one_too() -> None:
    def facts(*, bases: str = "", waits: bool = False, given: str = "", taken: str = "") -> Facts:
        return Facts(bases.split(), waits, given.split(), taken.split())

    known = {
        "Client": facts(bases="Mixin", taken="Request"),
        "Mixin": facts(given="Handle Plain"),
        "Handle": facts(waits=True),
        "Plain": facts(),
        "Request": facts(given="Handle"),
        "Unknown": facts(waits=True),
    }
    assert chosen(known) == ["Mixin", "Client", "Handle", "Request"]


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What makes the stub."""
    monkeypatch.syspath_prepend(ROOT / "protos")
    return importlib.import_module("sync_client")


def test_the_stub_is_that_of_these_sources(generator: ModuleType, tmp_path: Path) -> None:
    generator.generate(tmp_path / "classes.pyi")
    made = ast.parse((tmp_path / "classes.pyi").read_text())
    kept = ast.parse(generator.OUTPUT.read_text())
    assert ast.dump(made) == ast.dump(kept), "run `make messages`: the stub of the blocking client is out of date"


def test_the_blocking_classes_are_exported_by_name() -> None:
    assert [name for name in invincible.client.__all__ if name.startswith("Sync")] == classes.__all__


def test_the_stub_has_the_classes_and_members_that_there_are(generator: ModuleType) -> None:
    stub = {node.name: node for node in ast.parse(generator.OUTPUT.read_text()).body if isinstance(node, ast.ClassDef)}
    assert {name for name in stub if name in classes.__all__} == set(classes.__all__)
    for name, node in stub.items():
        declared = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
        there = {name for name in vars(getattr(classes, name)) if not name.startswith("_") or name in SPECIAL.values()}
        assert {name for name in declared if name != "__init__"} == there, name


def test_objects_are_made_like_the_async_ones() -> None:
    connection = ServiceClient(ConnectConfig("localhost:1", identity="me"))
    client = SyncClient(connection, namespace="there")
    assert (client.namespace, client.identity) == ("there", "me")
    assert isinstance(client.service_client, SyncServiceClient)
    assert client.service_client.config is connection.config

    other = SyncClient(client.service_client, namespace="elsewhere")
    assert other.service_client == client.service_client
    assert hash(other.service_client) == hash(client.service_client)
    assert other != client
    assert SyncClient(**client.config()).namespace == "there"

    handle = client.get_workflow_handle("id")
    assert isinstance(handle, SyncWorkflowHandle)
    assert repr(handle) == "<SyncWorkflowHandle id='id'>"
    assert isinstance(client.get_schedule_handle("id"), SyncScheduleHandle)
    assert SyncWorkflowHandle(client, "id", run_id="run").run_id == "run"


def test_properties_can_be_set_where_those_of_the_async_object_can() -> None:
    client = SyncClient(ServiceClient(ConnectConfig("localhost:1")))
    client.rpc_metadata = {"name": "value"}
    assert client.rpc_metadata == {"name": "value"}
    with pytest.raises(AttributeError):
        client.namespace = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="'SyncClient' object has no attribute 'nothing'"):
        _ = client.nothing  # type: ignore[attr-defined]


def test_an_operation_to_start_a_workflow_is_made_without_an_event_loop() -> None:
    made = SyncWithStartWorkflowOperation(
        "Order", "1", id="order-1", task_queue="orders", id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )
    assert isinstance(made._async, WithStartWorkflowOperation)
    with pytest.raises(TypeError, match="required keyword-only argument"):
        SyncWithStartWorkflowOperation("Order", id="1")  # type: ignore[call-overload]


def test_importing_the_client_makes_no_blocking_classes_and_loads_no_thread() -> None:
    code = (
        "import sys, threading, invincible.client;"
        "assert 'invincible.client._sync.classes' not in sys.modules;"
        "from invincible.client import SyncClient;"
        "assert threading.active_count() == 1;"
        "assert not [name for name in sys.modules if name.startswith(('google.protobuf', 'invincible.api'))]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_module_tells_of_the_blocking_classes_without_making_them() -> None:
    code = (
        "import sys, invincible.client;"
        "assert {'Client', 'SyncClient', 'SyncWorkflowService'} <= set(dir(invincible.client));"
        "assert 'invincible.client._sync.classes' not in sys.modules;"
        "from invincible.client import *;"
        "assert SyncClient is invincible.client.SyncClient and SyncWorkflowService"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_wrong_name_is_an_error() -> None:
    with pytest.raises(ImportError, match="cannot import name 'SyncNothing'"):
        from invincible.client import SyncNothing  # type: ignore[attr-defined]  # noqa: F401
    with pytest.raises(AttributeError, match=r"module 'invincible\.client' has no attribute 'nothing'"):
        _ = invincible.client.nothing  # type: ignore[attr-defined]
