"""A descriptor revises what a generator proposes, and both learn from the revision. This is the algorithm box."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from gansweep.algorithms.refuse import refuse
from gansweep.device import autocast
from gansweep.dynamics.alternating import Alternating
from gansweep.interfaces import Model
from gansweep.layers import Network, Pass
from gansweep.losses.wasserstein import Wasserstein
from gansweep.members.draws import Draws, normal
from gansweep.members.member import Member
from gansweep.members.pack import Pack, both, finite

if TYPE_CHECKING:
    from gansweep.training.run import Run

EXAMPLE = (
    "algorithm=coopnets: goes with loss=mean_difference model=coopnets data=texture metric=kid_texture, "
    "as in experiment=coopnets_table1/exp_7"
)


@dataclass(frozen=True)
class CoopNets:
    """Cooperative training of an energy-based descriptor f and a generator G.

        G0  z ~ N(0, I),  y = G(z)
        D1  langevin_steps times:  y <- y + delta^2 / 2 (df/dy - y / s_ref^2) + delta N(0, I)
        G1  latent_steps times:    z <- z + delta_z^2 / 2 ((dG/dz)^T (y - G(z)) / s_z^2 - z) + delta_z N(0, I)
        D2  psi   <- psi   + lr_d (mean_i df(x_i)/dpsi - mean_j df(y_j)/dpsi)
        G2  theta <- theta + lr   (1 / sigma^2) sum_j (dG(z_j)/dtheta)^T (y_j - G(z_j))

    Xie, Lu, Gao, Zhu and Wu 2018, arXiv:1609.09408, algorithm 1, for p(y) ~ exp(f(y) - ||y||^2 / (2 s_ref^2)).
    The defaults are those of Hill and Nijkamp 2017, "Learning-Rate Decay for Generator", as their code ran:
    without G1, and with what the paper does not tell:

    - The descriptor sees grey levels 0 ... 255 minus the mean picture of the data; delta and s_ref
      are in grey levels. G's range [-1, 1] is 0 ... 256.
    - Its gradient is divided, layer by layer, by the number of pixels that the layer puts out.
    - A gradient whose largest entry, parameter by parameter, is above a cap is scaled down to it. That
      is almost always so, which makes the rate the size of the step.
    - Their Langevin step missed a factor delta in the pull to zero, which shrinks by 0.85 instead of
      0.955 per step: `langevin_shrink=as_run`.

    Args:
        langevin_steps: of every chain, 40.
        delta: size of a Langevin step.
        s_ref: standard deviation of the descriptor's reference.
        langevin_shrink: corrected, or as_run for delta / 2 where delta^2 / 2 is meant.
        num_chains: chains of a step; null for as many as the batch has samples.
        sigma: standard deviation of a sample around G(z), in units of [-1, 1].
        generator_gradient: sum or mean over the chains.
        cap_discriminator: largest entry of a descriptor's gradient; null for no bound.
        cap_generator: the same of the generator's.
        latent_steps: of the inference of z, 0 in the study.
        delta_z: size of a step of that.
        s_z: standard deviation in it, in place of sigma.
    """

    langevin_steps: int = 40
    delta: float = 0.3
    s_ref: float = 1.0
    langevin_shrink: Literal["corrected", "as_run"] = "corrected"
    num_chains: int | None = None
    sigma: float = 0.3
    generator_gradient: Literal["sum", "mean"] = "sum"
    cap_discriminator: float | None = 20.0
    cap_generator: float | None = 8.0
    latent_steps: int = 0
    delta_z: float = 0.3
    s_z: float = 1.0

    def __post_init__(self) -> None:
        for name, accepted in (
            ("langevin_shrink", ("corrected", "as_run")),
            ("generator_gradient", ("sum", "mean")),
        ):
            if getattr(self, name) not in accepted:
                raise ValueError(f"{name}={getattr(self, name)}: expected {' or '.join(accepted)}")
        for name in ("langevin_steps", "latent_steps"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number, 0 or more")
        if self.num_chains is not None and self.num_chains < 1:
            raise ValueError(f"num_chains={self.num_chains}: expected 1 or more, or null for the batch size")
        for name in ("delta", "s_ref", "sigma", "cap_discriminator", "cap_generator", "delta_z", "s_z"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name}={value}: expected a number above 0")

    @property
    def keep(self) -> float:
        """What a Langevin step leaves of y where f is flat: 0.955, as run 0.85."""
        square = self.delta if self.langevin_shrink == "as_run" else self.delta**2
        return 1 - square / (2 * self.s_ref**2)

    def langevin(self, slope: Tensor, y: Tensor, noise: Tensor) -> Tensor:
        """Move chains y (K, B, ...) by one step, given df/dy and N(0, I)."""
        return self.keep * y + (self.delta**2 / 2) * slope + self.delta * noise

    def check(self, run: Run) -> None:
        """Raise ValueError, naming the settings, if a run's parts are those of another game."""
        objective, trainer, shape = run.member.objective, run.trainer, tuple(run.data.sample_shape)
        plain = not objective.penalties and objective.clip is None and not objective.flip
        own = isinstance(objective.game, Wasserstein) and plain and not objective.instance_noise
        networks = ("generator", "discriminator") if len(shape) == 3 else ()
        found = [
            (
                not own,
                f"loss={objective!r}: algorithm=coopnets has its own, the difference of means; "
                "expected loss=mean_difference",
            ),
            (
                # A loss that goes takes its critic steps along.
                run.critic_steps != (1 if own else objective.critic_steps),
                f"critic_steps={run.critic_steps}: algorithm=coopnets moves each player once, expected 1",
            ),
            (
                run.dynamics != Alternating(),
                f"dynamics={run.dynamics!r}: algorithm=coopnets has its own order, expected alternating",
            ),
            (trainer.compile, "trainer.compile=true: algorithm=coopnets can't be compiled, expected false"),
            (
                trainer.diagnose_every is not None,
                f"trainer.diagnose_every={trainer.diagnose_every}: there is no field of a game in "
                "algorithm=coopnets, expected null",
            ),
            (
                len(shape) != 3,
                f"data={run.data.name}: algorithm=coopnets trains on images (C, H, W), not on {shape}",
            ),
            *(self._untrainable(run.model, name, shape) for name in networks),
        ]
        refuse(found, EXAMPLE)

    @staticmethod
    def _untrainable(model: Model, name: str, shape: tuple[int, ...]) -> tuple[bool, str]:
        """Tell whether a network draws numbers, or lets samples of a batch know of each other as a descriptor."""
        network: Network = getattr(model, name)(shape)
        what = "dropout" if network.draws else "batch norm"
        return bool(network.draws) or (name == "discriminator" and network.couples_samples), (
            f"model={model!r}: its {name} has {what}, which algorithm=coopnets can't train; "
            "expected model=coopnets or one without"
        )

    def pack(self, runs: Sequence[Run], samples: Tensor) -> CoopNetsPack:
        """Put runs that share everything but their members side by side."""
        return CoopNetsPack.of(runs, samples, algorithm=self)


