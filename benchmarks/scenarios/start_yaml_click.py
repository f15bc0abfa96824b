"""A workflow whose file imports two libraries of middling size."""

import click
import yaml  # type: ignore[import-untyped, import-not-found, unused-ignore]

from invincible import workflow

LIBRARIES = (click, yaml)


@workflow.defn
class Trivial:
    @workflow.run
    async def run(self) -> None:
        return None
