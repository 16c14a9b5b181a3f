"""Entry point of the command line: Hydra's, with one block for all configuration errors and with exit codes.

Exit codes: 0 every cell has a result, 1 some cells failed, 2 the configuration is not valid, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra._internal import hydra as hydra_module
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from gansweep import console
from gansweep.cli import folders, grid
from gansweep.cli.checked_loader import checked_loading
from gansweep.cli.compose_line import BASE, TRUSTED, composer_and_loader, jobs_of
from gansweep.cli.error_report import complain
from gansweep.cli.experiments import check_experiments
from gansweep.cli.includes import check_includes
from gansweep.cli.jobwise_hydra import JobwiseHydra
from gansweep.cli.override_spelling import name_as_typed, unreadable
from gansweep.cli.presets import spelled_out
from gansweep.cli.task import task
from gansweep.config.errors import BadConfig, Problem

INTERRUPTED = 130


def main() -> None:
    """Run the command line of this process."""
    console.protect()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Execute a command line and return the exit code."""
    asked = Asked(arguments)
    try:
        _refuse_flags(arguments)
        folders.check_config_dir(asked.config_dir)
        check_experiments(asked.overrides, asked.config_dir)
        asked.spell_out()
        if asked.trains:
            _refuse_values_without_multirun(asked)
        _hand_to_hydra(asked)
    except BadConfig as error:
        others = [problem for problem in error.problems if problem.where not in ("search", "+search")]
        unsearched = _search_without_optuna(asked) if len(others) < len(error.problems) else []
        return complain([*unsearched, *others] if unsearched else error.problems, "trained")
    except OverrideParseException as error:
        return complain([unreadable(error, asked.overrides)], "trained")
    except (HydraException, OmegaConfBaseException) as error:
        text = str(error).strip()
        unsearched = _search_without_optuna(asked) if "search" in text or "GridSweeper" in text else []
        others = [problem for problem in _explain(asked) if not (unsearched and "search=" in problem.where)]
        return complain([*unsearched, *others] or [Problem("configuration", text)], "trained")
    except YAMLError as error:
        return complain([Problem("configuration", " ".join(str(error).split()))], "trained")
    except (
        TypeError,
        ValueError,
    ) as error:  # raised by Hydra 1.4 for +search without Optuna and for a choice that is not text
        problems = _search_without_optuna(asked) if isinstance(error, TypeError) else _explain(asked)
        if str(error).startswith("Unable to configure"):  # of logging.config
            problems = [Problem("hydra.hydra_logging", f"{error}: {error.__cause__}")]
        if not problems:
            raise
        return complain(problems, "trained")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reading end, such as head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


class Asked:
    """Parsed arguments of a command line.

    A single run is executed as a sweep of one cell, so its directory, record and table have the same form as
    those of a sweep. `--multirun` is therefore always passed to Hydra.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        parser.add_argument("--run", "-r", action="store_true")
        parser.add_argument("--multirun", "-m", action="store_true")
        parser.add_argument("--config-dir", "-cd")
        parser.add_argument("--cfg", "-c")
        parser.add_argument("--package", "-p")
        parser.add_argument("--info", "-i", nargs="?", const="all")
        known, rest = parser.parse_known_args(list(arguments))
        self.arguments = list(arguments)
        self.multirun: bool = known.multirun
        self.config_dir: str | None = known.config_dir
        self.overrides = [argument for argument in rest if not argument.startswith("-")]
        shows = known.cfg or known.info or len(self.overrides) < len(rest)
        self.trains = not shows
        switches = ("--run", "-r", "--multirun", "-m", *self.overrides)
        options = [argument for argument in arguments if argument not in switches]
        # Hydra accepts overrides only as one contiguous block.
        self.for_hydra = [*options, "--multirun", *self.overrides] if self.trains else self.arguments

    def spell_out(self) -> None:
        """Rewrite presets and the name of the sweep into the form that Hydra parses."""
        written = name_as_typed(spelled_out(self.overrides, self.config_dir))
        spelled = dict(zip(self.overrides, written, strict=True))
        self.for_hydra = [spelled.get(argument, argument) for argument in self.for_hydra]
        self.overrides = list(spelled.values())
        check_includes(self.overrides, self.config_dir)


def _hand_to_hydra(asked: Asked) -> None:
    app = hydra.main(config_path=str(folders.conf_dir()), config_name="config", **BASE, **TRUSTED)(task)
    from gansweep.cli import sweep_callback, sweeping

    if asked.trains:
        sweeping.ARGUMENTS[:] = asked.arguments
    argv, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    # With HYDRA_FULL_ERROR Hydra does not catch exceptions; `run` reports them.
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = ["gansweep", *asked.for_hydra], "1"
    original, hydra_module.Hydra = hydra_module.Hydra, JobwiseHydra
    try:
        with checked_loading():
            app()
    finally:
        hydra_module.Hydra = original
        if asked.trains:
            sweep_callback.report(sweeping.command())
        sys.argv = argv
        if full is None:
            del os.environ["HYDRA_FULL_ERROR"]


def _refuse_flags(arguments: Sequence[str]) -> None:
    """Refuse Hydra's flags that unpickle a file or replace the main configuration.

    The flags are parsed with Hydra's own parser, because it accepts abbreviations.

    Raises:
        BadConfig: one of these flags is given.
    """
    flags, _ = get_args_parser().parse_known_args(list(arguments))
    refused = {
        "--experimental-rerun": (flags.experimental_rerun, "unpickles a file; repeat the command line instead"),
        "--config-path": (flags.config_path, "is not supported; expected --config-dir DIRECTORY"),
        "--config-name": (flags.config_name, "is not supported; expected experiment=NAME with --config-dir DIRECTORY"),
    }
    problems = [Problem(flag, f"={value}: {why}") for flag, (value, why) in refused.items() if value is not None]
    if problems:
        raise BadConfig(problems)


def _refuse_values_without_multirun(asked: Asked) -> None:
    """Refuse several values of one key without -m."""
    parsed = OverridesParser.create().parse_overrides(asked.overrides)
    several = [override for override in parsed if override.is_sweep_override()]
    if several and not asked.multirun:
        raise BadConfig(
            Problem(
                override.get_key_element(),
                f"={override.get_value_string()}: several values. Add -m to train every combination, "
                f"or write {override.get_key_element()}=[...] for a list",
            )
            for override in several
        )


def _search_without_optuna(asked: Asked) -> list[Problem]:
    """Return a problem for every use of the group `search` without Optuna's sweeper."""
    parsed = OverridesParser.create().parse_overrides(asked.overrides)
    sweeper = any(override.key_or_group == "hydra/sweeper" for override in parsed)
    return [
        Problem(
            override.get_key_element(),
            f"={override.value()}: requires Optuna. After pip install 'gansweep[optuna]' "
            f"write -m hydra/sweeper=optuna +search={override.value()}",
        )
        for override in parsed
        if override.key_or_group == "search" and not (sweeper and override.is_add())
    ]


def _explain(asked: Asked) -> list[Problem]:
    """Compose the jobs of a line that Hydra refused one by one, and return all problems."""
    with composer_and_loader(asked.config_dir) as (composer, loader):
        try:
            grid.compose(composer, jobs_of(loader, asked.overrides), Path())
        except BadConfig as error:
            return error.problems
        except (HydraException, OmegaConfBaseException):
            return []
    return []
