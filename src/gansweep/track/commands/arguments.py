"""Arguments that the commands of the GAN Track share."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gansweep.config.errors import SettingError


def add_entry(parser: ArgumentParser) -> None:
    """Add the track, the settings of an entry, and --config-dir."""
    parser.add_argument("track", help="name of a track, see `gansweep track list`")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY=VALUE",
        help="settings of the entry, which the track leaves free, and settings that cannot change a number, such as "
        "workers=1, pack=10, device=cpu, progress=off and allow=[my_package]",
    )
    parser.add_argument("--config-dir", "-cd", help="directory with further YAML files, for classes of your own")


def whole_number(option: str, text: object, least: int, most: int) -> int:
    """Return the number of an option.

    Raises:
        SettingError: it is not a whole number from `least` to `most`.
    """
    try:
        number = int(str(text))
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise SettingError(option, text, f"expected a whole number from {least} to {most}")
    return number


def typed(options: Namespace) -> str:
    """Return the options and settings to repeat in a further command, besides the settings of the entry."""
    process = [word for word in options.overrides if word.startswith("allow=")]
    return " ".join([*([f"--config-dir {options.config_dir}"] if options.config_dir else []), *process])
