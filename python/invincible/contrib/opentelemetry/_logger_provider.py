"""OpenTelemetry's log records from workflow code."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import Logger, LoggerProvider

from ._replay import is_replayed, unguarded


class ReplaySafeLoggerProvider(LoggerProvider):
    """Makes loggers that drop what workflow code emits when it is replayed.

    Queries and update validators are not replayed: what they emit is kept, as is everything outside of workflow code.
    Python's own ``logging`` needs none of this: ``workflow.logger`` is silent on replay.

    Args:
        logger_provider: Makes the loggers.

    Example:
        opentelemetry._logs.set_logger_provider(ReplaySafeLoggerProvider(provider))
    """

    def __init__(self, logger_provider: LoggerProvider) -> None:
        """Wraps a provider."""
        self._provider = logger_provider

    def get_logger(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,
    ) -> Logger:
        """A logger for workflow code and any other."""
        return _Logger(self._provider.get_logger(name, version, schema_url, attributes), name, version, schema_url)

    def __getattr__(self, name: str) -> Any:
        # What the SDK's providers have besides: force_flush, shutdown.
        return getattr(self._provider, name)


class _Logger(Logger):
    def __init__(self, logger: Logger, name: str, version: str | None, schema_url: str | None) -> None:
        super().__init__(name, version, schema_url)
        self._logger = logger

    def emit(self, *arguments: Any, **options: Any) -> None:
        if not is_replayed():
            with unguarded():
                self._logger.emit(*arguments, **options)

    def enabled(self, *arguments: Any, **options: Any) -> bool:
        # Loggers of some versions do not tell.
        enabled = getattr(self._logger, "enabled", None)
        return not is_replayed() and (enabled is None or bool(enabled(*arguments, **options)))
