"""`invincible completion`, in a real shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import run

# What readline does when somebody presses Tab, as far as a shell without a terminal can do it.
_COMPLETE = """
eval "$(invincible completion bash)"
words=({words})
COMP_WORDS=("${{words[@]}}")
COMP_CWORD=$((${{#words[@]}} - 1))
specification=$(complete -p invincible)
[[ $specification =~ -F\\ ([^ ]+) ]] || exit 3
"${{BASH_REMATCH[1]}}" invincible
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A search path with the command on it, whatever this Python's scripts are called."""
    command = tmp_path / "invincible"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m invincible "$@"\n')
    command.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("invincible sche", ["schedule"]),
        ("invincible co", ["codec-server", "completion"]),
        ("invincible schedule un", ["unpause"]),
        ("invincible schedule create ID --cr", ["--cron"]),
        ("invincible schedule create ID --overlap buffer", ["buffer-one", "buffer-all"]),
        ("invincible batch terminate --quer", ["--query"]),
        ("invincible completion ''", ["bash", "zsh", "fish"]),
        ("invincible --ver", ["--version"]),
    ],
)
def test_bash(path: str, words: str, completions: list[str]) -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", _COMPLETE.format(words=words)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == completions


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "complete -o nosort -F _invincible_completion invincible"),
        ("zsh", "#compdef invincible"),
        ("fish", "complete --no-files --command invincible"),
    ],
)
def test_scripts(shell: str, line: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert line in result.stdout
    assert result.stderr == ""


def test_other_shells() -> None:
    result = run("completion", "tcsh")
    assert result.exit_code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in result.stderr


def test_names_are_completed_without_an_import_of_the_commands() -> None:
    code = "import sys, invincible.cli; invincible.cli.main(prog_name='invincible', standalone_mode=False)"
    checked = f"try: exec({code!r})\nfinally: print(*(name for name in sys.modules if name.startswith('invincible.')))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{checked}"],
        env={**os.environ, "_INVINCIBLE_COMPLETE": "bash_complete", "COMP_WORDS": "invincible s", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "plain,schedule" in done.stdout
    assert set(done.stdout.splitlines()[-1].split()) <= {
        "invincible.cli",
        "invincible.cli._lazy",
        "invincible.cli._streams",
    }
