"""Update of members on a GPU in one compiled pass over parameters, gradient and optimizer state."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext, UpdateRule

GRAPHS = 256  # compiled graphs per process for one function
log = logging.getLogger(__name__)


class Part(NamedTuple):
    """Rows of one parameter chunk: its slots, parameters and gradient (K, P_i), and state of the update rule."""

    slots: Sequence[Slot]
    theta: Tensor
    gradient: Tensor
    state: dict[str, Tensor]


def can_fuse(device: torch.device) -> bool:
    """Return whether updates on a device can be compiled: on CUDA, if Triton is installed."""
    if device.type != "cuda":
        return False
    import torch.utils._triton as triton  # torch.utils does not import it

    return triton.has_triton_package()


def fused_update(rule: UpdateRule, parts: Sequence[Part], context: UpdateContext, finite: Tensor) -> Tensor:
    """Apply an elementwise update rule to all parts in place and return the norms (K,) of the gradients.

    `finite` (K,) becomes False for members with a non-finite gradient.

    torch.compile generates one pass per part from the rule's own `update`, which reads the gradient once, also for its
    norm. Adam then moves 28 bytes per parameter instead of 84. The first number of members is compiled on its own, a
    second one for any number. A rule that can't be compiled is applied without, with a warning.
    """
    if rule not in _NOT_COMPILED:
        from torch._dynamo.exc import FailOnRecompileLimitHit, TorchDynamoException

        try:
            return _compiled()(rule, parts, context, finite)
        except (TorchDynamoException, FailOnRecompileLimitHit) as error:  # nothing has changed yet
            reason = str(error).strip().partition("\n")[0]
            log.warning("%r: its update can't be compiled and is therefore slower: %s", rule, reason)
            _NOT_COMPILED.append(rule)
    return update_parts(rule, parts, context, finite)


_NOT_COMPILED: list[UpdateRule] = []


@functools.cache
def _compiled() -> Callable[[UpdateRule, Sequence[Part], UpdateContext, Tensor], Tensor]:
    allow_graphs()
    return torch.compile(update_parts, fullgraph=True)  # so that it raises before it has changed a part


def allow_graphs() -> None:
    """Let torch.compile keep more graphs of a function: one for each size of a pack and each kind of its members."""
    import torch._dynamo.config as dynamo  # takes two seconds

    dynamo.recompile_limit = max(dynamo.recompile_limit, GRAPHS)
    dynamo.accumulated_recompile_limit = max(dynamo.accumulated_recompile_limit, 4 * GRAPHS)


def update_parts(rule: UpdateRule, parts: Sequence[Part], context: UpdateContext, finite: Tensor) -> Tensor:
    """Apply an update rule as `fused_update` does, without compilation."""
    squares = torch.zeros_like(parts[0].gradient[:, 0])
    for part in parts:
        squares = squares + part.gradient.square().sum(1)
        rule.update(part.theta, part.gradient, part.state, context._replace(slots=part.slots))
    finite.logical_and_(squares.isfinite())
    return squares.sqrt()


def norms(gradients: Sequence[Tensor]) -> Tensor:
    """Return the gradient norm (K,) of every member, given gradients in parts (K, P_i)."""
    parts = torch.stack([torch.linalg.vector_norm(g, dim=1) for g in gradients], 1)
    return torch.linalg.vector_norm(parts, dim=1)
