"""What Hydra and OmegaConf, of whichever version is installed, think of our use of them."""

from __future__ import annotations

import warnings
from pathlib import Path

import gansweep as package

SOURCE = str(Path(package.__file__).parent)


def test_nothing_of_ours_is_warned_of(gansweep):
    """A warning of Hydra 1.4 about a class without an execution whitelist is an error in Hydra 1.5."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert gansweep.tiny("-m", "lr=1e-4,1e-3", "plan=true").code == 0
    ours = [one for one in caught if one.filename.startswith(SOURCE) or "gansweep" in str(one.message)]
    assert not ours, [str(one.message) for one in ours]
