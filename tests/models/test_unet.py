"""U-Net.

Mistakes: a skip connection at the wrong level, variants of different size, wrong output shape.
"""

from __future__ import annotations

import pytest
import torch

from gansweep.models.unet import UNet
from gansweep.seeding import Streams


def made(skips, shape=(3, 12, 12)):
    network = UNet(base_width=4, code_width=2, skips=skips).generator(shape)
    return network, network.cut(network.initial(Streams(1)["init"])[None])


def test_all_variants_have_the_same_parameters_and_map_images_to_images():
    for shape in ((1, 8, 8), (3, 32, 32)):
        sizes = set()
        for skips in ("none", "shallow", "deep", "both"):
            network, params = made(skips, shape)
            sizes.add(tuple(slot for slot in network.slots))
            assert network(params, torch.rand(1, 2, *shape)).shape == (1, 2, *shape)
        assert len(sizes) == 1


@pytest.mark.parametrize(
    ("skips", "cut", "depends"),
    [
        ("none", "squeeze", False),
        ("deep", "squeeze", True),
        ("deep", "down_b", False),
        ("shallow", "down_b", True),
        ("shallow", "conv_a", False),
        ("both", "down_b", True),
    ],
)
def test_output_depends_on_the_input_if_a_layer_is_set_to_zero(skips, cut, depends):
    network, params = made(skips)
    quiet = [
        torch.zeros_like(p) if slot.name.startswith(cut) else p for slot, p in zip(network.slots, params, strict=True)
    ]
    images = torch.rand(1, 2, 3, 12, 12, generator=torch.Generator().manual_seed(1))
    out = network(quiet, images)
    assert (not torch.equal(out[0, 0], out[0, 1])) == depends


def test_deep_skip_is_independent_of_the_shallow_one():
    images = torch.rand(1, 1, 3, 12, 12, generator=torch.Generator().manual_seed(1))
    shallow, both = (made(skips)[0](made(skips)[1], images) for skips in ("shallow", "both"))
    assert not torch.allclose(shallow, both)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UNet(skips="all"), "skips=all: expected one of none, shallow, deep, both"),
        (lambda: UNet(base_width=0), "base_width=0"),
        (lambda: UNet().generator((1, 10, 10)), "halves images twice"),
        (lambda: UNet().generator((2,)), "square images"),
        (lambda: UNet().discriminator((1, 8, 8)), "it is for algorithm=denoising"),
    ],
)
def test_invalid_settings_and_shapes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
