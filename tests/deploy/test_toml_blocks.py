"""The TOML documents that the pages show are accepted by the models that read them."""

import re
import tomllib

import pytest

from alerts.console.access_document import Access
from alerts.worker.routes_document import Routes
from tests.prometheus import DEPLOY

PAGES = ("alerts.md", "console.md", "deployment.md", "kubernetes.md")
BLOCKS = [
    pytest.param(text, id=f"{page} {text.split()[0]}")
    for page in PAGES
    for text in re.findall(r"^```toml\n(.*?)^```", (DEPLOY.parent / "docs" / page).read_text(), re.M | re.S)
]


@pytest.mark.parametrize("text", BLOCKS)
def test_a_document_of_the_pages_is_accepted(text: str) -> None:
    found = tomllib.loads(text)
    if "sink" in found:
        Routes.model_validate(found)
    elif "client" in found:
        Access.model_validate(found)
    else:
        assert set(found) <= {"default", "question"}  # policies
