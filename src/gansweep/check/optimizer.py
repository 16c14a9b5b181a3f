"""Checks of an update rule without a GAN."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gansweep.batched.parameter_chunks import state_of_part
from gansweep.check.bench import Subject, difference, in_float64
from gansweep.check.finding import Answer, Check, requirement
from gansweep.interfaces import Slot, UpdateContext, UpdateRule

SLOTS = (Slot("0.weight", (5, 7)), Slot("0.bias", (5,), "bias"))
K, P = 3, 40
RATES = (1e-2, 3e-3, 3e-2)


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of the generator's update rule, and of the discriminator's if it differs."""
    member = subject.member
    rules = {"optimizer": member.generator.rule}
    if repr(member.discriminator.rule) != repr(member.generator.rule):
        rules["optimizer_d"] = member.discriminator.rule
    for part, rule in rules.items():
        for required in (_state, _minimizes, _keeps_gradient, _keeps_nan, _alone, _step_counts):
            yield required.check(part, rule)
        if rule.elementwise:
            yield _in_parts.check(part, rule)


def _fresh(rule: UpdateRule) -> UpdateRule:
    return copy.deepcopy(rule)


def _random_problem() -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(5)
    return torch.randn(K, P, generator=random), torch.randn(8, K, P, generator=random)


def _run(
    rule: UpdateRule, theta: Tensor, gradient: Callable[[int], Tensor], steps: int, first: int = 1
) -> dict[str, Tensor]:
    state = rule.state(SLOTS, theta)
    lr = torch.tensor(RATES, dtype=theta.dtype)[: len(theta), None]
    for t in range(steps):
        count = torch.full((len(theta), 1), float(first + t), dtype=torch.float64)
        rule.update(theta, gradient(t), state, UpdateContext(lr, count, SLOTS))
    return state


@requirement("state is tensors (K, ...)", "state() must return tensors whose first axis has one row per member")
def _state(rule: UpdateRule) -> Answer:
    state = _fresh(rule).state(SLOTS, torch.zeros(K, P))
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    return all(shape[:1] == (K,) for shape in shapes.values()), (
        ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:4]) or "no state"
    )


@requirement("lowers a convex quadratic", "update() must change theta in place, against the gradient")
@in_float64
def _minimizes(rule: UpdateRule) -> Answer:
    """Minimize 1/2 sum_i c_i theta_i^2 with c from 0.5 to 2, for 15 steps."""
    curvature, theta = torch.linspace(0.5, 2.0, P), torch.linspace(-1, 2, K * P).reshape(K, P)

    def height() -> Tensor:
        return (curvature * theta.square()).sum(1) / 2

    before = height()
    _run(_fresh(rule), theta, lambda t: curvature * theta, 15)
    ratio = height() / before
    shown = ", ".join(f"{r:.6g} at lr {lr:g}" for r, lr in zip(ratio.tolist(), RATES, strict=True))
    return bool((ratio < 1).all()), f"end / start: {shown}"


@requirement("does not modify the gradient", "work on a copy: gradient.add(...) instead of gradient.add_(...)")
def _keeps_gradient(rule: UpdateRule) -> Answer:
    theta, gradients = _random_problem()
    before = gradients.clone()
    _run(_fresh(rule), theta, lambda t: gradients[t], len(gradients))
    error = difference(gradients, before)
    return error == 0, f"changed by {error:.3g}"


@requirement(
    "a NaN gradient reaches its own row only",
    "take norms per row: reduce over all axes except axis 0",
)
def _keeps_nan(rule: UpdateRule) -> Answer:
    theta, gradients = _random_problem()
    gradients[3, 1, 7] = float("nan")
    _run(_fresh(rule), theta, lambda t: gradients[t], len(gradients))
    finite = theta.isfinite().all(1).tolist()
    return finite[0] and finite[2], f"members finite after a NaN for the second: {finite}"


@requirement(
    "a row is independent of the others",
    "reduce over all axes except axis 0 (members): norms, means and clipping per row",
)
def _alone(rule: UpdateRule) -> Answer:
    theta, gradients = _random_problem()
    first = theta[:1].clone()
    _run(_fresh(rule), theta, lambda t: gradients[t], len(gradients))
    _run(_fresh(rule), first, lambda t: gradients[t, :1], len(gradients))
    error = difference(theta[:1], first)
    return error == 0, f"in a batch and alone differ by {error:.3g}"


@requirement(
    "uses the step count of each member",
    "use `context.step` (K, 1) as given, not its maximum or a counter in an attribute",
)
def _step_counts(rule: UpdateRule) -> Answer:
    """Compare a batch of a fifth and a first step with the same steps taken alone."""
    if not _alone.run(rule)[0]:
        return None, "not applicable: rows depend on each other"
    theta, gradients = _random_problem()
    rows = []
    for k, first in ((0, 5), (1, 1)):
        row = theta[k : k + 1].clone()
        _run_alone(_fresh(rule), row, gradients[:, k : k + 1], first)
        rows.append(row)
    trained = _fresh(rule)
    old = theta[:1].clone()
    state = _run_alone(trained, old, gradients[:, :1], 4)
    both = torch.cat([old, theta[1:2]])
    new = _fresh(rule).state(SLOTS, theta[1:2])
    state = {name: torch.cat([value, new[name]]) for name, value in state.items()}
    # The gradient of each member's step: the fifth of the first, the first of the second.
    own_gradients = torch.stack([gradients[4, 0], gradients[0, 1]])
    lr = torch.full((2, 1), RATES[0])
    steps = torch.tensor([[5.0], [1.0]], dtype=torch.float64)
    trained.update(both, own_gradients, state, UpdateContext(lr, steps, SLOTS))
    error = difference(both, torch.cat(rows))
    return error == 0, f"fifth step batched with a first step: {error:.3g}"


def _run_alone(rule: UpdateRule, theta: Tensor, gradients: Tensor, steps: int) -> dict[str, Tensor]:
    """Take `steps` steps at the first learning rate."""
    state = rule.state(SLOTS, theta)
    for t in range(steps):
        count = torch.full((1, 1), t + 1.0, dtype=torch.float64)
        rule.update(theta, gradients[t], state, UpdateContext(torch.full((1, 1), RATES[0]), count, SLOTS))
    return state


@requirement(
    "elementwise: a row may be split", "set elementwise = False: the update of an entry depends on other entries"
)
def _in_parts(rule: UpdateRule) -> Answer:
    theta, gradients = _random_problem()
    whole, cut = theta.clone(), theta.clone()
    _run(_fresh(rule), whole, lambda t: gradients[t], len(gradients))
    trained = _fresh(rule)
    state, lr = trained.state(SLOTS, cut), torch.tensor(RATES)[:, None]
    for t, gradient in enumerate(gradients):
        count = torch.full((K, 1), t + 1.0, dtype=torch.float64)
        parts = (slice(0, 13), slice(13, 14), slice(14, P))
        for part in parts:
            views = state_of_part(state, part, last=part is parts[-1])
            trained.update(cut[:, part], gradient[:, part], views, UpdateContext(lr, count, SLOTS))
    error = difference(cut, whole)
    return error == 0, f"in three parts and whole differ by {error:.3g}"
