"""The examples in docstrings are true."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WITH_EXAMPLES = [
    path.relative_to(ROOT)
    for package in ("streams", "alerts", "surgewatch")
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>> " in path.read_text()
]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=str)
def test_the_examples_of_a_module_give_what_they_show(path: Path) -> None:
    package = path.parent if path.name == "__init__.py" else path.with_suffix("")
    module = import_module(".".join(package.parts))
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)
