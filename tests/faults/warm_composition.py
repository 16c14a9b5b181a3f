"""Composes one configuration at import, so that forked processes have Hydra's caches."""

import gc

import torch
from hydra.core.global_hydra import GlobalHydra

from gansweep.cli.hydra_app import composed

torch.set_num_threads(1)
composed(["lr=1e-3,1e-4", "optimizer=sgd", "model.generator_widths=[8]"], None)
GlobalHydra.instance().clear()
gc.collect()
gc.freeze()
