"""Update of members on a GPU in one compiled pass over parameters, gradient and optimizer state."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gansweep.batched.parameter_chunks import concatenate_with_gaps
from gansweep.interfaces import Slot, UpdateContext, UpdateRule

GRAPHS = 256  # compiled graphs per process for one function
# Options of torch.compile: the update reads the pieces of a gradient instead of a copy of all.
OPTIONS: dict[str, Any] = {"force_pointwise_cat": True}
log = logging.getLogger(__name__)


class Part(NamedTuple):
    """Rows of an aligned chunk: its slots, parameters (n, P'), and state of the update rule.

    The gradient consists of pieces (n, P_i); `gaps` are the numbers of entries after each, as in `Chunks`.
    """

    slots: Sequence[Slot]
    theta: Tensor
    gradient: Sequence[Tensor]
    gaps: Sequence[int]
    state: dict[str, Tensor]


class Outputs(NamedTuple):
    """Results of an update, changed in place: gradient norms (n,), and `finite` (n,), False after one that is not."""

    norms: Tensor
    finite: Tensor

    def of(self, rows: slice) -> Outputs:
        """Return views of adjacent members."""
        return Outputs(self.norms[rows], self.finite[rows])


def can_fuse(device: torch.device) -> bool:
    """Return whether updates on a device can be compiled: on CUDA, if Triton is installed."""
    if device.type != "cuda":
        return False
    import torch.utils._triton as triton  # torch.utils does not import it

    return triton.has_triton_package()


def fused_update(rule: UpdateRule, part: Part, context: UpdateContext, outputs: Outputs) -> None:
    """Apply an elementwise update rule to all parameters of some members, in place.

    torch.compile generates one pass from the rule's own `update`, which reads the gradient once, also for its norm,
    piece by piece where it is. Adam then moves 28 bytes per parameter instead of 84. The first number of members is
    compiled on its own, a second one for any number. A rule that can't be compiled is applied without, with a warning.
    """
    if rule not in _NOT_COMPILED:
        from torch._dynamo.exc import FailOnRecompileLimitHit, TorchDynamoException

        try:
            return _compiled()(rule, part, context, outputs)
        except (TorchDynamoException, FailOnRecompileLimitHit) as error:  # nothing has changed yet
            reason = str(error).strip().partition("\n")[0]
            log.warning("%r: its update can't be compiled and is therefore slower: %s", rule, reason)
            _NOT_COMPILED.append(rule)
    return update_part(rule, part, context, outputs)


_NOT_COMPILED: list[UpdateRule] = []


@functools.cache
def _compiled() -> Callable[[UpdateRule, Part, UpdateContext, Outputs], None]:
    allow_graphs()
    # fullgraph: it raises before it has changed anything
    return torch.compile(update_part, fullgraph=True, options=supported(OPTIONS))


def supported(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options of torch.compile that this version of PyTorch has; the others change the speed only."""
    from torch._inductor import list_options  # takes two seconds

    known = set(list_options())
    return {name: value for name, value in options.items() if name in known}


def allow_graphs() -> None:
    """Let torch.compile keep more graphs of a function: one for each size of a pack and each kind of its members."""
    import torch._dynamo.config as dynamo  # takes two seconds

    dynamo.recompile_limit = max(dynamo.recompile_limit, GRAPHS)
    dynamo.accumulated_recompile_limit = max(dynamo.accumulated_recompile_limit, 4 * GRAPHS)


def update_part(rule: UpdateRule, part: Part, context: UpdateContext, outputs: Outputs) -> None:
    """Update as `fused_update` does, without compilation."""
    gradient = concatenate_with_gaps(part.gradient, part.gaps)
    squares = gradient.square().sum(1)
    rule.update(part.theta, gradient, part.state, context._replace(slots=part.slots))
    outputs.finite.logical_and_(squares.isfinite())
    outputs.norms.copy_(squares.sqrt())


def norms(gradients: Sequence[Tensor]) -> Tensor:
    """Return the gradient norm (K,) of every member, given gradients in parts (K, P_i)."""
    parts = torch.stack([torch.linalg.vector_norm(g, dim=1) for g in gradients], 1)
    return torch.linalg.vector_norm(parts, dim=1)
