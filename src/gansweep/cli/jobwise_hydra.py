"""Composition of the command line as a whole, from which Hydra takes sweeper, launcher and directories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from hydra._internal.hydra import Hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig

from gansweep.cli.combinations import combinations
from gansweep.cli.experiments import KEY
from gansweep.config.errors import BadConfig

# Exceptions that Hydra raises for overrides that it can't compose; the last two for choices that are not text.
REFUSED = (ConfigCompositionException, ValueError, TypeError)


class JobwiseHydra(Hydra):
    """Hydra with a multirun composition that accepts every override which its jobs accept.

    Hydra composes the line without the swept values, and refuses
    `optimizer=sgd,rmsprop optimizer.momentum=0.9` because the default optimizer has no momentum. In
    that case this class composes the first job instead, or else only the settings of Hydra. Errors in
    a job are reported when the sweeper composes it.
    """

    def compose_config(self, *args: Any, **kwargs: Any) -> DictConfig:
        """Return the configuration of a command line; the arguments are those of `Hydra.compose_config`."""
        try:
            return super().compose_config(*args, **kwargs)
        except BadConfig:  # a ValueError too
            raise
        except REFUSED:
            if kwargs["run_mode"] is not RunMode.MULTIRUN:
                raise
            if "parsed_overrides" in kwargs:  # Hydra 1.4: the parsed overrides of the whole line
                kwargs["parsed_overrides"] = None
            typed = OverridesParser.create(self.config_loader).parse_overrides(kwargs.pop("overrides"))
            for lines in _substitutes(typed):
                with suppress(*REFUSED):
                    config = super().compose_config(*args, overrides=lines, **kwargs)
                    config.hydra.overrides.task = [str(o.input_line) for o in typed if not o.is_hydra_override()]
                    return config
            raise


def _substitutes(typed: Sequence[Override]) -> Iterator[list[str]]:
    """Yield overrides to compose instead of the line: those of its first job, then only the settings of Hydra.

    A swept `experiment` is left out: Hydra does not read the Hydra settings of a swept experiment either.
    """
    hydra = [str(o.input_line) for o in typed if o.is_hydra_override()]
    task = [o for o in typed if not o.is_hydra_override()]
    with suppress(BadConfig):
        (first, *_) = combinations([o for o in task if o.key_or_group != KEY or not o.is_sweep_override()])
        yield [*hydra, *first]
    yield [*hydra, *(str(o.input_line) for o in task if o.key_or_group == "name" and not o.is_sweep_override())]
