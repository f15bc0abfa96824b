"""`invincible completion`: what shells need to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

_PROGRAM = "invincible"
_VARIABLE = "_INVINCIBLE_COMPLETE"  # the name that click looks for


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell, to be run whenever the shell starts.

    \b
    bash: eval "$(invincible completion bash)"       in ~/.bashrc
    zsh:  eval "$(invincible completion zsh)"        in ~/.zshrc, after compinit
    fish: invincible completion fish > ~/.config/fish/completions/invincible.fish
    """
    from . import main

    kind = get_completion_class(shell)
    assert kind is not None
    # Not the script's own method: that of bash looks for the shell's version and complains where there is no bash.
    click.echo(ShellComplete.source(kind(main, {}, _PROGRAM, _VARIABLE)))
