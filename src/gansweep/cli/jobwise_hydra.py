"""The configuration of a line as a whole, from which Hydra takes its sweeper, launcher and directories."""

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

# What Hydra raises on overrides that it can't compose; the last two on choices that are no text.
REFUSED = (ConfigCompositionException, ValueError, TypeError)


class JobwiseHydra(Hydra):
    """Hydra that accepts in a multirun what its jobs accept.

    Hydra composes the line without the values that are swept, and refuses
    `optimizer=sgd,rmsprop optimizer.momentum=0.9` because the default optimizer has no momentum. In
    that case this class composes the first job instead, or else the settings of Hydra alone. What is
    wrong with a job is found when the sweeper composes it.
    """

    def compose_config(self, *args: Any, **kwargs: Any) -> DictConfig:
        """Compose a line; arguments as Hydra has them."""
        try:
            return super().compose_config(*args, **kwargs)
        except BadConfig:  # a ValueError too
            raise
        except REFUSED:
            if kwargs["run_mode"] is not RunMode.MULTIRUN:
                raise
            if "parsed_overrides" in kwargs:  # since Hydra 1.4: those of the whole line
                kwargs["parsed_overrides"] = None
            typed = OverridesParser.create(self.config_loader).parse_overrides(kwargs.pop("overrides"))
            for lines in _substitutes(typed):
                with suppress(*REFUSED):
                    config = super().compose_config(*args, overrides=lines, **kwargs)
                    config.hydra.overrides.task = [str(one.input_line) for one in typed if not one.is_hydra_override()]
                    return config
            raise


def _substitutes(typed: Sequence[Override]) -> Iterator[list[str]]:
    """Yield what to compose in the place of a line: its first job, or no more than the settings of Hydra.

    Several experiments have no part in it, as where they are swept Hydra does not read what one of them sets for it.
    """
    hydra = [str(one.input_line) for one in typed if one.is_hydra_override()]
    task = [one for one in typed if not one.is_hydra_override()]
    with suppress(BadConfig):
        (first, *_) = combinations([one for one in task if one.key_or_group != KEY or not one.is_sweep_override()])
        yield [*hydra, *first]
    yield [*hydra, *(str(one.input_line) for one in task if one.key_or_group == "name" and not one.is_sweep_override())]