@dataclass
class Report:
    """What happened in one step; everything has one value per row of the pack.

    `steps` counts each member's steps so far; `moved` is how far the chains went, per entry, in grey levels.
    """

    steps: list[int]
    discriminator_loss: Tensor
    on_real: Tensor
    on_chains: Tensor
    discriminator_gradient: Tensor
    generator_loss: Tensor
    generator_gradient: Tensor
    moved: Tensor


@dataclass
class Revision:
    """What the generator learns from in a step: latents (K, B, ...) and what became of their samples, in [-1, 1]."""

    z: Tensor
    y: Tensor


class CoopNetsPack(Pack[Report]):
    """K pairs of a descriptor and a generator, each pair for itself.

    Args:
        members: what each of them chooses for itself.
        model: the pair of networks; the descriptor is its discriminator.
        samples: images (N, C, H, W) in [-1, 1], on the device to train on.
        algorithm: what a step is.
        draw_ahead: random numbers of many steps at once; by itself, wherever it is no CPU.
        shared: batch_size, precision, check_every and patience, see `Pack`.
    """

    def __init__(
        self,
        members: Sequence[Member],
        model: Model,
        samples: Tensor,
        algorithm: CoopNets,
        *,
        draw_ahead: bool | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(members, samples, both(model, samples), model.latent_dim, **shared)
        self.algorithm, self.d = algorithm, self.players["discriminator"]
        self.num_chains = algorithm.num_chains or self.batch_size
        self.mean = grey(samples).mean(0)
        self.areas = areas(self.d.network, [p[:1] for p in self.d.params()], samples[None, :1])
        self.last: Revision | None = None  # of the step before, which nothing in training looks at
        self.draws = self._plan(draw_ahead)

    def play(self) -> Report:
        """Take one step of every member."""
        z = self.draws.next("latents")
        with autocast(self.device, self.precision):
            fake = self.g.network(self.g.params(), z, Pass((), self.g.buffers))
        start = proposal(fake.float()) - self.mean
        y = self._revised(start)
        target = within_range(y + self.mean)
        z = self._inferred(z, target)
        real = grey(self.samples[self.draws.next("order")]) - self.mean
        (on_real, on_chains), d_gradient = self._descriptor_step(real, y)
        g_loss, g_gradient = self._generator_step(z, target)
        self.average()

        d_loss = on_chains - on_real
        self.watch.see(1, ~finite(fake), self.step)
        self.watch.see(2, ~d_loss.isfinite(), self.step)
        self.watch.see(3, ~g_loss.isfinite(), self.step)
        self.look(fake, g_gradient)
        self.last = Revision(z, target)
        moved = (y - start).flatten(1).abs().mean(1)
        return Report(list(self.done), d_loss, on_real, on_chains, d_gradient, g_loss, g_gradient, moved)

    def curves(self, report: Report, k: int) -> dict[str, Tensor]:
        """Name member k's losses, outputs, gradients as the rules were given them, and rates."""
        row = self.place[k]
        curves = {
            "loss/discriminator": report.discriminator_loss,
            "loss/generator": report.generator_loss,
            "logits/real": report.on_real,
            "logits/chains": report.on_chains,
            "chains/moved": report.moved,
            "gradient norm/discriminator": report.discriminator_gradient,
            "gradient norm/generator": report.generator_gradient,
            "rate/discriminator": self.d.lr[:, 0],
            "rate/generator": self.g.lr[:, 0],
        }
        return {tag: value[row] for tag, value in curves.items()}

    @torch.no_grad()
    def kept(self, k: int) -> dict[str, float]:
        """Measure the reconstruction error mean |G(z) - y|, by the generator as it is after its step.

        That is what Hill and Nijkamp 2017 call the loss: per colour value of the last batch's chains, in
        units of [-1, 1].
        """
        if self.last is None:
            return {}
        row = slice(self.place[k], self.place[k] + 1)
        buffers = {name: buffer[row] for name, buffer in self.g.buffers.items()}
        with autocast(self.device, self.precision):
            again = self.g.network([p[row] for p in self.g.params()], self.last.z[row], Pass((), buffers))
        return {"reconstruction_error": float((again - self.last.y[row]).abs().mean())}

    def pictures(self, k: int) -> dict[str, Tensor]:
        """Show the descriptor's samples: where the chains of the last step ended."""
        return {} if self.last is None else {"descriptor": self.last.y[self.place[k]]}

    def _revised(self, y: Tensor) -> Tensor:
        """D1: let the descriptor move chains by Langevin's dynamics, in grey levels around the mean."""
        params, buffers = self.d.params(), self.d.buffers
        for _ in range(self.algorithm.langevin_steps):
            with autocast(self.device, self.precision):
                slope = self.d.network.input_gradient(params, y, Pass((), buffers)).detach()
            y = self.algorithm.langevin(slope, y, self.draws.next("langevin"))
        return y

    def _inferred(self, z: Tensor, y: Tensor) -> Tensor:
        """G1: let the latents follow what became of their samples."""
        a, params = self.algorithm, self.g.params()
        for _ in range(a.latent_steps):
            with torch.enable_grad(), autocast(self.device, self.precision):
                z = z.detach().requires_grad_()
                error = (y - self.g.network(params, z, Pass((), self.g.buffers))).square().sum() / 2
                (slope,) = torch.autograd.grad(error, z)
            z = z.detach()
            z = z - (a.delta_z**2 / 2) * (slope / a.s_z**2 + z) + a.delta_z * self.draws.next("latent_langevin")
        return z

    def _descriptor_step(self, real: Tensor, y: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """D2: raise f on data and lower it on chains; returns both means (K,) and the gradient's norm (K,)."""

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass((), self.d.buffers)
            f = self.d.network(params, torch.cat([real, y], 1), state)[..., 0]
            on_real, on_chains = f[:, : real.shape[1]].mean(1), f[:, real.shape[1] :].mean(1)
            return (on_chains - on_real).sum(), ((on_real.detach(), on_chains.detach()), state.updates)

        def shaped(gradients: Sequence[Tensor]) -> Sequence[Tensor]:
            cap = self.algorithm.cap_discriminator
            return [capped(g / area, cap) for g, area in zip(gradients, self.areas, strict=True)]

        with autocast(self.device, self.precision):
            (means, buffers), gradient = self.d.descend(losses, lambda kept: kept[0][1] - kept[0][0], shaped)
        self.d.keep_buffers(buffers)
        return means, gradient

    def _generator_step(self, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """G2: regress y on z; returns the losses (K,) and the gradient's norm (K,)."""
        a = self.algorithm
        count = y.shape[1] if a.generator_gradient == "mean" else 1

        def losses(params: Sequence[Tensor]) -> tuple[Tensor, Any]:
            state = Pass((), self.g.buffers)
            error = y - self.g.network(params, z, state)
            loss = error.flatten(2).square().sum(2).sum(1) / (2 * a.sigma**2 * count)
            return loss.sum(), (loss.detach(), state.updates)

        with autocast(self.device, self.precision):
            (loss, buffers), gradient = self.g.descend(
                losses, shape=lambda gradients: [capped(g, a.cap_generator) for g in gradients]
            )
        self.g.keep_buffers(buffers)
        return loss, gradient

    def _plan(self, ahead: bool | None) -> Draws:
        """Say what a step takes of every stream."""
        a, chains, device = self.algorithm, self.num_chains, self.device
        draws = Draws(self.streams, device, ahead=ahead)
        draws.plan_batches(len(self.samples), self.batch_size, 1)
        draws.plan("latents", [normal(chains, self.latent_dim, device=device)])
        draws.plan("langevin", [normal(chains, *self.samples.shape[1:], device=device)] * a.langevin_steps)
        draws.plan("latent_langevin", [normal(chains, self.latent_dim, device=device)] * a.latent_steps)
        return draws


def grey(images: Tensor) -> Tensor:
    """Turn [-1, 1] into the grey levels 0 ... 255 that the pictures were stored in.

    >>> grey(torch.tensor([-1.0, 1.0]))
    tensor([  0., 255.])
    """
    return (images + 1) * 127.5


def proposal(fake: Tensor) -> Tensor:
    """Turn what a generator made into the grey levels where chains begin.

    >>> proposal(torch.tensor([-1.0, 0.0, 0.001, 1.0]))
    tensor([  0., 128., 128., 256.])
    """
    return (128 * (fake + 1)).floor()


def within_range(levels: Tensor) -> Tensor:
    """Turn grey levels into what a generator can make.

    >>> within_range(torch.tensor([-40.0, 128.0, 300.0]))
    tensor([-0.9999,  0.0000,  0.9999])
    """
    return levels.clamp(0.01, 255.99) / 128 - 1


def capped(gradient: Tensor, cap: float | None) -> Tensor:
    """Scale every member's gradient (K, ...) of a parameter down to a largest entry of `cap`.

    >>> capped(torch.tensor([[16.0, -4.0], [4.0, 1.0]]), 8.0)
    tensor([[ 8., -2.],
            [ 4.,  1.]])
    """
    if cap is None:
        return gradient
    largest = gradient.flatten(1).abs().amax(1)
    factor = torch.where(largest > cap, cap / largest, 1.0)
    return gradient * factor.view(-1, *[1] * (gradient.ndim - 1))


def areas(network: Network, params: Sequence[Tensor], x: Tensor) -> list[int]:
    """Count for every parameter of a network the pixels that its layer puts out for x (1, 1, ...)."""
    found, at, state = [], 0, Pass(buffers=network.initial_buffers(1, x.device), training=False)
    for layer in network.layers:
        own = params[at : at + len(layer.slots)]
        x, at = layer.forward(own, x, state), at + len(layer.slots)
        found += [math.prod(x.shape[3:])] * len(own)
    return found
