"""What an environment asks of its server, as flags of the server program."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from invincible.common import SearchAttributeIndexedValueType, SearchAttributeKey

_TYPES = {
    SearchAttributeIndexedValueType.BOOL: "Bool",
    SearchAttributeIndexedValueType.DATETIME: "Datetime",
    SearchAttributeIndexedValueType.DOUBLE: "Double",
    SearchAttributeIndexedValueType.INT: "Int",
    SearchAttributeIndexedValueType.KEYWORD: "Keyword",
    SearchAttributeIndexedValueType.KEYWORD_LIST: "KeywordList",
    SearchAttributeIndexedValueType.TEXT: "Text",
}
_LOG_FORMATS = {"pretty": "text", "text": "text", "json": "json"}
_LOG_LEVELS = ("debug", "info", "warn", "error", "never")
_HIGHEST_PORT = 65535
_START_TIMEOUT = 60.0


def server_options(
    *,
    namespace: str,
    ip: str,
    port: int | None,
    ui: bool,
    ui_port: int | None,
    search_attributes: Sequence[SearchAttributeKey[Any]],
    database: str | os.PathLike[str] | None,
    log_format: str,
    log_level: str | None,
    extra_args: Sequence[str],
) -> list[str]:
    """The flags.

    Raises:
        TypeError: An option is of a wrong type; the message names it.
        ValueError: An option makes no sense; the message names it.
    """
    if not isinstance(ip, str):
        raise TypeError(f"ip must be a str, got {type(ip).__name__}")
    if not isinstance(ui, bool):
        raise TypeError(f"ui must be a bool, got {type(ui).__name__}")
    options = ["--ip", ip, "--port", _port("port", port)]
    options += ["--ui-port", _port("ui_port", ui_port)] if ui or ui_port is not None else ["--headless"]
    options += ["--log-format", _LOG_FORMATS[_choice("dev_server_log_format", log_format, tuple(_LOG_FORMATS))]]
    level = _python_level() if log_level is None else _choice("dev_server_log_level", log_level, _LOG_LEVELS)
    options += ["--log-level", level]
    if database is not None:
        options += ["--db", _path("dev_server_database_filename", database)]
    if not isinstance(namespace, str):
        raise TypeError(f"namespace must be a str, got {type(namespace).__name__}")
    if namespace != "default":
        options += ["--namespace", namespace]
    return [*options, *_attributes(search_attributes), *_extra(extra_args)]


def start_timeout(name: str, timeout: timedelta | None) -> float:
    """How long the start may take, in seconds.

    Raises:
        TypeError: ``timeout`` is no ``timedelta``.
        ValueError: It is no time at all.
    """
    if timeout is None:
        return _START_TIMEOUT
    if not isinstance(timeout, timedelta):
        raise TypeError(f"{name} must be a timedelta, got {type(timeout).__name__}")
    if timeout <= timedelta():
        raise ValueError(f"{name} must be positive, got {timeout}")
    return timeout.total_seconds()


def refuse_download(version_option: str, version: str, others: Mapping[str, object]) -> None:
    """Tells those who ask for a download that there is none.

    Raises:
        ValueError: They want a version that may not be the one there is.
    """
    if version != "default":
        raise ValueError(
            f"{version_option} must be 'default', got {version!r}: no server is downloaded, its version is that of the "
            "installed package invincible-server. Install another version of it, or name a server program by "
            f"{version_option.partition('_download')[0]}_existing_path"
        )
    for name, value in others.items():
        if value is not None:
            warnings.warn(f"{name} has no effect: no server is downloaded", UserWarning, stacklevel=3)


def _port(name: str, port: object) -> str:
    if port is None:
        return "0"
    if not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"{name} must be an int, got {type(port).__name__}")
    if not 0 <= port <= _HIGHEST_PORT:
        raise ValueError(f"{name} must be from 0, for any free port, to {_HIGHEST_PORT}, got {port}")
    return str(port)


def _choice(name: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value


def _path(name: str, value: str | os.PathLike[str]) -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be a str or a path, got {type(value).__name__}")
    return os.fspath(value)


def _python_level() -> str:
    level = logging.getLogger("invincible").getEffectiveLevel()
    for name, lowest in (("error", logging.ERROR), ("warn", logging.WARNING), ("info", logging.INFO)):
        if level >= lowest:
            return name
    return "debug"


def _attributes(keys: Sequence[SearchAttributeKey[Any]]) -> Iterator[str]:
    if not isinstance(keys, Iterable):
        raise TypeError(f"search_attributes must be a sequence of keys, got {type(keys).__name__}")
    for key in keys:
        if not isinstance(key, SearchAttributeKey):
            raise TypeError(
                "search_attributes must be keys such as SearchAttributeKey.for_keyword('Customer'), "
                f"got {type(key).__name__}"
            )
        yield from ("--search-attribute", f"{key.name}={_TYPES[key.indexed_value_type]}")


def _extra(arguments: Sequence[str]) -> Sequence[str]:
    given: object = arguments
    if isinstance(given, str) or not isinstance(given, Iterable) or not all(isinstance(each, str) for each in given):
        raise TypeError("extra arguments of the server must be a sequence of str, as ['--http-port', '7243'] is one")
    return arguments
