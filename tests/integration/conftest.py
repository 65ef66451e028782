"""A browser for each module that needs one, and a console for each test."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.chromium import CHROMIUM, DRIVER, Console, found, open_browser, within


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not (DRIVER and CHROMIUM):
        if os.environ.get("SURGEWATCH_REQUIRE_BROWSER") == "1":
            pytest.fail("SURGEWATCH_REQUIRE_BROWSER=1, but there is no Chromium with its driver")
        pytest.skip("no Chromium with its driver on this machine")
    pytest.importorskip("selenium")
    browser = open_browser()
    yield browser
    browser.quit()


@pytest.fixture
def console(browser: Any) -> Iterator[Console]:
    console = Console()
    console.open()
    browser.get(console.url)
    within(40, lambda: found(browser, ".sector"))
    yield console
    complaints = [e for e in browser.get_log("browser") if "Content Security" in e["message"]]
    browser.get("about:blank")
    console.close()
    assert complaints == []
