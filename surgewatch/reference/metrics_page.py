"""Write the metrics reference from the workers' registries.

`python -m surgewatch.reference.metrics_page [FILE]`
"""

import sys
from pathlib import Path
from typing import Any

import alerts.worker.metrics
import streams.worker.metrics
from streams.contract.sectors import registry

TARGET = Path(__file__).parents[2] / "docs" / "metrics.md"
HEAD = """# Metrics

Written by `make docs` from the workers' registries; do not edit. Units are base units (seconds, bytes,
people); labels are bounded by the registry of sectors and by the
configuration. Rules: `deploy/prometheus/rules`.
"""


def reference() -> str:
    """The whole page, as Markdown."""
    shown: dict[str, Any] = {
        "The streams worker, port 9101": streams.worker.metrics.Metrics(registry()),
        "The alerts worker, port 9102": alerts.worker.metrics.Metrics(),
    }
    return "\n".join([HEAD, *(_table(title, metrics.registry) for title, metrics in shown.items())])


def _table(title: str, held: Any) -> str:
    # The public view of a registry leaves out the labels of what has not happened yet.
    collectors = held._collector_to_names
    head = f"## {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n"
    return head + "".join(_row(collector) for collector in collectors)


def _row(collector: Any) -> str:
    [metric] = collector.describe()
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    return f"| `{name}` | {metric.type} | {', '.join(collector._labelnames)} | {metric.documentation} |\n"


def main() -> None:
    """Write the page."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
