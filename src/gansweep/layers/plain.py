"""Conversion of one member's network to modules of `torch.nn`."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import fx, nn
from torch.fx.proxy import GraphAppendingTracer

from gansweep.interfaces import Slot


class Builder:
    """Builds a module of `torch.nn` by recording the calls of its forward pass.

    Modules and parameters get the names of the network's slots, so that the `state_dict` of the result has the names
    that `Network.state_dict` uses. A module without parameters gets the next free number, or the name of its class.

    Args:
        reserved: first parts of the names of the slots, which modules without parameters do not get.
        on_maps: whether the next layer is called on feature maps (B, C, H, W) and not on vectors (B, D).
    """

    def __init__(self, reserved: set[str], on_maps: bool) -> None:
        self.on_maps, self._reserved = on_maps, reserved
        self.root, self.graph = nn.Module(), fx.Graph()
        self._tracer = GraphAppendingTracer(self.graph)
        self._labels: fx.Node | None = None
        self._number = 0 if all(name.isdigit() for name in reserved) else None

    def input(self) -> Any:
        """Return the stand-in for the input of the module."""
        self._input = self.graph.placeholder("x")
        return fx.Proxy(self._input, self._tracer)

    def labels(self) -> Any:
        """Return the stand-in for the labels (B,), the second argument of the module."""
        if self._labels is None:
            with self.graph.inserting_after(self._input):
                self._labels = self.graph.placeholder("labels")
        return fx.Proxy(self._labels, self._tracer)

    def call(self, module: nn.Module, x: Any, name: str = "") -> Any:
        """Add a module, under a dotted name if it has parameters, and its call on x; return its output's stand-in."""
        name = name or self._free_name(module)
        if self._number is not None and name.isdigit():
            self._number = int(name) + 1
        if hasattr(fx.GraphModule, name.partition(".")[0]):
            raise NotImplementedError(f"{name} is an attribute of every module")
        parent, _, last = name.rpartition(".")
        holder(self.root, parent).add_module(last, module)
        return fx.Proxy(self.graph.call_module(name, (x.node,)), self._tracer)

    def parameter(self, slot: Slot) -> Any:
        """Add the parameter of a slot that belongs to no module of `torch.nn`; return its stand-in."""
        parent, _, last = slot.name.rpartition(".")
        holder(self.root, parent).register_parameter(last, nn.Parameter(torch.empty(slot.shape)))
        return fx.Proxy(self.graph.get_attr(slot.name), self._tracer)

    def buffer(self, slot: Slot) -> Any:
        """Add the buffer of a slot that belongs to no module of `torch.nn`; return its stand-in."""
        parent, _, last = slot.name.rpartition(".")
        holder(self.root, parent).register_buffer(last, torch.empty(slot.shape))
        return fx.Proxy(self.graph.get_attr(slot.name), self._tracer)

    def finish(self, y: Any, title: str) -> nn.Module:
        """Return the module with output y: an `nn.Sequential` if its calls are a chain of modules."""
        self.graph.output(y.node)
        calls = [node for node in self.graph.nodes if node.op not in ("placeholder", "output")]
        names = [str(node.target) for node in calls]
        if all(node.op == "call_module" for node in calls) and not any("." in name for name in names):
            return nn.Sequential(OrderedDict((name, self.root.get_submodule(name)) for name in names))
        self.graph.lint()
        return fx.GraphModule(self.root, self.graph, title)

    def _free_name(self, module: nn.Module) -> str:
        if self._number is not None and str(self._number) not in self._reserved:
            return str(self._number)
        name, number = type(module).__name__.lower(), 0
        taken = {*self._reserved, *self.root._modules}
        while (free := f"{name}_{number}" if number else name) in taken:
            number += 1
        return free


def holder(root: nn.Module, name: str) -> nn.Module:
    """Return the module with a dotted name inside `root`; missing ones are created."""
    for part in filter(None, name.split(".")):
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root.get_submodule(part)
    return root
