"""Runs and packs of composite functional gradients for the tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from tests.training.small import Shapes, make_run, member, small_mlp

from gansweep.algorithms.cfg import CFG
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.models.dcganx import DCGANX
from gansweep.optimizers.rmsprop import RMSprop

LOGISTIC = Objective(Standard(), {})
SMALL = CFG(num_pushes=3, num_pairs=25, fit_epochs=3)
TINY = CFG(num_pushes=2, num_pairs=15, fit_epochs=2)
BATCH_NORM = DCGANX(latent_dim=4, base_width=2, depth=2, batch_norm_discriminator=True)


def run_of(box=SMALL, one=None, model=None, steps=4, **changes):
    one = one or member(1, RMSprop(alpha=0.95, eps=1e-18), objective=LOGISTIC)
    return replace(make_run(steps, one, model or small_mlp(dropout=0.0)), algorithm=box, **changes)


def pack_of(*runs, **changes):
    return runs[0].algorithm.pack(runs, Shapes().samples, **changes)


def played(*runs):
    pack = pack_of(*runs)
    return pack, list(pack.steps())


def alike(one, other, where=""):
    """Compare exports leaf by leaf, NaN with NaN."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            alike(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, torch.Tensor):
        assert np.array_equal(one.numpy(), other.numpy(), equal_nan=one.is_floating_point()), where
    else:
        assert one == other, where
