"""Write the OpenAPI document of the console's API.

`python -m surgewatch.reference.openapi [FILE]`
"""

import sys
from pathlib import Path
from typing import Final

from alerts.console.openapi import text

TARGET: Final = Path(__file__).parents[2] / "docs" / "openapi.json"


def main() -> None:
    """Write the document."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
