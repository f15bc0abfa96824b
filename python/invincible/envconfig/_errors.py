"""What a configuration that makes no sense raises."""

from __future__ import annotations

from invincible.exceptions import TemporalError


class ConfigError(TemporalError):
    """The file or the environment variables make no sense.

    The message names the file, the profile and the key, or the variable. It shows no value that may be a secret.
    """
