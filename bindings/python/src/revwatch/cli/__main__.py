"""`python -m revwatch.cli` is the command `revwatch`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
