"""Entry point of `python -m gansweep`."""

from gansweep.cli.app import main

if __name__ == "__main__":
    main()
