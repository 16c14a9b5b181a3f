"""Entry point of `python -m gansweep.edge`."""

import sys

from gansweep.cli.edge import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
