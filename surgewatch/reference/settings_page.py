"""Write the configuration reference from the models.

`python -m surgewatch.reference.settings_page [FILE]`
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

import alerts.worker.settings
import streams.worker.settings
from streams.runtime.kafka_security import KafkaSecurity
from streams.worker.schema_registry_settings import SchemaRegistrySettings

TARGET = Path(__file__).parents[2] / "docs" / "configuration.md"
HEAD = """# Configuration

Written by `make docs` from the models; do not edit. Every setting is an environment variable. A worker checks
all of them at start, names every fault at once, and ends with status 2 where there is one.
"""


def reference() -> str:
    """The whole page, as Markdown."""
    streams_has, alerts_has = (
        variables(streams.worker.settings.Settings),
        variables(alerts.worker.settings.Settings),
    )
    both = streams_has.keys() & alerts_has.keys()
    tables = {
        "Both workers": {name: field for name, field in streams_has.items() if name in both},
        "A secured Kafka: workers and commands": variables(KafkaSecurity),
        "The streams worker": {name: field for name, field in streams_has.items() if name not in both},
        "The streams worker, of a Schema Registry": variables(SchemaRegistrySettings),
        "The alerts worker": {name: field for name, field in alerts_has.items() if name not in both},
    }
    return "\n".join([HEAD, *(_table(title, fields) for title, fields in tables.items() if fields)])


def variables(model: type[BaseSettings]) -> dict[str, FieldInfo]:
    """Every environment variable that a settings model reads."""
    prefix = str(model.model_config.get("env_prefix", ""))
    return {
        str(field.validation_alias or f"{prefix}{name}").upper(): field
        for name, field in model.model_fields.items()
    }


def _table(title: str, fields: Mapping[str, FieldInfo]) -> str:
    head = f"## {title}\n\n| variable | type | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(
        f"| `{name}` | {_kind(field)} | {_default(field)} | {_meaning(field)} |\n"
        for name, field in fields.items()
    )


def _kind(field: FieldInfo) -> str:
    """Return the type in plain words, with its bounds."""
    words = _type(field.annotation)
    bounds = [
        f"{sign} {getattr(rule, name)}"
        for rule in field.metadata
        for name, sign in _SIGNS
        if hasattr(rule, name)
    ]
    return f"{words}, {', '.join(bounds)}" if bounds else words


_SIGNS = (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    if annotation is SecretStr:
        return "secret"
    if isinstance(annotation, type) and not get_args(annotation):
        return {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}.get(
            annotation.__name__, annotation.__name__.lower()
        )
    names = re.sub(r"(\w+\.)+", "", str(annotation))
    return names.replace(" | None", "").replace("|", "or").replace("SecretStr", "secret").lower()


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is PydanticUndefined:
        return "*required*"
    if isinstance(default, SecretStr) or default is None or default in ("", ()):
        return "none"
    if isinstance(default, BaseModel):
        return f"`{default.model_dump_json()}`"
    return f"`{_portable(default)}`"


def _portable(default: Any) -> str:
    """Return a default; paths inside the package are relative to it."""
    if not isinstance(default, Path):
        return str(default)
    root = Path(__file__).parents[2]
    return str(default.relative_to(root) if default.is_relative_to(root) else default)


def _meaning(field: FieldInfo) -> str:
    return " ".join((field.description or "").split()).replace("|", "\\|")


def main() -> None:
    """Write the page."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
