"""The pretended device itself."""

from __future__ import annotations

import pytest
import torch
from tests.rehearsal.device_memory import MEMORY
from tests.rehearsal.pretended import MixedDevices, PretendedDevice
from torch.nn import functional

pytestmark = pytest.mark.rehearsal
DEVICE = "pretended:0"


@pytest.fixture
def device():
    with PretendedDevice() as device:
        yield device


def test_numbers_and_second_derivatives_are_those_of_the_cpu(device):
    x = torch.linspace(-1, 1, 6).reshape(2, 3)
    derivatives = []
    for place in ("cpu", DEVICE):
        at = x.to(place).requires_grad_()
        (slope,) = torch.autograd.grad(at.tanh().square().sum(), at, create_graph=True)
        derivatives.append(torch.autograd.grad(slope.square().sum(), at)[0].cpu())
    assert torch.equal(*derivatives)


def test_two_devices_in_one_operation_are_refused(device):
    x = torch.ones(2, device=DEVICE)
    with pytest.raises(MixedDevices, match=r"pretended\(2,\), cpu\(2,\)"):
        x + torch.ones(2)
    assert (x + torch.tensor(1.0)).tolist() == [2.0, 2.0], "CUDA accepts scalars of the CPU"


def test_waits_are_counted_with_their_line(device):
    x = torch.ones(3, device=DEVICE)
    assert not device.waits
    float(x.sum())
    x[x > 0]
    x.cpu()
    kinds = sorted(wait.partition(" at ")[0] for wait in device.waits)
    assert kinds == ["aten::_local_scalar_dense", "aten::_to_copy device to host", "aten::index"]
    assert all("rehearsal/test_pretended.py" in wait for wait in device.waits)


def test_generators_take_states_of_the_cpu_only(device):
    generator = torch.Generator(DEVICE)
    state = generator.get_state()
    first = torch.randn(4, generator=generator, device=DEVICE)
    generator.set_state(state)
    assert torch.equal(torch.randn(4, generator=generator, device=DEVICE).cpu(), first.cpu())
    with pytest.raises(TypeError, match="ByteTensor"):
        generator.set_state(state.to(DEVICE))


def test_live_bytes(device):
    before = MEMORY.live
    x = torch.zeros(1000, device=DEVICE)
    assert MEMORY.live - before == 4096
    view = x[:500]
    del x
    assert MEMORY.live - before == 4096
    del view
    assert MEMORY.live == before


def test_kernels_and_traffic_of_a_product(device):
    a, b = torch.ones(8, 4, device=DEVICE), torch.ones(4, 2, device=DEVICE)
    device.reset()
    a @ b
    assert (device.kernels, device.flops) == (1, 2 * 8 * 4 * 2)
    assert device.traffic_bytes == 4 * (8 * 4 + 4 * 2 + 8 * 2)


def test_autocast_casts_as_on_cuda(device):
    x, w = torch.ones(2, 3, device=DEVICE), torch.ones(4, 3, device=DEVICE)
    with torch.autocast("pretended", dtype=torch.bfloat16):
        assert functional.linear(x, w).dtype == torch.bfloat16
        assert x.bfloat16().exp().dtype == torch.float32
        assert torch.addcmul(x, x.bfloat16(), x.bfloat16()).dtype == torch.float32


def test_counts_without_values():
    with PretendedDevice(inner="meta") as device:
        x = torch.ones(1 << 20, 1 << 10, device=DEVICE)
        (x * 2).sum()
    assert device.kernels == 3
    assert device.traffic_bytes == 4 * (1 << 30) * 4 + 4


def test_a_device_without_float64():
    with PretendedDevice(float64=False), pytest.raises(TypeError, match="no float64"):
        torch.ones(1, device=DEVICE).double()
