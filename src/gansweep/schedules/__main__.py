"""What `python -m gansweep.schedules` runs."""

import sys

from gansweep.cli.schedules import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
