"""Connection options from a TOML file and environment variables, as all of Temporal's tools read them.

Example:
    config = ClientConfig.load_client_connect_config()
    config.setdefault("target_host", "localhost:7233")
    client = await Client.connect(**config)

The file has profiles; ``TEMPORAL_*`` variables come on top of the one that is used.
"""

from __future__ import annotations

from ._errors import ConfigError
from ._profiles import (
    ClientConfig,
    ClientConfigProfile,
    ClientConfigProfileDict,
    ClientConfigTLS,
    ClientConfigTLSDict,
    ClientConnectConfig,
    DataSource,
)

__all__ = [
    "ClientConfig",
    "ClientConfigProfile",
    "ClientConfigProfileDict",
    "ClientConfigTLS",
    "ClientConfigTLSDict",
    "ClientConnectConfig",
    "ConfigError",
    "DataSource",
]
