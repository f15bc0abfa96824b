"""The pytest plugin, by test suites that use it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from invincible.testing._server import server_binary
from invincible.testing.pytest_plugin import SessionServer
from tests.support.conditions import eventually

pytest_plugins = ["pytester"]

WORKFLOWS = """
import itertools
from datetime import timedelta

from invincible import activity, workflow

starts = itertools.count()


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def greet(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await greet.execute(name)


@workflow.defn
class Parcel:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@workflow.defn
class Subscription:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(days=90))
        return "renewed"


@workflow.defn
class Fickle:
    '''Does something else each time its code runs.'''

    @workflow.run
    async def run(self) -> str:
        if next(starts) % 2:
            await workflow.sleep(0.01)
        else:
            await greet.execute("Ada")
        return "done"


@workflow.defn
class Broken:
    @workflow.run
    async def run(self) -> int:
        await greet.execute("Ada")
        return 1 // 0
"""
SETTINGS = """
[pytest]
asyncio_mode = {mode}
asyncio_default_fixture_loop_scope = function
filterwarnings = error
addopts = --strict-markers -p no:cacheprovider
timeout = 60
"""
LITERAL_IDS = """
import pytest
from flows import *

@pytest.mark.parametrize("number", range(8))
async def test_order(client, worker, number):
    async with worker(Greeting, greet):
        greeting = await client.execute_workflow(
            Greeting.run, "Ada", id="order-1", task_queue=worker.task_queue,
        )
    assert greeting == "Hello, Ada"
    found = [each.id async for each in client.list_workflows()]
    assert found in ([], ["order-1"])
"""


def served(address: str) -> bool:
    """Whether somebody listens there."""
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder of tests with the workflows in `flows`."""
    pytester.makepyfile(flows=WORKFLOWS)
    pytester.makeini(SETTINGS.format(mode="auto"))
    return pytester


@pytest.fixture
def here(invincible_server: SessionServer) -> str:
    """The option to use the server of these tests: each suite would start its own."""
    return f"--invincible-address={invincible_server.address}"


def test_workflows_of_parallel_tests_may_have_one_id(suite: pytest.Pytester, here: str) -> None:
    suite.makepyfile(LITERAL_IDS)
    suite.runpytest_subprocess("-n2", here).assert_outcomes(passed=8)


