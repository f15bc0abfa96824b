"""`invincible workflow query`."""

from __future__ import annotations

from datetime import timedelta

import click

from .._connection import Connection, connection_options, time_limit
from .._ends import print_value, value_for_json
from .._input import Input, input_options
from .._options import Command
from .._output import failure, json_option, print_json
from .._status import status_text
from .._units import duration, name
from ._handles import handle, id_argument, named, run_id_option

_CONDITIONS = ("not-open", "not-completed-cleanly")


@click.command(cls=Command)
@id_argument
@click.argument("query", metavar="NAME", type=name)
@input_options
@run_id_option
@click.option("--reject-condition", type=click.Choice(_CONDITIONS), help="In which states not to answer.")
@click.option(
    "--timeout", type=duration, default="10s", show_default=True, metavar="DURATION", help="Longest time to wait."
)
@json_option
@connection_options
def command(
    workflow_id: str,
    query: str,
    input: Input,
    run_id: str | None,
    reject_condition: str | None,
    timeout: timedelta,
    as_json: bool,
    connection: Connection,
) -> None:
    """Ask workflow ID, running or closed, query NAME and print the answer.

    A worker has to be there to answer it.
    """
    from invincible.client import WorkflowQueryFailedError, WorkflowQueryRejectedError
    from invincible.common import QueryRejectCondition, RawValue

    arguments = input.values()
    condition = None if reject_condition is None else QueryRejectCondition[reject_condition.upper().replace("-", "_")]
    late = f"no worker answered query {query} of {named(workflow_id)} in time: does one poll its task queue?"
    with handle(connection, workflow_id, run_id) as workflow, time_limit(timeout, late):
        try:
            answer = workflow.query(query, args=arguments, result_type=RawValue, reject_condition=condition)
        except WorkflowQueryFailedError as error:
            raise failure(f"query {query} failed: {error.message}") from None
        except WorkflowQueryRejectedError as error:
            status = status_text(error.status) or "closed"
            raise failure(f"query {query} was rejected: {named(workflow_id)} is {status}") from None
    if as_json:
        print_json({"workflow_id": workflow_id, "query": query, "result": value_for_json(answer)})
    else:
        print_value(answer)
