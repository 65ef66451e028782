"""The page on security lists the least ACLs as the code has them."""

import re
from pathlib import Path

from streams.contract.access import LEAST

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text()


def test_the_page_lists_exactly_the_least_acls() -> None:
    listed = re.findall(r"^\| (\w+) \| (topic|group) \| `([^`]+)` \| ([A-Z_, ]+) \|$", PAGE, re.MULTILINE)
    assert [(role, kind, name, tuple(ops.split(", "))) for role, kind, name, ops in listed] == [
        (role, one.resource, one.name, one.operations) for role, needs in LEAST.items() for one in needs
    ]
