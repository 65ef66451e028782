"""The error for state records that this version of the worker cannot read."""


class StateVersionError(ValueError):
    """A state record was written by another version of the worker, or by something else.

    The message names the record, its version and what to do. The worker must not go on: it would count
    from nothing and overwrite what the other version wrote.
    """

    def __init__(self, record: str, found: object, known: int) -> None:
        super().__init__(
            f"state record {record!r} has version {found}; this worker reads version {known}."
            " Run the worker version that wrote it, or delete the changelog and replay the source topic"
        )
