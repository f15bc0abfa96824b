"""Random numbers and UUIDs: the same on every replay, new ones after a reset."""

from __future__ import annotations

import random
import uuid
from typing import Any

from invincible import _native, workflow
from tests.support.engine import SECOND, Driver, completed, value


def numbers(body: Any, seed: int = 1, *jobs: Any) -> Any:
    """What a workflow returns that takes numbers before and after a timer."""

    @workflow.defn
    async def dice() -> list[Any]:
        first = body()
        await workflow.sleep(1)
        return [first, body()]

    driver = Driver(dice, randomness_seed=seed)
    driver.start()
    return completed(driver.activate(*jobs, _native.FireTimer(seq=1)))


def test_numbers_repeat_with_the_seed() -> None:
    for body in (
        lambda: workflow.random().random(),
        lambda: workflow.random().getrandbits(64),
        lambda: str(workflow.uuid4()),
        lambda: str(workflow.uuid7()),
        lambda: workflow.new_random().random(),
        lambda: workflow.new_random("name").random(),
    ):
        assert numbers(body) == numbers(body)
        assert numbers(body) != numbers(body, 2)


def test_numbers_are_those_of_pythons_generator_with_the_seed() -> None:
    expected = random.Random(7)
    assert numbers(lambda: workflow.random().random(), 7) == [expected.random(), expected.random()]


def test_uuids_have_the_right_version_and_differ() -> None:
    first, second = numbers(lambda: str(workflow.uuid4()))
    assert first != second
    assert uuid.UUID(first).version == 4
    assert uuid.UUID(first).variant == uuid.RFC_4122


def test_uuid7_begins_with_the_time() -> None:
    @workflow.defn
    async def ids() -> list[str]:
        return [str(workflow.uuid7()), str(workflow.uuid7())]

    driver = Driver(ids)
    driver.now = 1_700_000_000 * SECOND + 123_456_789
    first, second = (uuid.UUID(each) for each in completed(driver.start()))
    assert first.int >> 80 == 1_700_000_000_123
    assert (first.int >> 76) & 0xF == 7
    assert (first.int >> 62) & 0b11 == 0b10
    assert first != second


def test_a_reset_changes_the_numbers_from_then_on() -> None:
    for body in (lambda: str(workflow.uuid4()), lambda: workflow.random().random()):
        plain, reset = numbers(body), numbers(body, 1, _native.UpdateRandomSeed(randomness_seed=9))
        assert plain[0] == reset[0]
        assert plain[1] != reset[1]
        assert reset[1] == numbers(body, 9)[0]


def test_a_reset_before_the_first_number_counts() -> None:
    @workflow.defn
    async def late() -> float:
        await workflow.sleep(1)
        return workflow.random().random()

    driver = Driver(late)
    driver.start()
    ended = driver.activate(_native.UpdateRandomSeed(randomness_seed=9), _native.FireTimer(seq=1))
    assert completed(ended) == random.Random(9).random()


def test_own_generators_do_not_disturb_each_other() -> None:
    @workflow.defn
    async def many() -> list[float]:
        own = workflow.new_random()
        named, same, other = workflow.new_random("a"), workflow.new_random("a"), workflow.new_random("b")
        workflow.random().random()
        return [own.random(), named.random(), same.random(), other.random()]

    own, named, same, other = completed(Driver(many, randomness_seed=3).start())
    assert own == random.Random(3).random()
    assert named == same
    assert len({own, named, other}) == 3


def test_own_generators_follow_a_reset() -> None:
    def with_own(*jobs: Any) -> Any:
        @workflow.defn
        async def own() -> list[float]:
            plain, named = workflow.new_random(), workflow.new_random("a")
            await workflow.sleep(1)
            return [plain.random(), named.random()]

        driver = Driver(own, randomness_seed=3)
        driver.start()
        return completed(driver.activate(*jobs, _native.FireTimer(seq=1)))

    plain, named = with_own(_native.UpdateRandomSeed(randomness_seed=9))
    assert plain == random.Random(9).random()
    assert named not in with_own()


def test_seed_and_callback_follow_a_reset() -> None:
    @workflow.defn
    async def watching() -> list[int]:
        seeds = [workflow.random_seed()]
        workflow.register_random_seed_callback(seeds.append)
        await workflow.sleep(1)
        return [*seeds, workflow.random_seed()]

    driver = Driver(watching, randomness_seed=3)
    driver.start()
    (end,) = driver.activate(_native.UpdateRandomSeed(randomness_seed=9), _native.FireTimer(seq=1))
    assert value(end.result) == [3, 9, 9]
