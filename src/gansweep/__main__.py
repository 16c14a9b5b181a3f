"""What `python -m gansweep` runs."""

from gansweep.cli.app import main

if __name__ == "__main__":
    main()
