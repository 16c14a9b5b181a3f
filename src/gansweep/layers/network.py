"""Sequential network whose parameters are one row per member."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from gansweep.interfaces import Initialisation, Slot
from gansweep.layers import chain
from gansweep.layers.layer import Draw, Layer, Pass, at_least_float32
from gansweep.layers.plain import Builder, holder

Params = Sequence[Tensor]


class Network:
    """Sequential network over K members; their parameters are a matrix theta (K, P).

    The network itself stores no numbers. Parameters, running statistics and random masks are
    arguments, so one object can be used with any number of members.

    >>> from gansweep.layers import LeakyReLU, Linear
    >>> from gansweep.models.initialisation import TorchDefault
    >>> from gansweep.seeding import Streams
    >>> net = Network([Linear("0", 2, 8), LeakyReLU(0.2), Linear("2", 8, 1)], TorchDefault())
    >>> theta = torch.stack([net.initial(Streams(seed)["init"]) for seed in (1, 2, 3)])
    >>> net(net.cut(theta), torch.zeros(3, 5, 2)).shape
    torch.Size([3, 5, 1])

    Args:
        layers: the layers from input to output. Their slots have the names of torch's `state_dict`.
        initialisation: the distribution of the initial parameters.
    """

    def __init__(self, layers: Sequence[Layer], initialisation: Initialisation) -> None:
        self.layers, self.initialisation = tuple(layers), initialisation
        self.slots: tuple[Slot, ...] = tuple(s for layer in layers for s in layer.slots)
        self.buffers: tuple[Slot, ...] = tuple(s for layer in layers for s in layer.buffers)
        self.draws: tuple[Draw, ...] = tuple(d for layer in layers for d in layer.draws)
        self.sizes = [math.prod(slot.shape) for slot in self.slots]
        self.num_parameters = sum(self.sizes)
        self.couples_samples = any(layer.couples_samples for layer in layers)
        self.piecewise_linear = all(layer.piecewise_linear for layer in layers)
        self.ignores_input = any(layer.ignores_input for layer in layers)

    def initial(self, generator: torch.Generator) -> Tensor:
        """Return the initial parameters (P,) of one member, on the device of its random generator."""
        return torch.cat([self.initialisation(slot, generator).reshape(-1) for slot in self.slots])

    def initial_buffers(
        self,
        num_members: int,
        device: torch.device | str = "cpu",
        params: Params | None = None,
        generators: Sequence[torch.Generator] = (),
    ) -> dict[str, Tensor]:
        """Return the initial buffers by name, (K, ...).

        Some of them depend on `params`, those of a user's module also on the members' `generators` of `initial`.
        """
        buffers = {
            slot.name: torch.full((num_members, *slot.shape), slot.start, device=device) for slot in self.buffers
        }
        if params is not None:
            chain.begin(self.layers, params, buffers)
        return buffers

    def cut(self, theta: Tensor, slots: slice = slice(None)) -> list[Tensor]:
        """Split rows (K, P) into one view (K, *shape) per slot; a concatenation is the inverse.

        If the rows contain only a contiguous range of slots, `slots` is that range.
        """
        parts = theta.split_with_sizes(self.sizes[slots], 1)
        return [part.view(-1, *slot.shape) for part, slot in zip(parts, self.slots[slots], strict=True)]

    def __call__(self, params: Params, x: Tensor, state: Pass | None = None) -> Tensor:
        """Return the output (K, B, ...) for x (K, B, ...), at least in float32."""
        return at_least_float32(chain.forward(self.layers, params, x, state or Pass(training=False)))

    def input_gradient(self, params: Params, x: Tensor, state: Pass | None = None) -> Tensor:
        """Return the input gradient dD/dx (K, B, ...) of a network with one output per sample.

        If all layers are piecewise linear, the input gradient is an explicit product of weights and
        constants. Differentiating it again is then ordinary back-propagation, which saves the products
        with zeros of a double backward pass, and can be compiled. Otherwise autograd computes it, and
        builds its graph unless gradients are disabled. The result is at least in float32.
        """
        state = state or Pass(training=False)
        if not self.piecewise_linear:
            return self._autograd_input_gradient(params, x, state)
        y, pull_back = chain.linearised(self.layers, params, x, state)
        return at_least_float32(pull_back(torch.ones_like(y)))

    def _autograd_input_gradient(self, params: Params, x: Tensor, state: Pass) -> Tensor:
        def total(points: Tensor) -> Tensor:
            return self(params, points, state).sum()

        if torch.compiler.is_compiling():
            return torch.func.grad(total)(x)
        grad_enabled = torch.is_grad_enabled()
        with torch.enable_grad():
            if not x.requires_grad:  # generated samples stay attached to the graph of the generator
                x = x.detach().requires_grad_()
            return torch.autograd.grad(total(x), x, create_graph=grad_enabled)[0]

    def state_dict(self, theta: Tensor, buffers: dict[str, Tensor] | None = None, member: int = 0) -> dict[str, Tensor]:
        """Return the `state_dict` of one member, with the names and shapes of `torch.nn`."""
        state = {slot.name: p[member].detach().clone() for slot, p in zip(self.slots, self.cut(theta), strict=True)}
        return state | {name: b[member].detach().clone() for name, b in (buffers or {}).items()}

    def module(self, state: Mapping[str, Tensor], input_shape: Sequence[int], title: str = "Member") -> nn.Module:
        """Return one member as a module of `torch.nn` on samples (B, *input_shape), in evaluation mode.

        Its outputs are equal up to rounding, and its `state_dict` has the names of `state`. It is an `nn.Sequential`
        if the layers are a chain of modules, otherwise a `torch.fx.GraphModule`, whose attribute `code` is the source
        of its forward pass; that of a conditional network has the labels (B,) as second argument. Layers of a user's
        class without the method `plain` are called as they are.

        Args:
            state: weights, as `state_dict` returns them.
            input_shape: shape of one input.
            title: name of the class, if it is not `nn.Sequential`.
        """
        reserved = {slot.name.partition(".")[0] for slot in (*self.slots, *self.buffers)}
        with torch.device("meta"):  # without drawing initial weights from torch's random stream
            try:
                build = Builder(reserved, on_maps=len(input_shape) == 3)
                module = build.finish(chain.plain(self.layers, build.input(), build), title)
            except NotImplementedError:
                module = Member(self)
        module.load_state_dict(dict(state), assign=True)
        return module.eval()

    def row(self, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the parameter row (P,) and the buffers in a `state_dict`; the inverse of `state_dict`.

        Raises:
            ValueError: a name is missing or a shape differs.
        """
        for slot in (*self.slots, *self.buffers):
            if slot.name not in state:
                raise ValueError(f"state_dict lacks {slot.name!r}; it has {sorted(state)}")
            if tuple(state[slot.name].shape) != slot.shape:
                raise ValueError(f"{slot.name!r} has shape {tuple(state[slot.name].shape)}, expected {slot.shape}")
        row = torch.cat([state[slot.name].reshape(-1) for slot in self.slots])
        return row, {slot.name: state[slot.name] for slot in self.buffers}


class Member(nn.Module):
    """One member of a network that contains layers of a user's class, in evaluation mode only.

    Args:
        network: the network.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        for slot in network.slots:
            parent, _, last = slot.name.rpartition(".")
            holder(self, parent).register_parameter(last, nn.Parameter(torch.empty(slot.shape)))
        for slot in network.buffers:
            parent, _, last = slot.name.rpartition(".")
            holder(self, parent).register_buffer(last, torch.empty(slot.shape))

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the outputs (B, ...) for inputs (B, ...), of a conditional network for labels (B,)."""
        params = [self.get_parameter(slot.name)[None] for slot in self.network.slots]
        buffers = {slot.name: self.get_buffer(slot.name)[None] for slot in self.network.buffers}
        state = Pass((), buffers, training=False, labels=None if labels is None else labels[None])
        return self.network(params, x[None], state)[0]
