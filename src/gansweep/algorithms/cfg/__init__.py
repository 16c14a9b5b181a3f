"""Composite functional gradient learning (CFG): functional gradient steps on samples, then regression of a network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from gansweep.algorithms.breakdown import Breakdown
from gansweep.algorithms.cfg.functional_gradient import CompositeGenerator
from gansweep.algorithms.cfg.pack import CFGPack, Report
from gansweep.algorithms.refuse import of_a_game, refuse
from gansweep.batched.pack import PackSettings
from gansweep.interfaces import Feedback, Schedule
from gansweep.layers import Network
from gansweep.schedules.constant import Constant

__all__ = ["CFG", "CFGPack", "Report"]


@dataclass(frozen=True)
class CFG:
    """Composite functional gradient learning: move samples along the input gradient of D, then fit a network to them.

        D_t:  critic_steps (U) updates of the loss on real samples and G_{t-1}(z)
        G_t(z) = G_{t-1}(z) + eta dD_t/dx (G_{t-1}(z)),   t = 1 ... T,   G_0 = G~
        G~:   minimises 1/2 mean_i || G~(z_i) - G_T(z_i) ||^2 over N pairs, with a reset optimizer state

    Johnson and Zhang 2018, arXiv:1801.06309, and the long version, IEEE TPAMI 43(1), 2021; details as in their
    PyTorch code. With the logistic loss, D estimates ln p*(x) / p_G(x), and a step along its input gradient lowers
    KL(p* || p_G); there is no minimax game. One step of a run is one stage of xICFG, as above. A large U trains
    every D_t to convergence (CFG); few stages with a large T are ICFG. Samples for pictures and metrics are G_T(z)
    of the last stage, from the G~ at its start, clipped to [-1, 1]. G~ is initialised by a fit to
    clip(W^T z, -1, 1) with W ~ N(0, start_std^2). It generates with running statistics and is fitted with batch
    statistics. If D has batch norm, functional gradient steps use batches of the training batch size.

    eta, its schedule and its feedback may differ between the members of a pack.

    Args:
        eta: base size of a functional gradient step, multiplied by `schedule_eta` and the gain of `feedback_eta`.
        num_pushes: T, functional gradient steps per stage.
        num_pairs: N, pairs of the fit.
        pool: use one draw of N latents per stage for D and for the fit; else new latents for every update of D.
        fit_epochs: passes over the pairs.
        fit_decay: factor of the approximator's rate after an epoch whose mean loss has risen.
        max_fit_decays: largest number of reductions per stage; the next stage starts at the scheduled rate.
        start_std: standard deviation of the entries of W.
        max_gap: largest difference of D's mean logits on real and generated samples at the end of a stage; a run
            that exceeds it has diverged. null: no bound.
        gap_after: number of first stages in which `max_gap` is not checked.
        guard: breakdown guard.
        schedule_eta: multiplier of eta.
        feedback_eta: adaptive gain on eta that monitors the metric; null for 1.
    """

    eta: float = 0.5
    num_pushes: int = 15
    num_pairs: int = 640
    pool: bool = False
    fit_epochs: int = 10
    fit_decay: float = 0.1
    max_fit_decays: int = 3
    start_std: float = 0.01
    max_gap: float | None = 40.0
    gap_after: int = 2000
    guard: Breakdown = field(default_factory=Breakdown)
    indexes_samples: ClassVar[bool] = True
    schedule_eta: Schedule = field(default_factory=Constant)
    feedback_eta: Feedback | None = None

    def __post_init__(self) -> None:
        if not 0 < self.eta < math.inf:
            raise ValueError(f"eta={self.eta}: expected a number above 0, e.g. 0.5")
        for name in ("num_pushes", "num_pairs", "fit_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number, at least 1")
        for name in ("max_fit_decays", "gap_after"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number, 0 or above")
        if not 0 < self.fit_decay <= 1:
            raise ValueError(f"fit_decay={self.fit_decay}: expected 0 < fit_decay <= 1")
        if not 0 <= self.start_std < math.inf:
            raise ValueError(f"start_std={self.start_std}: expected a number, 0 or above")
        if self.max_gap is not None and not 0 < self.max_gap < math.inf:
            raise ValueError(f"max_gap={self.max_gap}: expected a number above 0, or null for none")
        if self.feedback_eta is not None and self.feedback_eta.monitors == "game":
            wrong = f"feedback_eta={self.feedback_eta!r}: monitors the discriminator's loss and changes only its rate"
            raise ValueError(f"{wrong}; expected plateau, or null")

    @property
    def monitors_metric(self) -> bool:
        """Whether the feedback of eta monitors the metric."""
        return self.feedback_eta is not None and self.feedback_eta.monitors == "metric"

    def eta_at(self, step: int, total_steps: int) -> float:
        """Return the size of a functional gradient step in a stage, before feedback."""
        return self.eta * self.schedule_eta(step, total_steps)

    def check(self, run: Any) -> None:
        """Raise ValueError if the run has unsupported settings, with one line for each."""
        member, objective, rule = run.member, run.member.objective, run.member.generator.rule
        plain = "expected loss=standard, or it with penalties, e.g. loss=r1"
        shape = tuple(run.data.sample_shape)
        networks = (run.model.generator(shape), run.model.discriminator(shape))
        problems = [
            *of_a_game(run),
            (
                member.ema is not None,
                f"trainer.ema={member.ema}: functional gradient steps start at the generator they were computed for, "
                "expected null",
            ),
            (
                hasattr(rule, "evaluated"),
                f"optimizer={rule!r}: keeps averages that every stage would reset, expected e.g. rmsprop or adam",
            ),
            (
                objective.game.relativistic,
                f"loss.game={objective.game!r}: pairs real samples with generated ones; {plain}",
            ),
            (
                objective.clip is not None,
                f"loss.clip={objective.clip}: functional gradient steps need unbounded input gradients; {plain}",
            ),
            (objective.flip > 0, f"loss.flip={objective.flip}: label flips are not supported, expected 0"),
            (
                objective.instance_noise > 0,
                f"loss.instance_noise={objective.instance_noise}: functional gradient steps use samples without noise, "
                "expected 0",
            ),
            (
                any(network.draws for network in networks),
                f"model={run.model!r}: has dropout, expected networks without, e.g. model.dropout=0",
            ),
        ]
        refuse(problems, "algorithm=cfg: goes with loss=standard model.dropout=0, as in experiment=cfg/mnist")
        try:
            self.schedule_eta.check(run.steps)
        except ValueError as error:
            raise ValueError(f"algorithm.schedule_eta: {error}") from None

    def sampler(
        self, generator: Network, discriminator: Network, latent_dim: int, saved: Mapping[str, Any], batch_size: int
    ) -> CompositeGenerator:
        """Return the module that maps z to the samples that are evaluated, for the saved state of a member."""
        origin = saved["origin"]
        buffers = {name: value[None] for name, value in origin["buffers"].items()}
        start = generator.module(generator.state_dict(origin["theta"][None], buffers), (latent_dim,), "Generator")
        return CompositeGenerator(start, discriminator, saved["pushes"], batch_size)

    def pack(self, runs: Sequence[Any], samples: Tensor) -> CFGPack:
        """Return the pack of runs that differ in their members and eta only."""
        algorithms = [run.algorithm for run in runs if isinstance(run.algorithm, CFG)]
        run = runs[0]
        return CFGPack(
            [each.member for each in runs],
            run.model,
            samples,
            PackSettings.of(run),
            algorithms=algorithms,
            critic_steps=run.critic_steps,
        )