def test_all_processes_share_a_server_that_ends_with_them(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import os
        from pathlib import Path
        import pytest

        @pytest.mark.parametrize("number", range(2))
        def test_address(env, invincible_server, number):
            Path(f"{os.getpid()}.address").write_text(invincible_server.address)
        """
    )
    suite.runpytest_subprocess("-n2", "--dist=each").assert_outcomes(passed=4)
    first, second = (path.read_text() for path in suite.path.glob("*.address"))
    assert first == second
    assert not served(first)


@pytest.fixture
def hanging(suite: pytest.Pytester) -> Iterator[subprocess.Popen[bytes]]:
    """A session of two processes whose only test never ends. It writes the server's address to `address`."""
    suite.makepyfile(
        """
        import threading
        from pathlib import Path

        def test_hangs(env, invincible_server):
            Path("address.new").write_text(invincible_server.address)
            Path("address.new").rename("address")
            threading.Event().wait()
        """
    )
    session = subprocess.Popen([sys.executable, "-m", "pytest", "-n1"], cwd=suite.path, stdout=subprocess.DEVNULL)
    yield session
    session.kill()
    session.wait()


async def test_a_killed_session_leaves_no_server(suite: pytest.Pytester, hanging: subprocess.Popen[bytes]) -> None:
    address = suite.path / "address"

    async def begun() -> bool:
        return address.exists()

    async def ended() -> bool:
        return not served(address.read_text())

    await eventually(begun, what="the test uses the server")
    assert served(address.read_text())
    hanging.kill()
    await eventually(ended, what="the server ends")


def test_one_server_for_a_session_of_one_process(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest

        seen = set()

        @pytest.mark.parametrize("number", range(3))
        async def test_address(env, invincible_server, invincible_servers, number):
            seen.add(invincible_server.address)
            assert len(seen) == 1
            assert invincible_servers.start() is not None
            assert invincible_servers.start().address == invincible_server.address
            assert await env.client.service_client.check_health()
        """
    )
    suite.runpytest_subprocess().assert_outcomes(passed=3)


def test_loops_of_all_kinds(suite: pytest.Pytester, here: str) -> None:
    suite.makeini(SETTINGS.format(mode="strict"))
    suite.makepyfile(
        """
        import pytest
        from flows import *

        async def greeted(client, worker):
            async with worker(Greeting, greet):
                return await client.execute_workflow(
                    Greeting.run, "Ada", id="greeting", task_queue=worker.task_queue
                ) == "Hello, Ada"

        @pytest.mark.asyncio
        async def test_function_loop(client, worker):
            assert await greeted(client, worker)

        @pytest.mark.asyncio(loop_scope="module")
        class TestModuleLoop:
            async def test_one(self, client, worker):
                assert await greeted(client, worker)

            async def test_another(self, client, worker):
                assert await greeted(client, worker)

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_anyio(client, worker):
            assert await greeted(client, worker)

        def test_without_a_loop(sync_client, worker):
            with worker(Greeting, greet):
                assert sync_client.execute_workflow(
                    Greeting.run, "Ada", id="greeting", task_queue=worker.task_queue
                ) == "Hello, Ada"

        @pytest.mark.asyncio
        async def test_a_blocking_call_would_stop_its_worker(sync_client, worker):
            async with worker(Greeting, greet):
                with pytest.raises(RuntimeError, match="use `await client"):
                    sync_client.execute_workflow(Greeting.run, "Ada", id="greeting", task_queue=worker.task_queue)

        @pytest.mark.asyncio
        async def test_asked_for_inside_of_a_loop(request):
            assert await greeted(request.getfixturevalue("client"), request.getfixturevalue("worker"))
        """
    )
    suite.runpytest_subprocess(here).assert_outcomes(passed=7)


def test_fixtures_of_wider_scopes_build_upon_the_server(suite: pytest.Pytester, here: str) -> None:
    suite.makepyfile(
        """
        import pytest, pytest_asyncio
        from invincible.client import Client
        from invincible.testing import WorkerFactory
        from flows import *

        pytestmark = pytest.mark.asyncio(loop_scope="module")

        @pytest_asyncio.fixture(scope="module", loop_scope="module")
        async def client(invincible_server):
            return await Client.connect(invincible_server.address)

        @pytest_asyncio.fixture(scope="module", loop_scope="module")
        async def greetings(client):
            async with WorkerFactory(client, "greetings-of-the-module")(Greeting, greet) as worker:
                yield worker.task_queue

        @pytest.mark.parametrize("name", ["Ada", "Grace"])
        async def test_greeting(client, greetings, name):
            assert await client.execute_workflow(
                Greeting.run, name, id=f"plugin-test-greeting-{name}", task_queue=greetings
            ) == f"Hello, {name}"
        """
    )
    suite.runpytest_subprocess(here).assert_outcomes(passed=2)


def test_fixtures_of_users_go_first(suite: pytest.Pytester, here: str) -> None:
    suite.makeconftest(
        """
        import pytest
        from invincible.client import Client

        @pytest.fixture
        async def client(invincible_server, invincible_namespace):
            return await Client.connect(
                invincible_server.address, namespace=invincible_namespace, identity="of the user"
            )
        """
    )
    suite.makepyfile(
        """
        import pytest
        from invincible.client import WorkflowTaskFailedError
        from flows import *

        async def test_client(client, worker):
            assert client.identity == "of the user"
            assert worker.client is client

        async def test_it_belongs_to_the_environment(client, worker):
            async with worker(Broken, greet):
                with pytest.raises(WorkflowTaskFailedError):
                    await client.execute_workflow(Broken.run, id="broken", task_queue=worker.task_queue)
            assert worker(Greeting).config(active_config=True)["max_cached_workflows"] == 0

        @pytest.mark.time_skipping
        async def test_it_skips_time(client, worker):
            async with worker(Subscription):
                result = await client.execute_workflow(
                    Subscription.run, id="subscription", task_queue=worker.task_queue
                )
            assert result == "renewed"
        """
    )
    suite.runpytest_subprocess(here, "--invincible-always-replay").assert_outcomes(passed=3)


def test_fixtures_of_other_plugins_go_first(suite: pytest.Pytester, here: str) -> None:
    suite.makepyfile(
        other_plugin="""
        import pytest

        @pytest.fixture
        def client():
            return "of the other plugin"
        """
    )
    suite.makepyfile(
        """
        from invincible.client import Client

        def test_client(client, env, worker):
            assert client == "of the other plugin"
            assert isinstance(env.client, Client)
            assert worker.client is env.client
        """
    )
    suite.runpytest_subprocess(here, "-p", "other_plugin").assert_outcomes(passed=1)


def test_options_of_client_worker_and_namespace(suite: pytest.Pytester, here: str) -> None:
    suite.makeconftest(
        """
        import pytest
        from invincible.common import SearchAttributeKey

        @pytest.fixture(scope="session")
        def invincible_search_attributes():
            return [SearchAttributeKey.for_keyword("PluginArea")]

        @pytest.fixture
        def invincible_client_options():
            return {"identity": "of the options"}

        @pytest.fixture
        def invincible_worker_options():
            return {"max_cached_workflows": 7}
        """
    )
    suite.makepyfile(
        """
        from invincible.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
        from flows import *

        async def test_options(client, worker):
            assert client.identity == "of the options"
            assert worker(Greeting).config()["max_cached_workflows"] == 7
            area = SearchAttributePair(SearchAttributeKey.for_keyword("PluginArea"), "north")
            await client.start_workflow(
                Parcel.run, id="parcel", task_queue="nobody", search_attributes=TypedSearchAttributes([area])
            )
        """
    )
    suite.runpytest_subprocess(here).assert_outcomes(passed=1)


def test_a_failed_test_shows_what_happened(suite: pytest.Pytester, here: str) -> None:
    suite.makepyfile(
        """
        from flows import *

        async def test_broken(client, worker):
            async with worker(Broken, greet):
                await client.execute_workflow(Broken.run, id="order-1", task_queue=worker.task_queue)

        async def test_no_block(client, worker):
            worker(Greeting, greet)
            assert False
        """
    )
    result = suite.runpytest_subprocess(here)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*return 1 // 0",
            "*WorkflowTaskFailedError: workflow 'order-1'*",
            "*- invincible: workflows of the test -*",
            "order-1  Broken*",
            "*activity greet(?Ada?)*Hello, Ada*",
            "*ZeroDivisionError*",
            "*- invincible: workers -*",
            "a worker was made and never run: write `async with worker(...):`*",
        ]
    )
    result.stdout.no_fnmatch_line("*left behind*")


def test_the_log_of_the_server_is_shown(suite: pytest.Pytester) -> None:
    suite.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def invincible_server_options():
            return ["--log-level", "debug"]
        """
    )
    suite.makepyfile(
        """
        from flows import *

        async def test_fails(client, worker):
            async with worker(Greeting, greet):
                await client.execute_workflow(Greeting.run, "Ada", id="order-1", task_queue=worker.task_queue)
            assert False
        """
    )
    for processes in ("-n0", "-n1"):
        result = suite.runpytest_subprocess(processes)
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*- invincible: log of the server -*", "*  debug  *"])


def test_what_is_left_open_is_ended_and_told(suite: pytest.Pytester, here: str) -> None:
    suite.makepyfile(
        """
        from datetime import timedelta
        from invincible.client import (
            Client, Schedule, ScheduleActionStartWorkflow, ScheduleIntervalSpec, ScheduleSpec, WorkflowExecutionStatus
        )
        from flows import *

        left = []

        async def test_leaves(client, worker):
            async with worker(Parcel):
                left.append(client)
                await client.start_workflow(Parcel.run, id="parcel", task_queue=worker.task_queue)
                await client.create_schedule("nightly", Schedule(
                    action=ScheduleActionStartWorkflow(Parcel.run, id="nightly", task_queue=worker.task_queue),
                    spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1))]),
                ))
                while not [each async for each in client.list_workflows()]: pass
                while not [each async for each in await client.list_schedules()]: pass

        async def test_after():
            status = (await left[0].get_workflow_handle("parcel").describe()).status
            assert status == WorkflowExecutionStatus.TERMINATED
        """
    )
    result = suite.runpytest_subprocess(here, "-n1")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*- invincible: left behind by tests -*",
            "*::test_leaves: 1 schedule left, now deleted: nightly",
            "*::test_leaves: 1 workflow left open, now terminated: parcel (Parcel)",
        ]
    )


