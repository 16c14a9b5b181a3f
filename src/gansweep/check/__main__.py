"""What `python -m gansweep.check` runs."""

import sys

from gansweep.cli.check import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
