"""Why a worker cannot start or go on until somebody acts, and the exit statuses of a worker."""

import difflib
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from pydantic import BaseModel, SecretStr, ValidationError

BYTE_ORDER_MARK: Final = "\ufeff"  # what some editors begin a file with


class Exit(IntEnum):
    """Exit status of a worker; the table for operators is in docs/operations.md."""

    STOPPED = 0  # by SIGTERM or SIGINT
    CRASHED = 1  # an error of ours, or the broker stayed away: start it again
    REFUSED = 2  # set-up or state is wrong: a person has to act, starting again does not help
    STUCK = 70  # the watchdog saw no progress: start it again


class Refusal(RuntimeError):  # noqa: N818 - a worker refuses to go on, as asked
    """The worker ends with Exit.REFUSED; the message is one line with what is wrong and what to do."""


class SetupError(Refusal):
    """Settings, topics or the broker are not as the worker needs them."""


class StateError(Refusal):
    """State in the broker cannot be trusted or read by this version."""


class WorkerCrashedError(RuntimeError):
    """The worker ends with Exit.CRASHED; the message is one line, and the cause is chained."""


def faults(error: ValueError) -> str:
    """Return every fault of settings or of a control in one line, without the values that were given."""
    if not isinstance(error, ValidationError):
        return str(error)
    found = (
        (".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, "))
        for fault in error.errors()
    )
    return "; ".join(f"{where}: {message}" if where else message for where, message in found)


def with_nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return a name that nobody knows, with the nearest known one; `prefix` is that of all of them."""
    rest = [one.removeprefix(prefix) for one in known]
    near = difflib.get_close_matches(name.removeprefix(prefix), rest, n=1)
    return f"{name} (did you mean {prefix}{near[0]}?)" if near else name


def refuse_names(names: Iterable[str], known: Iterable[str], *, where: str = "", prefix: str = "") -> None:
    """Raise SetupError naming those that nobody reads, each with the nearest known one."""
    known = {*known}
    if unknown := sorted({*names} - known):
        nearest = "; ".join(with_nearest(name, known, prefix) for name in unknown)
        raise SetupError(f"{where}unknown settings: {nearest}")


def marks_of_files(settings: BaseModel) -> list[str]:
    """Return which settings end with a line break, or begin with a byte order mark.

    Secrets are often made of files, which have these; no password has.
    """
    given = {name: getattr(settings, name) for name in type(settings).model_fields}
    found = {name: _mark_of_file(value) for name, value in given.items()}
    return [
        f"{name} {mark}: take it out of the secret or file that it comes from"
        for name, mark in found.items()
        if mark
    ]


def _mark_of_file(value: object) -> str | None:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str):
        return None
    if text.endswith(("\n", "\r")):
        return "ends with a line break"
    return "begins with a byte order mark" if text.startswith(BYTE_ORDER_MARK) else None