def test_a_server_that_is_gone_does_not_fail_a_test_that_has_passed(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        def test_passes(env, invincible_servers):
            invincible_servers.close()
        """
    )
    result = suite.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*::test_passes: its namespace could not be cleaned up: *"])


def test_a_worker_in_a_thread_that_is_left_running_is_ended(suite: pytest.Pytester, here: str) -> None:
    suite.makepyfile(
        """
        import threading
        from flows import *

        def test_leaves(worker):
            worker(Greeting, greet).__enter__()

        def test_after():
            names = {thread.name for thread in threading.enumerate()}
            assert not {name for name in names if "worker" in name}
        """
    )
    result = suite.runpytest_subprocess(here)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::test_leaves: a worker still ran: write `async with worker(...):`*"])


def test_time_is_skipped_where_asked_for(suite: pytest.Pytester, here: str) -> None:
    suite.makepyfile(
        """
        import pytest
        from flows import *

        @pytest.mark.time_skipping
        async def test_marked(env, client, worker):
            assert env.supports_time_skipping
            async with worker(Subscription):
                assert await client.execute_workflow(
                    Subscription.run, id="subscription", task_queue=worker.task_queue
                ) == "renewed"

        async def test_unmarked(env, pytestconfig):
            assert env.supports_time_skipping == pytestconfig.getoption("invincible_time_skipping")

        @pytest.mark.time_skipping(False)
        async def test_never(env):
            assert not env.supports_time_skipping
        """
    )
    suite.runpytest_subprocess(here).assert_outcomes(passed=3)
    suite.runpytest_subprocess(here, "--invincible-time-skipping").assert_outcomes(passed=3)


def test_a_wrong_marker_is_refused(suite: pytest.Pytester, here: str) -> None:
    suite.makepyfile(
        """
        import pytest

        @pytest.mark.time_skipping("yes", speed=2)
        async def test_marked(env): ...
        """
    )
    result = suite.runpytest_subprocess(here)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the marker time_skipping takes True or False, or nothing: got 'yes', speed=2"])


def test_a_failed_test_shows_how_long_a_workflow_has_been_waiting(suite: pytest.Pytester, here: str) -> None:
    suite.makepyfile(
        """
        import pytest
        from datetime import timedelta
        from flows import *

        @pytest.mark.time_skipping
        async def test_open(env, client, worker):
            async with worker(Parcel):
                await client.start_workflow(Parcel.run, id="parcel", task_queue=worker.task_queue)
                await env.sleep(timedelta(days=3))
                assert False
        """
    )
    result = suite.runpytest_subprocess(here)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["parcel  Parcel  running for 3d*"])


FICKLE = """
import pytest
from invincible.worker import Worker
from flows import *

async def test_worker_fixture(client, worker):
    async with worker(Fickle, greet):
        assert await client.execute_workflow(Fickle.run, id="fickle", task_queue=worker.task_queue) == "done"

async def test_plain_worker(client, task_queue):
    async with Worker(client, task_queue=task_queue, workflows=[Fickle], activities=[greet]):
        assert await client.execute_workflow(Fickle.run, id="fickle", task_queue=task_queue) == "done"
"""


def test_always_replay_shows_code_that_does_not_replay(suite: pytest.Pytester, here: str) -> None:
    suite.makepyfile(FICKLE)
    suite.runpytest_subprocess(here).assert_outcomes(passed=2)
    result = suite.runpytest_subprocess(here, "--invincible-always-replay")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*but the workflow code*flows.py:*, in Fickle.run*"])


def test_always_replay_by_the_configuration_file(suite: pytest.Pytester, here: str) -> None:
    suite.makeini(SETTINGS.format(mode="auto") + "invincible_always_replay = true\n")
    suite.makepyfile(
        f"""{FICKLE}
async def test_not_this_worker(client, worker):
    async with worker(Fickle, greet, always_replay=False):
        assert await client.execute_workflow(Fickle.run, id="fickle", task_queue=worker.task_queue) == "done"
"""
    )
    suite.runpytest_subprocess(here).assert_outcomes(passed=1, failed=2)


def test_a_missing_server_is_told_at_once(suite: pytest.Pytester) -> None:
    suite.makepyfile("def test_needs_it(client): ...\ndef test_too(worker): ...\ndef test_needs_none(): ...")
    for processes in ("-n0", "-n2"):
        result = suite.runpytest_subprocess("--invincible-server=/no/such/server", processes)
        result.assert_outcomes(errors=2, passed=1)
        result.stdout.fnmatch_lines(["*ServerStartError: *names /no/such/server as the server*no such file*"])


def test_the_server_program_is_taken_from_the_option(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "server"
    program.symlink_to(server_binary())
    monkeypatch.setenv("INVINCIBLE_SERVER", "/no/such/server")
    suite.makeini(SETTINGS.format(mode="auto") + f"invincible_server = {program}\n")
    suite.makepyfile("def test_needs_it(client): ...")
    suite.runpytest_subprocess().assert_outcomes(passed=1)


def test_nothing_is_imported_before_a_fixture_is_used(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import sys

        def test_imports():
            assert "invincible.testing.pytest_plugin" in sys.modules
            heavy = {"invincible._native", "invincible.client", "invincible.worker", "invincible.api", "google"}
            assert heavy & set(sys.modules) == set()
        """
    )
    suite.runpytest_subprocess().assert_outcomes(passed=1)
    suite.runpytest_subprocess("-n1").assert_outcomes(passed=1)


def test_a_killed_process_of_the_session_does_not_take_the_server_along(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        f"""
        import os, signal
        import pytest

        def test_dies(env):
            os.kill(os.getpid(), {int(signal.SIGKILL)})

        @pytest.mark.parametrize("number", range(3))
        async def test_after(env, number):
            assert await env.client.service_client.check_health()
        """
    )
    suite.runpytest_subprocess("-n1").assert_outcomes(passed=3, failed=1)
