"""Documents name what is wrong in them, with file and line."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from streams.contract.toml_documents import DocumentError, load


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Mail(Strict):
    kind: Literal["mail"]
    to: str


class Hook(Strict):
    kind: Literal["hook"]
    url: str


class Route(Strict):
    name: str
    limits: dict[str, int] = {}
    sink: list[Annotated[Mail | Hook, Field(discriminator="kind")]] = []


class Document(Strict):
    title: str
    route: list[Route]


GOOD = """\
title = "t"

[[route]]
name = "first"

[[route]]
name = "second"
[route.limits]
"a.b" = 3
c = 4

[[route.sink]]
kind = "mail"
to = "x"

[[route.sink]]
kind = "hook"
url = "y"

[[route]]
name = "third"
"""


def complaint(tmp_path: Path, text: str) -> str:
    path = tmp_path / "routes.toml"
    path.write_text(text)
    with pytest.raises(DocumentError) as raised:
        load(path, Document)
    return str(raised.value).replace(str(path), "routes.toml")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("title", "titel", "routes.toml:1: titel: Extra inputs are not permitted"),
        ('name = "second"', 'nane = "second"', "routes.toml:7: route.1.nane: Extra inputs are not permitted"),
        ('name = "second"', 'nane = "second"', "routes.toml:6: route.1.name: Field required"),
        ("c = 4", 'c = "four"', "routes.toml:10: route.1.limits.c: Input should be a valid integer"),
        (
            '"a.b" = 3',
            '"a.b" = "three"',
            "routes.toml:9: route.1.limits.a.b: Input should be a valid integer",
        ),
        ('url = "y"', 'ulr = "y"', "routes.toml:18: route.1.sink.1.hook.ulr: Extra inputs are not permitted"),
        ('name = "third"', "name = 3", "routes.toml:21: route.2.name: Input should be a valid string"),
        ("[route.limits]", "[route.limit]", "routes.toml:8: route.1.limit: Extra inputs are not permitted"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    assert message in complaint(tmp_path, GOOD.replace(right, wrong))


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("title", "titel").replace('to = "x"', 'too = "x"').replace("c = 4", "c = []")
    assert len(complaint(tmp_path, text).splitlines()) == 5


def test_invalid_toml_is_named_with_its_line(tmp_path: Path) -> None:
    assert "line 2" in complaint(tmp_path, 'title = "t"\nname = = 3\n')


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(DocumentError, match=r"nowhere\.toml: .*No such file"):
        load(Path("nowhere.toml"), Document)


def test_a_good_document_is_read(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(GOOD)
    assert [route.name for route in load(path, Document).route] == ["first", "second", "third"]
