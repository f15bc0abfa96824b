"""How the programs of all examples find the Temporal service."""

import os

from invincible.client import Client


async def connect() -> Client:
    """Connect to the service named by TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE."""
    return await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"),
        namespace=os.environ.get("TEMPORAL_NAMESPACE", "default"),
    )
