"""The dashboards as code: `python deploy/grafana/dashboards.py [FOLDER]` writes them as JSON.

*Situation* shows all sectors at a glance, *Sector* one of them with its band, *Service* Surgewatch itself;
every runbook is a page in Grafana too, so that the link in an alert works where its reader already is.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import panels
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from panels import Dashboard
from sector import sector
from service import service
from situation import situation

HERE = Path(__file__).parent
RUNBOOKS = HERE.parent.parent / "docs" / "runbooks"


def runbooks() -> Iterator[Dashboard]:
    for path in sorted(RUNBOOKS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        board = Dashboard(title).uid(f"runbook-{path.stem}").tags(["surgewatch", "runbook"]).timezone("utc")
        yield (
            board.readonly()
            .link(panels.link("Situation", "/d/surgewatch-situation"))
            .with_panel(panels.page(text.partition("\n")[2].strip()))
        )


def main(folder: Path) -> None:
    """Write every dashboard to `folder`, and drop those of runbooks that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    boards = [board.build() for board in (situation(), sector(), service(), *runbooks())]
    for stale in {path.stem for path in folder.glob("*.json")} - {board.uid for board in boards}:
        (folder / f"{stale}.json").unlink()
    for board in boards:
        text = JSONEncoder(sort_keys=True, indent=2).encode(board)
        (folder / f"{board.uid}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "dashboards")
