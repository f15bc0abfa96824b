"""A workflow whose file imports a large library."""

import sqlalchemy.orm  # type: ignore[import-not-found, unused-ignore]

from invincible import workflow

LIBRARIES = (sqlalchemy.orm,)


@workflow.defn
class Trivial:
    @workflow.run
    async def run(self) -> None:
        return None
