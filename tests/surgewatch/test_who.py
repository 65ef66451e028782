"""Who sets a control is the user of this machine, or whoever is named."""

import os

import pytest
from click.testing import CliRunner

from surgewatch.commands.capacity import command


def test_a_container_whose_user_has_no_name_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    done = CliRunner().invoke(command, ["swanton", "5", "--reason", "x"])
    assert done.exit_code == 2
    assert done.output.splitlines()[-1] == (
        "Error: this machine has no name for you: name who sets it, with --by"
    )
