"""Headless Chromium for tests of the console, and the picture of the documentation.

python -m tests.integration.chromium docs/console.png
"""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alerts.console.identity import Identity
from alerts.console.sign_in import SignIn
from alerts.worker.console_server import ConsoleThread
from tests.alerts.console.served import ServedConsole

SIZE = (1440, 1000)
DRIVER = shutil.which("chromedriver")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


class Console(ServedConsole):
    """A console in its thread, and what was asked of it."""

    def open(self, identity: Identity | None = None, sign_in: SignIn | None = None) -> None:
        """Serve on a free port; once closed, on the same again."""
        backend = self.backend(identity=identity, sign_in=sign_in)
        self.thread = ConsoleThread(backend, "127.0.0.1", self.port)
        self.thread.start()
        self.port = self.thread.listening.result(10)
        self.url = f"http://127.0.0.1:{self.port}/"

    def close(self) -> None:
        self.thread.stop()


def open_browser(*, dark: bool = False, size: tuple[int, int] = SIZE) -> Any:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.add_argument(f"--window-size={size[0]},{size[1]}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]},
    )
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False},
    )
    return browser


def within(seconds: float, claim: Callable[[], object]) -> float:
    """Wait until `claim` holds; answers how long it took, fails where it does not."""
    began = time.monotonic()
    while not claim():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


def found(browser: Any, css: str) -> list[Any]:
    return browser.find_elements("css selector", css)


def script(browser: Any, text: str, *given: object) -> Any:
    return browser.execute_script(text, *given)


def press(browser: Any, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def walk(browser: Any, label: str, limit: int = 60) -> None:
    """Press Tab until the control of that label has the focus."""
    for _ in range(limit):
        if script(browser, "return document.activeElement.getAttribute('aria-label')") == label:
            return
        press(browser, "\ue004")
    pytest.fail(f"Tab never came to {label!r}")


def names(browser: Any, css: str) -> list[str]:
    return [element.text for element in found(browser, f"{css} h3") if element.is_displayed()]


def choose(browser: Any, field: str, value: str) -> None:
    change = "const f = document.getElementById(arguments[0]); f.value = arguments[1];"
    script(browser, change + "f.dispatchEvent(new Event('input', {bubbles: true}))", field, value)


def fill(browser: Any, **fields: str) -> None:
    for name, text in fields.items():
        (field,) = found(browser, f"[name={name}]")
        field.clear()
        field.send_keys(text)
    found(browser, "#form [type=submit]")[0].click()
    within(5, lambda: not script(browser, "return document.getElementById('dialog').open"))


def picture(path: Path, *, dark: bool = False, size: tuple[int, int] = (1560, 1240)) -> None:
    console, browser = Console(), open_browser(dark=dark, size=size)
    console.open()
    browser.get(console.url)
    within(40, lambda: found(browser, ".sector canvas"))
    time.sleep(1)
    browser.save_screenshot(str(path))
    browser.quit()
    console.close()


if __name__ == "__main__":
    picture(Path(sys.argv[1]))
