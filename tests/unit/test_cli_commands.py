"""What all commands of `invincible` have in common."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from invincible.cli import main
from tests.support.cli import run

# These print no results of their own: the server has its own flags, the others run until they are stopped or print a
# program.
WITHOUT_JSON = {"completion", "dev", "server", "worker run"}


def commands(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """All commands that do something, by name."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None, name
        yield from commands(found, (*path, name))


ALL = dict(commands())


def parameters(name: str) -> set[str | None]:
    return {each.name for each in ALL[name].params}


@pytest.mark.parametrize("name", sorted(set(ALL) - {"server"}))
def test_help(name: str) -> None:
    result = run(*name.split(), "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {name} ")
    assert ALL[name].help


@pytest.mark.parametrize("name", sorted(set(ALL) - WITHOUT_JSON))
def test_json_everywhere(name: str) -> None:
    options = {option for parameter in ALL[name].params for option in parameter.opts}
    assert "--json" in options


@pytest.mark.parametrize("name", sorted(set(ALL) - WITHOUT_JSON))
def test_options_have_help_and_no_two_the_same_name(name: str) -> None:
    options = [each for each in ALL[name].params if isinstance(each, click.Option)]
    assert [each.name for each in options if not each.help] == []
    names = [name for each in options for name in (*each.opts, *each.secondary_opts)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name", sorted(name for name in ALL if any(each.name == "grpc_meta" for each in ALL[name].params))
)
def test_help_has_the_options_of_connections_apart(name: str) -> None:
    own, heading, others = run(*name.split(), "--help").stdout.partition("\nConnection options:\n")
    assert heading
    options = own.partition("\nOptions:\n")[2]
    assert "--help" in options
    for option in ("--address", "--grpc-meta", "--identity", "--codec-endpoint", "--data-converter"):
        assert option not in options
    assert "--address HOST:PORT" in others
    payloads = others.partition("\nPayload options:\n")[2]
    assert ("--data-converter" in payloads) == ("data_converter" in parameters(name))


@pytest.mark.parametrize("name", ["", "activity", "batch", "schedule", "workflow"])
def test_what_there_is_not(name: str) -> None:
    result = run(*name.split(), "nothing")
    assert result.exit_code == 2
    assert "No such command 'nothing'" in result.stderr


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h30m", 5400.0), ("90", 90.0), ("1.5h", 5400.0), ("7d", 604_800.0), ("90d12h", 7_819_200.0), ("500ms", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    from invincible.cli._units import duration

    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "soon", "1h30", "h", "-1s", "1h 30m"])
def test_no_durations(text: str) -> None:
    from invincible.cli._units import duration

    with pytest.raises(click.BadParameter, match="is no duration: write 500ms, 30s, 2m, 1h or 7d"):
        duration(text)


def test_times() -> None:
    from invincible.cli._units import moment

    assert moment("2027-01-31T09:00:00Z").isoformat() == "2027-01-31T09:00:00+00:00"
    assert moment("2027-01-31T09:00:00+01:00").isoformat() == "2027-01-31T09:00:00+01:00"
    here = moment("2027-01-31 09:00")
    assert here.utcoffset() is not None
    assert here.replace(tzinfo=None).isoformat() == "2027-01-31T09:00:00"
