"""SGD of MatConvNet. Mistakes: weight decay of a bias, or a bias with the rate of a weight."""

from __future__ import annotations

import pytest
import torch

from gansweep.optimizers.sgd_matconvnet import MatConvNetSGD


def test_is_torchs_with_two_groups(drive, slots):
    random = torch.Generator().manual_seed(4)
    theta, gradients = torch.randn(1, 40, generator=random), torch.randn(7, 1, 40, generator=random)
    weight, bias = (part.clone().requires_grad_() for part in theta[0].split([35, 5]))
    theirs = torch.optim.SGD(
        [{"params": [weight], "weight_decay": 0.01}, {"params": [bias], "lr": 0.2}], lr=0.1, momentum=0.5
    )
    drive(MatConvNetSGD(momentum=0.5, weight_decay=0.01), theta, gradients, [0.1])
    for gradient in gradients:
        weight.grad, bias.grad = gradient[0].split([35, 5])
        theirs.step()
    torch.testing.assert_close(theta[0], torch.cat([weight, bias]).detach())


@pytest.mark.parametrize("settings", [{"momentum": 1.0}, {"weight_decay": -1.0}, {"bias_factor": -1.0}], ids=str)
def test_settings_out_of_range_are_named(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"{name}="):
        MatConvNetSGD(**settings)
