"""Write the table of questions into the page on detectors.

`python -m surgewatch.reference.questions_table [FILE]`
"""

import re
import sys
from pathlib import Path
from typing import Final

from streams.contract.questions import Question, Scope

TARGET: Final = Path(__file__).parents[2] / "docs" / "detectors.md"
BEGIN, END = "<!-- questions: written by `make docs`, do not edit -->\n", "<!-- /questions -->\n"
HEAD: Final = "| question | what is the matter | asked of | of periods | budget |\n|---|---|---|---|---|\n"
ASKED_OF: Final = {
    Scope.SECTOR: "a sector",
    Scope.NEIGHBOURS: "a sector and its neighbours",
    Scope.BORDER: "a border",
}


def table() -> str:
    """The table, as Markdown."""
    return HEAD + "".join(map(_row, Question))


def page(text: str) -> str:
    """The page with its table up to date."""
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", BEGIN + table() + END, text, flags=re.DOTALL)


def _row(question: Question) -> str:
    entry = question.entry
    share = f"{entry.budget_share:.0%}" if entry.budget_share else "none" if entry.level else "a rule"
    periods = ", ".join(entry.cadences)
    link = f"[{entry.title}](runbooks/{question}.md) (`{question}`)"
    return f"| {link} | {entry.meaning} | {ASKED_OF[entry.scope]} | {periods} | {share} |\n"


def main() -> None:
    """Write the table."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(page(target.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
