"""Optimizers of other packages, and classes that can't be trained member by member."""

from __future__ import annotations

import random

import torch


class Plain(torch.optim.Optimizer):
    """Gradient descent."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            self.move(p, p.grad, self.param_groups[0])

    def move(self, p, grad, group):
        p.sub_(group["lr"] * grad)


class Counting(Plain):
    """Optimizer with a number in every kind of state, nested ones included."""

    calls = 0

    def move(self, p, grad, group):
        self.calls += 1
        group["count"] = group.get("count", 0) + 1
        state = self.state[p]
        if not state:
            state["nested"] = [{"sum": torch.zeros_like(p)}, (0.0, True)]
        state["nested"][0]["sum"] += grad
        state["nested"][1] = (state["nested"][1][0] + 0.1, not state["nested"][1][1])
        factor = self.calls + group["count"] + state["nested"][1][0] + state["nested"][1][1]
        p.sub_(group["lr"] * factor * state["nested"][0]["sum"])


class InPlace(Plain):
    def move(self, p, grad, group):
        p.sub_(group["lr"] * grad.mul_(0.5))


class NeedsClosure(Plain):
    def step(self, closure):
        closure()


class Hidden(Plain):
    """An optimizer that stores the previous gradient outside of its state."""

    def move(self, p, grad, group):
        before = getattr(self, "_before", {})
        p.sub_(group["lr"] * (grad + before.get(id(p), 0.0)))
        self._before = {**before, id(p): grad.clone()}


class Random(Plain):
    def move(self, p, grad, group):
        p.sub_(group["lr"] * grad * random.random())


class Growing(Plain):
    def move(self, p, grad, group):
        state = self.state[p]
        state.setdefault("all", []).append(grad.clone())
        p.sub_(group["lr"] * sum(state["all"]))


class Late(Plain):
    """A tensor gets another shape in the tenth step."""

    def move(self, p, grad, group):
        state = self.state[p]
        state["t"] = state.get("t", 0) + 1
        state["sum"] = torch.zeros(1 + state["t"] // 10)


class Object(Plain):
    def move(self, p, grad, group):
        self.state[p]["object"] = object()


class WithoutRate(torch.optim.Optimizer):
    def __init__(self, params):
        super().__init__(params, {})
