"""A local stand-in for icanhazip.com and ip-api.com that fails on demand."""

from .server import Standin
from .service import Mode, Service

__all__ = ["Mode", "Service", "Standin"]
