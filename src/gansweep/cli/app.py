"""Entry point of the command line: arguments, Hydra, exit codes, and one block for all configuration errors.

Exit codes: 0 every cell has a result, 1 some cells failed, 2 the configuration is not valid, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from gansweep import console
from gansweep.cli import grid
from gansweep.cli.error_report import complain, unreadable
from gansweep.cli.hydra_app import CONFIG, HydraApp, composer_and_loader, hydra_app, jobs_of, spelled_for_hydra
from gansweep.cli.job import task
from gansweep.cli.search_points import misplaced_intervals
from gansweep.config.errors import BadConfig, SettingError
from gansweep.console import INTERRUPTED, discard_output, say, versions
from gansweep.terminal_layout import for_terminal

GRID_SWEEPER = "hydra_plugins.gansweep.grid_sweeper.GridSweeper"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of this process, on protected streams, and return the exit code."""
    console.protect()
    return run(sys.argv[1:] if arguments is None else arguments)


def run(arguments: Sequence[str]) -> int:
    """Execute a command line and return the exit code."""
    try:
        _execute(list(arguments))
    except BadConfig as error:
        return complain(error.problems, "trained")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reading end, such as head, has closed the pipe
        discard_output(sys.stdout.fileno())
    return 0


def _execute(arguments: list[str]) -> None:
    """Train the sweep of a command line, or print what one of Hydra's options requests."""
    if "--version" in arguments:  # Hydra's own prints the version of Hydra only
        say(versions())
        return
    parser = get_args_parser()
    parser.prog = "gansweep"
    options = parser.parse_intermixed_args(arguments)
    _check_options(parser, options)
    with _bad_config(options.overrides, options.config_dir):
        overrides = options.overrides = spelled_for_hydra(options.overrides, options.config_dir)
        with hydra_app(options.config_dir, arguments) as app:
            if options.help:
                app.app_help(config_name=CONFIG, args_parser=parser, args=options)
            elif options.hydra_help:
                app.hydra_help(config_name=CONFIG, args_parser=parser, args=options)
            elif options.cfg:
                app.show_cfg(CONFIG, overrides, options.cfg, options.package, options.resolve)
            elif options.info:
                app.show_info(options.info, config_name=CONFIG, overrides=overrides)
            elif options.shell_completion:
                app.shell_completion(config_name=CONFIG, overrides=overrides)
            else:
                _check_overrides(overrides, options)
                _train(app, overrides)


def _train(app: HydraApp, overrides: list[str]) -> None:
    """Train all combinations.

    A single run is a sweep of one cell, so its directory, record and table have the same form as those of a sweep.
    """
    try:
        app.multirun(config_name=CONFIG, task_function=task, overrides=[*overrides, "hydra.mode=MULTIRUN"])
    finally:
        report_search(app)


def report_search(app: HydraApp) -> None:
    """Print the table of a sweep whose cells were chosen while it ran, for example by Optuna.

    Hydra 1.3 calls no callback at the end of a sweep in which a job failed.
    """
    config = app.multirun_config
    if config is None or config.hydra.sweeper["_target_"] == GRID_SWEEPER:
        return
    root = Path(str(config.hydra.sweep.dir)).absolute()
    if os.access(root, os.F_OK):  # False, not an error, for a name that is too long
        from gansweep.cli.sweeping import command
        from gansweep.results import table
        from gansweep.sweep.sweep import Sweep

        say(for_terminal(table.write(Sweep(root, [], command(app.config_loader)))))


def _check_options(parser: ArgumentParser, options: Namespace) -> None:
    """Refuse Hydra's options that unpickle a file or replace the main configuration, and combinations of options.

    Raises:
        BadConfig: one of these options is given.
        SystemExit: options that exclude each other.
    """
    refused = {
        "--experimental-rerun": (options.experimental_rerun, "unpickles a file; repeat the command line instead"),
        "--config-path": (options.config_path, "is not supported; expected --config-dir DIRECTORY"),
        "--config-name": (
            options.config_name,
            "is not supported; expected experiment=NAME with --config-dir DIRECTORY",
        ),
    }
    problems = [SettingError(name, value, why) for name, (value, why) in refused.items() if value is not None]
    if problems:
        raise BadConfig(problems)
    if sum(map(bool, (options.multirun, options.cfg, options.info, options.shell_completion))) > 1:
        parser.error("expected only one of --multirun, --cfg, --info and --shell-completion")
    requests = ("install=", "uninstall=", "query=")
    if options.shell_completion and sum(text.startswith(requests) for text in options.overrides) != 1:
        parser.error("--shell-completion: expected one of install=SHELL, uninstall=SHELL and query=SHELL")
    if options.resolve and not (options.cfg or options.help):
        parser.error("--resolve requires --cfg or --help")


def _check_overrides(overrides: list[str], options: Namespace) -> None:
    """Refuse several values of one key without -m, and the group `search` without Optuna's sweeper.

    Raises:
        BadConfig: with these problems; those of `search` together with the problems of the other overrides.
    """
    parsed = OverridesParser.create().parse_overrides(overrides)
    if misplaced := misplaced_intervals(parsed):
        raise BadConfig(misplaced)
    several = [override for override in parsed if override.is_sweep_override()]
    if several and not options.multirun:
        raise BadConfig(
            SettingError(
                override.get_key_element(),
                override.get_value_string(),
                "an interval; add -m and the number of points, such as num=16"
                if override.is_interval_sweep()
                else f"several values. Add -m to train every combination, "
                f"or write {override.get_key_element()}=[...] for a list",
            )
            for override in several
        )
    has_sweeper = any(override.key_or_group == "hydra/sweeper" for override in parsed)
    searches = [o for o in parsed if o.key_or_group == "search" and not (has_sweeper and o.is_add())]
    if searches:
        others = [str(override.input_line) for override in parsed if override not in searches]
        problems = [
            SettingError(
                override.get_key_element(),
                override.value(),
                f"requires Optuna. After pip install 'gansweep[optuna]' "
                f"write -m hydra/sweeper=optuna +search={override.value()}",
            )
            for override in searches
        ]
        raise BadConfig([*problems, *_problems_of_jobs(others, options.config_dir)])


@contextmanager
def _bad_config(overrides: list[str], config_dir: str | None) -> Iterator[None]:
    """Raise the exceptions of Hydra, OmegaConf and YAML in the block as BadConfig, with the problems of all jobs.

    Hydra raises TypeError and ValueError for a choice that is not text.
    """
    try:
        yield
        return
    except BadConfig as error:
        problems = error.problems
    except OverrideParseException as error:
        problems = [unreadable(error, overrides)]
    except YAMLError as error:
        problems = [SettingError("configuration", None, " ".join(str(error).split()))]
    except (HydraException, OmegaConfBaseException) as error:
        problems = _problems_of_jobs(overrides, config_dir) or [SettingError("configuration", None, str(error).strip())]
    except (TypeError, ValueError):
        problems = _problems_of_jobs(overrides, config_dir)
        if not problems:
            raise
    raise BadConfig(problems)


def _problems_of_jobs(overrides: list[str], config_dir: str | None) -> list[SettingError]:
    """Compose the jobs of a line that Hydra refused one by one, and return all problems."""
    try:
        with composer_and_loader(config_dir) as (composer, loader):
            grid.compose(composer, jobs_of(loader, spelled_for_hydra(overrides, config_dir)), Path())
    except BadConfig as error:
        return error.problems
    except (HydraException, OmegaConfBaseException):
        pass
    return []
