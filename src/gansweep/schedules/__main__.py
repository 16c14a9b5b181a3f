"""Entry point of `python -m gansweep.schedules`."""

import sys

from gansweep.cli.schedules import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
