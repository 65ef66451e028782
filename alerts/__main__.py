"""`python -m alerts` runs one alerts worker."""

import importlib
import sys

from streams.runtime.ending import end_at_once

if __name__ == "__main__":
    end_at_once()
    sys.exit(importlib.import_module("alerts.worker.app").main())
