"""Entry point of `python -m gansweep.measure`."""

import sys

from gansweep.cli.measure import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
