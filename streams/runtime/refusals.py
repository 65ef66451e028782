"""Why a worker cannot start or go on until somebody acts, and the exit statuses of a worker."""

from enum import IntEnum

from pydantic import ValidationError


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
