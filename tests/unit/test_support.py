"""The helpers that other tests trust: they must fail when what they watch does not happen."""

import asyncio
import signal
import sys

import pytest

from tests.support.conditions import eventually
from tests.support.processes import Program


def python(code: str) -> Program:
    return Program(sys.executable, "-c", code)


async def test_lines_are_found_in_order_and_only_once() -> None:
    async with python("print('one'); print('two'); print('one more')") as program:
        assert await program.line("^o") == "one"
        assert await program.line("^o") == "one more"
        with pytest.raises(AssertionError, match="ended without a line with '\\^o'"):
            await program.line("^o")
        assert await program.exit_code() == 0
        assert program.output == "one\ntwo\none more"


async def test_a_line_that_does_not_come_is_an_error_with_the_output() -> None:
    async with python("print('up', flush=True); import time; time.sleep(60)") as program:
        await program.line("up")
        with pytest.raises(AssertionError, match=r"printed no line with 'down' in 0\.1 s; its output:\nup"):
            await program.line("down", timeout=0.1)
        with pytest.raises(AssertionError, match=r"had not ended after 0\.1 s"):
            await program.exit_code(timeout=0.1)


async def test_kill_leaves_no_time_for_anything() -> None:
    code = "import signal; signal.signal(signal.SIGTERM, print); print('up', flush=True); signal.pause(); print('bye')"
    async with python(code) as program:
        await program.line("up")
        await program.kill()
        assert await program.exit_code() == -signal.SIGKILL
        assert program.output == "up"


async def test_a_program_does_not_outlive_its_block() -> None:
    async with python("print('up', flush=True); import time; time.sleep(60)") as program:
        await program.line("up")
    assert await program.exit_code() == -signal.SIGTERM


async def test_eventually_returns_the_first_answer_that_is_truthy() -> None:
    answers = iter([None, 0, "yes", "no"])

    async def probe() -> object:
        return next(answers)

    assert await eventually(probe, what="an answer") == "yes"


async def test_eventually_says_what_did_not_happen_and_why() -> None:
    async def probe() -> bool:
        raise AssertionError("the door is shut")

    with pytest.raises(AssertionError, match=r"not within 0\.1 s: the door to open") as failed:
        await eventually(probe, what="the door to open", timeout=0.1)
    assert str(failed.value.__cause__) == "the door is shut"


async def test_eventually_does_not_wait_for_a_probe_that_hangs() -> None:
    with pytest.raises(AssertionError, match="an end"):
        await eventually(asyncio.Event().wait, what="an end", timeout=0.1)
