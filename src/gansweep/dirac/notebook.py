"""Methods and hyperparameters of the authors' notebook, with two methods of table 1 that it omits.

github.com/LMescheder/GAN_stability at c1f64c9, notebooks/DiracGAN.ipynb.
"""

from __future__ import annotations

from gansweep.dirac.descent import Algorithm, Alternating, Simultaneous
from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.field import Field
from gansweep.dirac.fields.gan import GAN, WGAN, NonSaturating
from gansweep.dirac.fields.gaussian import InstanceNoise
from gansweep.dirac.fields.r1 import R1, NonSaturatingR1, Roth
from gansweep.dirac.fields.wgan_gp import DRAGAN, WGANGP

RATE = 0.2
START = (1.0, 1.0)
NUM_STEPS = 500

METHODS: dict[str, Field] = {
    "GAN": GAN(),
    "NS-GAN": NonSaturating(),
    "WGAN, clip 1": WGAN(clip=1.0),
    "WGAN-GP 0.7": WGANGP(gamma=0.7, target=1.0),
    "DRAGAN 0.7 (not in notebook)": DRAGAN(gamma=0.7, target=1.0),
    "instance noise 0.7": InstanceNoise(std=0.7),
    "R1 0.3": R1(gamma=0.3),
    "R1 1.0 (critical)": R1(gamma=1.0),
    "consensus 1, exact": Consensus(gamma=1.0),
    "consensus 1, authors' code": Consensus(gamma=1.0, as_coded=True),
    "NS-GAN with R1 0.3": NonSaturatingR1(gamma=0.3),
    "Roth 0.6 (not in notebook)": Roth(gamma=0.6),
}
"""Field by title. The notebook samples instance noise; here it is integrated."""

ALGORITHMS: dict[str, Algorithm] = {
    "simultaneous": Simultaneous(),
    "alternating 1:1": Alternating(1, 1),
    "alternating 1:5": Alternating(1, 5),
}
