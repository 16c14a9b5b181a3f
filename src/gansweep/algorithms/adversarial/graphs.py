"""Compilation of the parts of an adversarial training step."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from gansweep.batched.fused_update import allow_graphs, supported

# Options of torch.compile on a GPU: values that few kernels read are computed again instead of being stored. Without
# them, the columns of c in `layers.penalised` are written twice.
OPTIONS = {"realize_reads_threshold": 16, "realize_opcount_threshold": 100}


def compile_steps(pack: Any) -> None:
    """Compile the step of each player of an `AdversarialPack`: on a CPU as one graph, elsewhere without the updates.

    Each pack size and each combination of losses and penalties is compiled to a separate graph, on a CPU also each
    combination of update rules. Elsewhere the rules are compiled separately (`fused_update`), because they would
    copy the parameters if several of them were part of the graph.
    """
    allow_graphs()
    compiled: Any = partial(torch.compile, fullgraph=True, dynamic=False)
    if pack.device.type == "cpu":
        pack.call_update_d = compiled(pack._discriminator_step)
        pack.call_update_g = compiled(pack._generator_step)
    else:
        compiled = partial(compiled, options=supported(OPTIONS))
        pack.call_generate = compiled(pack._generated)
        pack.call_gradients_d = compiled(pack._discriminator_gradients)
        pack.call_gradients_g = compiled(pack._generator_gradients)
