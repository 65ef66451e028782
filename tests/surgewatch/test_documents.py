"""The documents name only commands that exist."""

import re
from pathlib import Path
from pkgutil import iter_modules

import pytest

from surgewatch import commands

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_is_there(page: str) -> None:
    named = re.findall(
        r"(?<!-n )(?<![\w-])surgewatch ([a-z]+(?:-[a-z]+)*)(?= |`|$)", _code((ROOT / page).read_text())
    )
    assert set(named) <= {module.name.replace("_", "-") for module in iter_modules(commands.__path__)}


def _code(text: str) -> str:
    """What a page shows as code."""
    return "\n".join(
        "".join(found) for found in re.findall(r"^```.*?\n(.*?)^```|(`[^`\n]+`)", text, re.M | re.S)
    )
