"""`python -m streams` runs one streams worker."""

import sys

from streams.worker.app import main

if __name__ == "__main__":
    sys.exit(main())
