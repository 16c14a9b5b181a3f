"""State of a torch optimizer as named tensors, and back."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

NUMBERS = {bool: torch.bool, int: torch.int64, float: torch.float64}
SET_BY_PLAYER = ("params", "lr")
CONSTANTS = (str, set, frozenset, torch.dtype, torch.device, type(None))


class Leaf(NamedTuple):
    """A tensor or a number at a path inside the state."""

    path: str
    kind: type


class Layout:
    """Layout of everything that an optimizer remembers between steps, recorded after its first steps.

    The memory is `state` of every parameter, the entries of the parameter group except its learning rate, and the
    public numbers among the attributes of the object. Lists, tuples, deques and mappings may be nested. A Python number
    is stored as a tensor () in float64, int64 or bool, which is exact.

    Args:
        optimizer: with one parameter group, after at least one step.
        names: name of every parameter.
        per_parameter: only `state` of every parameter, which is all that the optimizers of torch.optim remember.

    Raises:
        ValueError: something can't be stored as a tensor.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, names: Sequence[str], *, per_parameter: bool) -> None:
        if len(optimizer.param_groups) != 1:
            raise ValueError(f"has {len(optimizer.param_groups)} parameter groups, expected 1")
        self.names, self.per_parameter = tuple(names), per_parameter
        self.nodes = {name: _layout(value, name) for name, value in self._memory(optimizer).items()}

    def _memory(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return the memory of an optimizer: mappings by name of a parameter, `group` and `attribute`."""
        group = optimizer.param_groups[0]
        states = {name: optimizer.state[p] for name, p in zip(self.names, group["params"], strict=True)}
        if self.per_parameter:
            return states
        entries = {key: value for key, value in group.items() if key not in SET_BY_PLAYER and _is_storable(value)}
        attributes = vars(optimizer).items()
        numbers = {key: value for key, value in attributes if not key.startswith("_") and type(value) in NUMBERS}
        return states | {"group": entries, "attribute": numbers}

    def pairs(self, optimizer: torch.optim.Optimizer) -> Iterator[tuple[Leaf, Any]]:
        """Yield every leaf with its value in an optimizer after a step.

        Raises:
            ValueError: a part of the state has another layout than in the first steps.
        """
        memory = self._memory(optimizer)
        for name, node in self.nodes.items():
            if name == "group":  # some entries are set in steps with a positive rate only
                node = {key: part for key, part in node.items() if key in memory[name]}
            yield from _pairs(node, memory[name], name)

    def zeros(self, optimizer: torch.optim.Optimizer, num_members: int) -> dict[str, Tensor]:
        """Return zeros (K, ...) for every tensor, on its device, and (K,) for every number, on the CPU."""
        return {
            leaf.path: value.new_zeros((num_members, *value.shape))
            if isinstance(value, Tensor)
            else torch.zeros(num_members, dtype=NUMBERS[leaf.kind])
            for leaf, value in self.pairs(optimizer)
        }

    def restore(self, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
        """Set the memory of a new optimizer to tensors by path; it updates them in place where it can."""
        filled = {name: _filled(node, tensors) for name, node in self.nodes.items()}
        group = optimizer.param_groups[0]
        for name, parameter in zip(self.names, group["params"], strict=True):
            optimizer.state[parameter].update(filled[name])
        if not self.per_parameter:
            group.update(filled["group"])
            vars(optimizer).update(filled["attribute"])

    def store(self, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
        """Copy the memory of an optimizer to tensors by path."""
        for leaf, value in self.pairs(optimizer):
            tensor = tensors[leaf.path]
            if not isinstance(value, Tensor):
                tensor.fill_(value)
            elif value.shape not in (tensor.shape, ()):  # Prodigy stores a scalar where all entries are 0
                raise ValueError(f"state {leaf.path} changes its shape, from {[*tensor.shape]} to {[*value.shape]}")
            elif value is not tensor:
                tensor.copy_(value)


def _is_storable(value: Any) -> bool:
    """Return False for an entry of a group that a new optimizer has to compute again, such as a function."""
    try:
        _layout(value, "")
    except ValueError:
        return False
    return True


def _layout(value: Any, path: str) -> Any:
    """Return the value with leaves in place of tensors and numbers."""
    if isinstance(value, Tensor):
        return Leaf(path, Tensor)
    if type(value) in NUMBERS:
        return Leaf(path, type(value))
    if isinstance(value, CONSTANTS):
        return copy.copy(value)
    if type(value) is dict:
        return {key: _layout(part, f"{path}/{key}") for key, part in value.items()}
    if type(value) in (list, tuple, deque):
        parts = [_layout(part, f"{path}/{n}") for n, part in enumerate(value)]
        return deque(parts, value.maxlen) if isinstance(value, deque) else type(value)(parts)
    raise ValueError(f"state {path!r} is of type {type(value).__name__}, expected a tensor or a number")


def _pairs(node: Any, value: Any, path: str) -> Iterator[tuple[Leaf, Any]]:
    if isinstance(node, Leaf):
        if not isinstance(value, node.kind):
            raise ValueError(f"state {path} changes its type, from {node.kind.__name__} to {type(value).__name__}")
        yield node, value
    elif isinstance(node, (dict, list, tuple, deque)):
        if type(value) is not type(node) or _keys(value) != _keys(node):
            raise ValueError(f"state {path} changes its layout after the first steps")
        for key in _keys(node):
            yield from _pairs(node[key], value[key], f"{path}/{key}")
    elif value != node:
        raise ValueError(f"state {path} changes from {node!r:.60} to {value!r:.60}, expected a constant")


def _keys(node: Any) -> list[Any]:
    return list(node) if isinstance(node, dict) else list(range(len(node)))


def _filled(node: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(node, Leaf):
        tensor = tensors[node.path]
        return tensor if node.kind is Tensor else tensor.item()
    if isinstance(node, dict):
        return {key: _filled(part, tensors) for key, part in node.items()}
    if isinstance(node, deque):
        return deque((_filled(part, tensors) for part in node), node.maxlen)
    if isinstance(node, (list, tuple)):
        return type(node)(_filled(part, tensors) for part in node)
    return copy.copy(node)
