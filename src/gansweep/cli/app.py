"""The command line. It adds to Hydra's: one clear block for all mistakes, and exit codes.

0 every cell has a result, 1 some failed, 2 the configuration is wrong, 130 interrupted
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
    """Do what the arguments say, and return the exit code."""
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
    except (TypeError, ValueError) as error:  # Hydra 1.4's, about +search without Optuna; a choice that is not text
        problems = _search_without_optuna(asked) if isinstance(error, TypeError) else _explain(asked)
        if not problems:
            raise
        return complain(problems, "trained")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


class Asked:
    """What the arguments ask for.

    A single run is a sweep of one cell, so that its directory, its record and its table are
    those of a sweep; all that Hydra is told is `--multirun`.
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
        # Hydra takes overrides in one piece only.
        self.for_hydra = [*options, "--multirun", *self.overrides] if self.trains else self.arguments

    def spell_out(self) -> None:
        """Write an experiment's presets and the name of the sweep as Hydra reads them."""
        written = name_as_typed(spelled_out(self.overrides, self.config_dir))
        spelled = dict(zip(self.overrides, written, strict=True))
        self.for_hydra = [spelled.get(argument, argument) for argument in self.for_hydra]
        self.overrides = list(spelled.values())
        check_includes(self.overrides, self.config_dir)


def _hand_to_hydra(asked: Asked) -> None:
    app = hydra.main(config_path=str(folders.conf_dir()), config_name="config", **BASE, **TRUSTED)(task)
    if asked.trains:
        from gansweep.cli import sweep_callback, sweeping

        sweeping.ARGUMENTS[:] = asked.arguments
    argv, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    # With this Hydra lets exceptions through, and we say what is wrong instead.
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = ["gansweep", *asked.for_hydra], "1"
    hydras_own, hydra_module.Hydra = hydra_module.Hydra, JobwiseHydra
    try:
        with checked_loading():
            app()
    finally:
        hydra_module.Hydra = hydras_own
        if asked.trains:
            sweep_callback.report(sweeping.command())
        sys.argv = argv
        if full is None:
            del os.environ["HYDRA_FULL_ERROR"]


def _refuse_flags(arguments: Sequence[str]) -> None:
    """Refuse Hydra's flags that unpickle a file, or take another configuration than ours for the main one.

    Hydra's own parser reads them, since it accepts abbreviations.
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
    """Say what the group `search` is for, unless it is asked for as it should be."""
    parsed = OverridesParser.create().parse_overrides(asked.overrides)
    sweeper = any(override.key_or_group == "hydra/sweeper" for override in parsed)
    return [
        Problem(
            override.get_key_element(),
            f"={override.value()}: is for Optuna. After pip install 'gansweep[optuna]' "
            f"write -m hydra/sweeper=optuna +search={override.value()}",
        )
        for override in parsed
        if override.key_or_group == "search" and not (sweeper and override.is_add())
    ]


def _explain(asked: Asked) -> list[Problem]:
    """Look at every job of a line that Hydra could not compose for all that is wrong."""
    with composer_and_loader(asked.config_dir) as (composer, loader):
        try:
            grid.compose(composer, jobs_of(loader, asked.overrides), Path())
        except BadConfig as error:
            return error.problems
        except (HydraException, OmegaConfBaseException):
            return []
    return []
