"""Player: one network of every member, with optimizer state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from gansweep.batched.clipping import Clipping
from gansweep.batched.fused_update import Outputs, can_fuse, fused_update, norms
from gansweep.batched.group import Group
from gansweep.batched.member import PlayerSettings, runs
from gansweep.batched.parameter_chunks import Chunks, parts_of, state_of_part
from gansweep.batched.scheduled import Gains, Scheduled
from gansweep.device import finest
from gansweep.interfaces import Beta, OnHost, Slot, UpdateContext
from gansweep.layers import Network

# parameters -> (sum of the members' losses (), auxiliary outputs of the pass)
Losses = Callable[[Sequence[Tensor]], tuple[Tensor, Any]]
# gradients of the slots, (K, *shape) each -> gradients that the update rules receive
Transform = Callable[[Sequence[Tensor]], Sequence[Tensor]]


class Player:
    """Parameters and optimizer state of K members, one row per member.

    The rows are stored in `Chunks`: with rules that are not elementwise as one, for fused updates as one aligned one.

    Args:
        network: architecture that the parameters belong to.
        settings: one per member.
        generators: random generator of every member, for initialisation.
    """

    def __init__(
        self,
        network: Network,
        settings: Sequence[PlayerSettings],
        generators: Sequence[torch.Generator],
    ) -> None:
        self.network, self.settings = network, tuple(settings)
        whole = not all(player.rule.elementwise for player in settings)
        rows = torch.stack([network.initial(generator) for generator in generators])
        self.device, self.fused = rows.device, not whole and can_fuse(rows.device)
        self.division = Chunks(network, whole=whole, aligned=self.fused)
        self.chunks = self.in_chunks(rows)
        self.buffers = network.initial_buffers(len(settings), self.device, self.params(), generators)
        self.updates = torch.zeros(len(settings), 1, dtype=finest(self.device), device=self.device)
        # Rules that use all parameters at a time may read it; on a CPU they read `updates`.
        self.updates_on_host = self.updates.cpu() if whole and self.device.type != "cpu" else None
        sizes = [self.division.widths[span] for span in self.division.spans]
        bounds = [player.clip_norm for player in settings], [player.clip_value for player in settings]
        self.clip = Clipping(*bounds, sizes, self.device)
        self.finite_gradients = torch.ones(len(settings), dtype=torch.bool, device=self.device)  # so far
        self.rates = Scheduled([player.rate for player in settings], self.device)
        self.lr, self.gains = self.rates.now, None
        if any(player.feedback is not None for player in settings):
            self.gains = Gains([player.feedback for player in settings], self.device)
            self.lr = torch.zeros_like(self.rates.now)  # current rate: schedule times gain
        self.betas, self.beta_products = None, torch.ones_like(self.updates)
        if any(player.beta_schedule is not None for player in settings):
            self.betas = Scheduled([player.beta for player in settings], self.device, rows.dtype)
        self.groups = [
            Group(rule, scheduled, rows, [rule.state(slots, theta[rows]) for slots, theta in self._walk()])
            for (rule, scheduled), rows in runs((player.rule, player.beta_schedule is not None) for player in settings)
        ]
        self.averages = [getattr(group.rule, "evaluated", None) for group in self.groups]

    @property
    def scheduled(self) -> list[Scheduled]:
        """Scheduled values to be set before every step."""
        return [self.rates] if self.betas is None else [self.rates, self.betas]

    def _walk(self) -> Iterator[tuple[Sequence[Slot], Tensor]]:
        return zip(self.division.slots, self.chunks, strict=True)

    @property
    def theta(self) -> Tensor:
        """Copy of the parameters (K, P)."""
        return self.division.join(self.chunks)

    def in_chunks(self, rows: Tensor) -> list[Tensor]:
        """Return rows (..., P) split into chunks, each a contiguous copy."""
        return self.division.divide(rows)

    def row(self, k: int, chunks: Sequence[Tensor] | None = None) -> Tensor:
        """Return a copy (P,) of the row of member k in chunks, by default in the player's chunks."""
        return self.division.join([theta[k] for theta in chunks or self.chunks])

    def params(self, chunks: Sequence[Tensor] | None = None) -> list[Tensor]:
        """Return views (K, *shape) of every slot into chunks. Default: the player's chunks."""
        return self.division.params(self.chunks if chunks is None else chunks)

    def evaluated(self) -> list[Tensor]:
        """Return the chunks for evaluation: the trained ones, unless a rule has separate evaluation parameters."""
        if all(average is None for average in self.averages):
            return self.chunks
        evaluated = []
        for n, theta in enumerate(self.chunks):
            rows = [theta[group.rows] for group in self.groups]
            for at, (average, group) in enumerate(zip(self.averages, self.groups, strict=True)):
                rows[at] = rows[at] if average is None else average(rows[at], group.state[n])
            evaluated.append(torch.cat(rows))
        return evaluated

    def finite(self) -> Tensor:
        """Return a (K,) boolean mask: True where all parameters of a member are finite."""
        parts = [p.flatten(1) for p in self.params()] if self.division.aligned else self.chunks
        return torch.stack([part.isfinite().all(1) for part in parts]).all(0)

    def descend(
        self,
        losses: Losses,
        feedback_loss: Callable[[Any], Tensor | None] = lambda outputs: None,
        transform: Transform | None = None,
    ) -> tuple[Any, Tensor]:
        """Apply one optimizer step to every member.

        The gradient of the sum of the losses is that of each loss, as none depends on another member's parameters.

        Args:
            losses: function of the parameters that returns the sum of the losses and auxiliary outputs.
            feedback_loss: function of the auxiliary outputs that returns the losses (K,) for feedback.
            transform: transformation of the gradients before the update.

        Returns:
            The auxiliary outputs of `losses`, and the norms (K,) of the transformed gradients before clipping.
        """
        gradients, grad_norm, outputs = self.gradients(losses, transform)
        return outputs, self.update(gradients, grad_norm, feedback_loss(outputs))

    def gradients(
        self, losses: Losses, transform: Transform | None = None
    ) -> tuple[Sequence[Tensor], Tensor | None, Any]:
        """Return the gradients of the chunks, (K, P_i) each, their norms (K,), and the auxiliary outputs of `losses`.

        Fused updates compute the norms later, in their pass over the gradients: None here.
        """
        if torch.compiler.is_compiling():
            assert transform is None
            if self.fused:
                gradients, outputs = torch.func.grad(losses, has_aux=True)(self.params())
                return *self.of_slots(gradients), outputs
            chunks, outputs = torch.func.grad(lambda given: losses(self.params(given)), has_aux=True)(self.chunks)
            return chunks, norms(chunks), outputs
        slots = [p.detach().requires_grad_() for p in self.params()]
        with torch.enable_grad():
            total, outputs = losses(slots)
            gradients = torch.autograd.grad(total, slots)
        gradients = transform(gradients) if transform else gradients
        return *self.of_slots(gradients), outputs

    def of_slots(self, gradients: Sequence[Tensor]) -> tuple[Sequence[Tensor], Tensor | None]:
        """Return the first two results of `gradients`, given the gradients of the slots, (K, *shape) each."""
        flat = [g.flatten(1) for g in gradients]
        return self.division.gradients(flat), None if self.fused else norms(flat)

    def update(
        self, gradients: Sequence[Tensor], grad_norm: Tensor | None = None, feedback_loss: Tensor | None = None
    ) -> Tensor:
        """Apply one optimizer step to every member, given the result of `gradients`; return the gradient norms (K,).

        `feedback_loss` (K,) is the loss for feedback, if it needs one.
        """
        self.set_rate(feedback_loss)
        return self.apply(gradients, grad_norm)

    def apply(self, gradients: Sequence[Tensor], grad_norm: Tensor | None = None) -> Tensor:
        """Apply every member's update rule to the clipped gradients of the chunks, (K, P_i) each.

        Returns the norms (K,) before clipping, which are `grad_norm`, if known.
        """
        self._count()
        if self.fused:
            return self._apply_fused(gradients)
        grad_norm = norms(gradients) if grad_norm is None else grad_norm
        self.finite_gradients.logical_and_(grad_norm.isfinite())
        gradients = self.clip(gradients)
        if torch.compiler.is_compiling():
            self._update_in_graph(gradients)
            return grad_norm
        for group in self.groups:
            rows, whole, context = group.rows, not group.rule.elementwise, self._context(group)
            for (slots, theta), gradient, state in zip(self._walk(), gradients, group.state, strict=True):
                width = theta.shape[1]
                for at in [slice(0, width)] if whole or self.device.type != "cpu" else parts_of(width):
                    own = state if whole else state_of_part(state, at, last=at.stop == width)
                    group.rule.update(theta[rows, at], gradient[rows, at], own, context._replace(slots=slots))
        return grad_norm

    def reset_state(self) -> None:
        """Reset the state of every update rule. The parameters do not change."""
        self.updates.zero_()
        if self.updates_on_host is not None:
            self.updates_on_host.zero_()
        if self.betas is not None:
            self.beta_products.fill_(1)
        for group in self.groups:
            group.reset(self.division.slots, self.chunks)

    def _count(self) -> None:
        """Increment the update counter and the products of beta."""
        self.updates.add_(1)
        if self.updates_on_host is not None:
            self.updates_on_host.add_(1)
        if self.betas is not None:
            self.beta_products.mul_(self.betas.now)

    def _context(self, group: Group) -> UpdateContext:
        """Return what the update rule of a group may need, without the slots."""
        beta = None if self.betas is None else Beta(self.betas.now, self.beta_products)
        updates = self.updates_on_host  # None in a compiled step, where `rates.on_host` would be a constant
        lr = self.rates.on_host if self.gains is None and updates is not None else None
        on_host = None if lr is None or updates is None else OnHost(lr, updates)
        return group.context(UpdateContext(self.lr, self.updates, (), beta, on_host))

    def _apply_fused(self, gradients: Sequence[Tensor]) -> Tensor:
        """Apply every member's update rule, in one compiled pass for each; return the norms before clipping."""
        found = Outputs(torch.empty_like(gradients[0][:, 0]), self.finite_gradients)
        grad_norm = found.norms
        if self.clip.active:
            gradients = self.division.whole_gradients(gradients)
            grad_norm = norms(gradients)
            self.finite_gradients.logical_and_(grad_norm.isfinite())
            gradients = self.clip(gradients)
        for group in self.groups:
            part = group.part(self.division, self.chunks[0], gradients)
            fused_update(group.rule, part, self._context(group), found.of(group.rows))
        return grad_norm

    def set_rate(self, feedback_loss: Tensor | None = None) -> None:
        """Set the learning rate of this update to schedule * gain, after updating the gain with a loss, if given.

        `feedback_loss` (K,) are the discriminators' losses without penalties.
        """
        if self.gains is not None:
            if feedback_loss is not None:
                self.gains.update_with_loss(feedback_loss)
            self.lr.copy_(self.rates.now * self.gains.now)

    def _update_in_graph(self, gradients: Sequence[Tensor]) -> None:
        """Apply every member's update rule to whole chunks, as part of a graph of torch.compile.

        Inside a graph, writing to a part of a matrix copies the whole matrix.
        """
        for n, (slots, theta) in enumerate(self._walk()):
            alone = len(self.groups) == 1
            updated = []
            for group in self.groups:
                rows = group.rows
                updated.append(theta if alone else theta[rows].clone())
                gradient = gradients[n] if alone else gradients[n][rows]
                context = self._context(group)._replace(slots=slots)
                group.rule.update(updated[-1], gradient, group.state[n], context)
            if not alone:
                theta.copy_(torch.cat(updated))

    def keep_buffers(self, new: dict[str, Tensor]) -> None:
        """Store the running statistics that a forward pass updated."""
        for name, value in new.items():
            self.buffers[name].copy_(value)

    def export(self, k: int) -> dict[str, Any]:
        """Return copies of the complete state of member k, independent of the division into chunks."""
        group, row = self._group_of(k)
        feedback = None if self.gains is None else self.gains.export(k)
        saved = {
            "theta": self.row(k),
            "buffers": {name: buffer[k].clone() for name, buffer in self.buffers.items()},
            "updates": self.updates[k].clone(),
            "finite_gradients": self.finite_gradients[k].clone(),
            "state": group.export(row, self.division),
        }
        if self.settings[k].beta_schedule is not None:
            saved["beta_product"] = self.beta_products[k].clone()
        return saved | ({} if feedback is None else {"feedback": feedback})

    def restore(self, k: int, saved: dict[str, Any]) -> None:
        """Restore member k from an exported state."""
        group, row = self._group_of(k)
        for theta, value in zip(self.chunks, self.in_chunks(saved["theta"]), strict=True):
            theta[k].copy_(value)
        self.updates[k].copy_(saved["updates"])
        if self.updates_on_host is not None:
            self.updates_on_host[k].copy_(saved["updates"])
        self.finite_gradients[k] = saved.get("finite_gradients", True)
        if self.settings[k].beta_schedule is not None:
            self.beta_products[k].copy_(saved["beta_product"])
        for name, value in saved["buffers"].items():
            self.buffers[name][k].copy_(value)
        group.restore(row, saved["state"], self.division)
        if self.gains is not None and self.settings[k].feedback is not None:
            self.gains.restore(k, saved["feedback"])

    def _group_of(self, k: int) -> tuple[Group, int]:
        group = next(group for group in self.groups if group.rows.start <= k < group.rows.stop)
        return group, k - group.rows.start
