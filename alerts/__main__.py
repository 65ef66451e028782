"""`python -m alerts` runs one alerts worker."""

import sys

from alerts.worker.app import main

if __name__ == "__main__":
    sys.exit(main())
