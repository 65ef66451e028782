"""What is raised where a file cannot be used."""


class InputError(ValueError):
    """A file cannot be used at all; the message names the fault."""
