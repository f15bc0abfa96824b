"""``python -m invincible`` is the ``invincible`` command."""

from .cli import main

main(prog_name="invincible")
