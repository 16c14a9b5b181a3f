"""Entry point of `python -m gansweep`, which trains unless the first word is another command."""

import sys

from gansweep.commands import COMMANDS, main

if __name__ == "__main__":
    sys.exit(main([*([] if sys.argv[1:2] and sys.argv[1] in COMMANDS else ["train"]), *sys.argv[1:]]))
