"""Report section: phase portraits of Dirac-GAN runs, paths of (theta, psi) over the gradient vector field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gansweep.plot_style import num_columns, panels, styled
from gansweep.report.verdict import Verdict
from gansweep.results.configuration import Configuration
from gansweep.section import Paragraph, Picture, Section
from gansweep.sweep.cell import Result
from gansweep.sweep.identity import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gansweep.training.run import Run


CAPTION = "Phase portraits: path of the parameters of both players over the gradient vector field of the game"
MAX_SHOWN = 20
FARTHEST = 2.5  # a panel extends to at most this factor times the largest start coordinate


def section(verdict: Verdict) -> Section | None:
    """Return the section; None if no run has exactly two parameters."""
    if not of_two_numbers(verdict):
        return None
    some = (
        f"The first {MAX_SHOWN} configurations are shown. "
        if len(verdict.leaderboard.configurations) > MAX_SHOWN
        else ""
    )
    text = (
        "The generator has one parameter, theta, and the discriminator has one, psi. Training is a path in the "
        f"(theta, psi) plane; the equilibrium is the centre. {some}Arrows show the direction of a plain gradient step "
        "with the run's loss and dynamics; a darker arrow is a longer step. The discriminator is high on real samples; "
        "the figures of Mescheder et al. 2018 use the opposite sign of psi. r is the distance from the equilibrium. "
        "With several seeds, the run with the median value is shown."
    )
    picture = Picture(CAPTION, partial(portraits_picture, verdict), name="phase_portraits")
    return Section("Phase portraits", [Paragraph(text), picture], needs_pictures=True)


def of_two_numbers(verdict: Verdict) -> bool:
    """Return whether some runs have one parameter per player."""
    return any(is_of_two_numbers(result.record) for result in verdict.leaderboard.results)


def portraits_picture(verdict: Verdict) -> Figure:
    """Draw one panel per configuration, the first twenty in grid order, all with the same axis limits."""
    from gansweep.dirac.pictures import draw_field, draw_path, frame, key

    shown = shown_runs(verdict)[:MAX_SHOWN]
    paths = [run.positions for _, run in shown]
    edge, columns = extent(paths), num_columns(len(shown))
    with styled():
        figure, axes = panels(len(shown), columns, "", (2.4, 2.6))
        for n, (axis, (configuration, run), positions) in enumerate(zip(axes, shown, paths, strict=True)):
            if run.field is not None:
                draw_field(axis, run.field, edge)
            else:
                frame(axis, edge)
            draw_path(axis, positions)
            axis.set_title(f"{_name(configuration)}\n{_end(run, positions)}", fontsize=8)
            axis.locator_params(nbins=5)
            axis.set(
                xlabel="$\\theta$ (generator)" if n + columns >= len(shown) else "",
                ylabel="$\\psi$ (discriminator)" if n % columns == 0 else "",
            )
        dots = _dots({run.spacing for _, run in shown})
        figure.legend(handles=key(dots), loc="outside lower center", ncols=4 if columns > 2 else 2)
    return figure


def shown_runs(verdict: Verdict) -> list[tuple[Configuration, TwoNumbers]]:
    """Return the configurations with a recorded path, each with its run of median value."""
    shown = []
    for place, configuration in enumerate(verdict.leaderboard.configurations):
        seed = verdict.median_run(place) if verdict.scores[place] else next(iter(configuration.runs))
        if is_of_two_numbers(configuration.runs[seed].record):
            shown.append((configuration, TwoNumbers(configuration.runs[seed])))
    return shown


def extent(paths: Sequence[np.ndarray]) -> float:
    """Return the half width of the square that contains all paths, limited to `FARTHEST` times the largest start."""
    starts = max((float(np.abs(path[0]).max()) for path in paths if len(path)), default=1.0) or 1.0
    reached = max((float(np.abs(path).max()) for path in paths if len(path)), default=1.0)
    return 1.1 * min(max(reached, starts), FARTHEST * starts)


def _dots(spacings: set[int]) -> str:
    if len(spacings) > 1:
        return "path"
    (steps,) = spacings
    return "path, one dot per step" if steps == 1 else f"path, one dot every {steps} steps"


def _name(configuration: Configuration) -> str:
    """Return the name of a configuration; text values are shown without their keys."""
    parts = (plain(v) if isinstance(v, str) else f"{key}={plain(v)}" for key, v in configuration.settings.items())
    return ", ".join(parts) or configuration.name


def _end(run: TwoNumbers, positions: np.ndarray) -> str:
    divergence = (run.result.record or {}).get("divergence")
    if divergence:
        return f"diverged at step {divergence['step']}"
    return f"r = {np.hypot(*positions[-1]):.2g} at the end" if len(positions) else ""


THETA, PSI = "theta", "psi"
STREAMS = "portrait/"


@dataclass(frozen=True)
class TwoNumbers:
    """Path of (theta, psi) from a run's record, and the gradient vector field of its game."""

    result: Result

    @property
    def positions(self) -> np.ndarray:
        """Points (T, 2) of theta and psi: the start if it can be rebuilt, then the recorded curve while finite."""
        start = [] if self._run is None else [self._start]
        path = np.array([*start, *self._recorded], dtype=float).reshape(-1, 2)
        broken = np.flatnonzero(~np.isfinite(path).all(1))
        return path[: broken[0]] if len(broken) else path

    @property
    def spacing(self) -> int:
        """Training steps between two points of the path."""
        steps = [point["step"] for point in (self.result.record or {}).get("curves", [])]
        return int(steps[0]) if steps else 0

    @property
    def field(self) -> Callable[[Any, Any], tuple[Any, Any]] | None:
        """Direction of a gradient step at (theta, psi); None for other algorithms or missing classes."""
        return None if self._run is None else self._directions

    @property
    def _recorded(self) -> list[tuple[Any, Any]]:
        points = (self.result.record or {}).get("curves", [])
        return [(point.get(THETA), point.get(PSI)) for point in points]

    @property
    def _start(self) -> tuple[float, float]:
        from gansweep.training.trainer import pack_of

        assert self._run is not None
        pack = pack_of([self._run])
        return pack.g.theta.item(), pack.players["discriminator"].theta.item()

    @cached_property
    def _run(self) -> Run | None:
        from gansweep.algorithms.adversarial import Adversarial
        from gansweep.plane.trained_cell import rebuilt

        run = rebuilt(self.result.cell).run
        return run if run is not None and isinstance(run.algorithm, Adversarial) else None

    def _directions(self, theta: np.ndarray, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the descent directions of both players at all points, evaluated as one pack by the run's dynamics.

        A plain gradient step is the generator's learning rate times this; the discriminator's direction is scaled by
        the ratio of the two learning rates.
        """
        import torch

        from gansweep.algorithms.adversarial.joint import Joint
        from gansweep.dynamics.position import Both
        from gansweep.training.trainer import pack_of

        class FieldOfGame(Joint):
            """The joint game; `descend` stores the gradient and does not move the parameters."""

            wanted: Both

            def descend(self, gradient: Both) -> None:
                self.wanted = gradient

        run = self._run
        assert run is not None
        pack: Any = pack_of([run] * theta.size)
        with torch.no_grad():
            for values in pack.scheduled:
                values.set(pack.done, pack.total_steps)
            inputs = pack.separate_inputs(STREAMS)
            game = FieldOfGame(pack.g, pack.d, pack.objectives, pack.precision, inputs, read_only=True)
            g, d = (torch.as_tensor(values.reshape(-1, 1), dtype=torch.float32) for values in (theta, psi))
            game.go_to(Both((g,), (d,)))
            if run.dynamics.joint:
                run.dynamics(game)
            else:
                game.wanted = game.field()
        step_g, step_d = (-part.detach().numpy().reshape(theta.shape) for part in game.wanted.parts)
        return step_g, step_d * (run.member.discriminator.lr / run.member.generator.lr)


def is_of_two_numbers(record: Mapping[str, Any] | None) -> bool:
    """Return whether a record holds a path of theta and psi."""
    points = (record or {}).get("curves") or [{}]
    return {THETA, PSI} <= points[0].keys()
