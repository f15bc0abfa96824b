"""`python -m invincible.cli` is the `invincible` command."""

from . import main

main(prog_name="invincible")
