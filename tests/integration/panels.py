"""What the dashboards ask: every query of every panel, ready to be put to Prometheus."""

import json
from collections.abc import Iterator, Mapping

from tests.prometheus import DEPLOY

Ask = tuple[str, str]  # "dashboard / panel / legend", PromQL


def questions(values: Mapping[str, str]) -> Iterator[Ask]:
    """Every query, with these values for Grafana's variables."""
    for path in sorted((DEPLOY / "grafana" / "dashboards").glob("surgewatch-*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                name = f"{board['title']} / {panel['title']} / {target['legendFormat']}"
                yield name, filled(target["expr"], values)
        for note in board.get("annotations", {}).get("list", ()):
            if "expr" in note:
                yield f"{board['title']} / {note['name']}", filled(note["expr"], values)


def filled(expression: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        expression = expression.replace(f"${name}", value)
    return expression
