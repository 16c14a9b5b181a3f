"""Entry point of `python -m gansweep.check`."""

import sys

from gansweep.cli.check import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
