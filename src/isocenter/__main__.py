"""`python -m isocenter` is the command `isocenter`."""

import sys

from isocenter.faces.cli import main

if __name__ == "__main__":
    sys.exit(main())
