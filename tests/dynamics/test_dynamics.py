"""All dynamics on games whose steps are known in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
import torch
from tests.training.small import Shapes, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.dynamics.alternating import Alternating
from gansweep.dynamics.anchored import Anchored
from gansweep.dynamics.competitive import Competitive
from gansweep.dynamics.consensus import Consensus
from gansweep.dynamics.extragradient import ExtraGradient
from gansweep.dynamics.past_extragradient import PastExtraGradient
from gansweep.dynamics.position import Both
from gansweep.dynamics.simultaneous import Simultaneous
from gansweep.dynamics.symplectic import Symplectic
from gansweep.dynamics.unrolled import Unrolled
from gansweep.losses.minimax import Minimax
from gansweep.losses.objective import Objective
from gansweep.losses.wasserstein import Wasserstein
from gansweep.models.dirac import Dirac
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.r1 import R1

H = 0.2


def dirac(dynamics, objective, steps, rule=None, lr=H, psi=1.0):
    """Train on data that are all zero, and return (theta, psi) after every step."""
    one = replace(member(0, rule or SGD(), lr, objective), steps=steps)
    pack = AdversarialPack(
        [one], Dirac(psi=psi), torch.zeros(4, 1), PackSettings(batch_size=2), critic_steps=1, dynamics=dynamics
    )
    return [(pack.g.theta.item(), pack.d.theta.item()) for _ in pack.steps()]


def sigmoid(t):
    return 1 / (1 + math.exp(-t))


def test_simultaneous_is_euler_on_the_field(exact):
    """L_G = -softplus(psi theta), L_D = softplus(psi theta), whose derivatives are both sigmoid(psi theta).

    The paper's discriminator lowers real logits: its psi is -psi here, and (1, 1) is (1, -1).
    """
    theta, psi = 1.0, -1.0
    for at in dirac(Simultaneous(), Objective(Minimax()), 500, psi=-1.0):
        slope = sigmoid(psi * theta)
        theta, psi = theta + H * psi * slope, psi - H * theta * slope
        assert at == pytest.approx((theta, psi), abs=1e-9)
    assert math.hypot(theta, psi) == pytest.approx(3.096948667, rel=1e-9)


@pytest.mark.parametrize(("gamma", "radius"), [(0.3, 2.642656e-6), (1.0, 9.528716e-22)])
def test_r1_converges_as_the_closed_form_says(exact, gamma, radius):
    """Simultaneous descent, 500 steps of 0.2 from (1, 1)."""
    path = dirac(Simultaneous(), Objective(Minimax(), {"r1": R1(weight=gamma)}), 500, psi=-1.0)
    assert math.hypot(*path[-1]) == pytest.approx(radius, rel=1e-5)


def bilinear(theta, psi):
    """One step of each dynamics on L_G = -psi theta, L_D = psi theta: x = (theta, psi)."""
    yield Simultaneous(), (theta + H * psi, psi - H * theta)
    ahead = (theta + H * psi, psi - H * theta)
    yield ExtraGradient(), (theta + H * ahead[1], psi - H * ahead[0])
    # J = ((0, -1), (1, 0)), so that J^T v = (theta, psi) for v = (-psi, theta)
    yield Consensus(gamma=0.7), (theta + H * psi - H * 0.7 * theta, psi - H * theta - H * 0.7 * psi)
    yield Symplectic(strength=0.5, aligned=False), (theta + H * psi - H * 0.5 * theta, psi - H * theta - H * 0.5 * psi)
    # (I + N) step = h v with N = h J, inverted by hand
    scale = 1 / (1 + H * H)
    yield Competitive(), (theta - H * scale * (-psi + H * theta), psi - H * scale * (theta + H * psi))
    # psi_k = psi - k h theta in L_G = -psi_k theta: the derivative is -psi + 2 k h theta
    yield Unrolled(steps=3), (theta - H * (-psi + 2 * 3 * H * theta), psi - H * theta)


@pytest.mark.parametrize("n", range(6))
def test_a_bilinear_game_in_closed_form(exact, n):
    """The Wasserstein game of two numbers, ten steps. Mistakes: a sign, a factor, a transpose."""
    at = (1.0, 1.0)
    dynamics = list(bilinear(*at))[n][0]
    for found in dirac(dynamics, Objective(Wasserstein()), 10):
        at = list(bilinear(*at))[n][1]
        assert found == pytest.approx(at, abs=1e-12)


def field(theta, psi):
    """v of L_G = -psi theta, L_D = psi theta."""
    return torch.tensor([-psi, theta])


def test_past_extragradient_is_popovs_method_and_the_optimistic_one(exact):
    x, gradients, aheads = torch.tensor([1.0, 1.0]), [torch.zeros(2)], []
    for found in dirac(PastExtraGradient(), Objective(Wasserstein()), 10):
        aheads.append(x - H * gradients[-1])
        gradients.append(field(*aheads[-1]))
        x = x - H * gradients[-1]
        assert found == pytest.approx(tuple(x.tolist()), abs=1e-12)
    for n in range(1, 9):
        optimistic = aheads[n] - 2 * H * gradients[n + 1] + H * gradients[n]
        torch.testing.assert_close(aheads[n + 1], optimistic)


@pytest.mark.parametrize("past", [False, True])
def test_anchored_written_out(exact, past):
    start = x = torch.tensor([1.0, 1.0])
    gradient = torch.zeros(2)
    for t, found in enumerate(dirac(Anchored(past), Objective(Wasserstein()), 10), 1):
        pull = (start - x) / (t + 1)
        gradient = field(*(x + pull - H * (gradient if past else field(*x))))
        x = x + pull - H * gradient
        assert found == pytest.approx(tuple(x.tolist()), abs=1e-12)


def test_anchored_has_the_rate_of_its_theorem(exact):
    """Yoon and Ryu, theorem 2: ||v||^2 <= 260 R^2 ||x_0 - x*||^2 / ((k + 1)(k + 2)) with steps of 1 / (8 R), R = 1."""
    for k, (theta, psi) in enumerate(dirac(Anchored(), Objective(Wasserstein()), 200, lr=0.125), 1):
        assert theta**2 + psi**2 <= 260 * 2 / ((k + 1) * (k + 2))


def test_past_extra_adam_moves_by_adam_with_every_gradient_twice(exact):
    path = dirac(PastExtraGradient(), Objective(Wasserstein()), 4, Adam(), 0.01)
    x, m, v, t, past = torch.ones(2), torch.zeros(2), torch.zeros(2), 0, torch.zeros(2)

    def adam(at, g):
        nonlocal m, v, t
        t += 1
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        return at - 0.01 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)

    for found in path:
        past = field(*adam(x, past))
        x = adam(x, past)
        assert found == pytest.approx(tuple(x.tolist()), abs=1e-12)


def test_alternating_moves_the_discriminator_first(exact):
    theta, psi = 1.0, 1.0
    for found in dirac(Alternating(), Objective(Wasserstein()), 10):
        psi -= H * theta
        theta += H * psi
        assert found == pytest.approx((theta, psi), abs=1e-12)


def inputs_of_a_step(**settings):
    """Return the inputs of three discriminator updates and of the generator's."""
    one = replace(member(1), steps=3)
    dynamics = Alternating(**settings)
    pack = AdversarialPack(
        [one], small_mlp(), Shapes().samples, PackSettings(batch_size=10), critic_steps=3, dynamics=dynamics
    )
    seen = []
    update_d, update_g = pack.call_update_d, pack.call_update_g
    pack.call_update_d = lambda given: (seen.append(given), update_d(given))[1]
    pack.call_update_g = lambda given: (seen.append(given), update_g(given))[1]
    steps = pack.steps()
    for _ in range(2):
        next(steps)
    return seen[:4], seen[4:8]


def test_every_move_has_a_batch_and_latents_of_its_own():
    (a, b, c, g), (d, *_) = inputs_of_a_step()
    batches, latents = [x.real for x in (a, b, c, d)], [x.z for x in (a, b, c, g, d)]
    for found in (batches, latents):
        assert not any(torch.equal(x, y) for n, x in enumerate(found) for y in found[:n])


def test_one_batch_for_all_moves_of_a_step_and_latents_used_again():
    (a, b, c, g), (d, *_) = inputs_of_a_step(fresh_batches=False, fresh_latents=False)
    assert torch.equal(a.real, b.real)
    assert torch.equal(a.real, c.real)
    assert not torch.equal(a.real, d.real)
    assert torch.equal(g.z, c.z)
    assert not torch.equal(b.z, c.z)
    assert not torch.equal(g.z, d.z)
    assert not any(torch.equal(x, y) for x, y in zip(g.masks, (m[:, :10] for m in c.masks), strict=True))


def test_the_generator_may_move_more_often(exact):
    theta, psi = 1.0, 1.0
    for found in dirac(Alternating(generator_steps=3), Objective(Wasserstein()), 5):
        psi -= H * theta
        theta += 3 * H * psi
        assert found == pytest.approx((theta, psi), abs=1e-12)


def test_those_made_for_rotation_come_in_where_simultaneous_steps_go_out():
    def radius(dynamics):
        return math.hypot(*dirac(dynamics, Objective(Wasserstein()), 200)[-1])

    assert radius(Simultaneous()) > 10
    for dynamics in (
        ExtraGradient(),
        PastExtraGradient(),
        Anchored(),
        Anchored(past=True),
        Consensus(),
        Symplectic(),
        Competitive(),
        Unrolled(),
    ):
        assert radius(dynamics) < 0.1, dynamics


@dataclass
class Linear:
    """The field v = J x of one member at x, as the dynamics see it."""

    jacobian: torch.Tensor
    x: Both
    taken: Both | None = None

    def field(self, *, create_graph=False):
        return self.times(self.jacobian, self.x)

    def times(self, matrix, u):
        y = torch.cat(u.parts, 1) @ matrix.T
        return Both((y[:, :1],), (y[:, 1:],))

    def jvp(self, v, u, *, mixed=False):
        return self.times(self.jacobian, u)

    def vjp(self, v, u, *, mixed=False):
        return self.times(self.jacobian.T, u)

    def descend(self, gradient):
        self.taken = gradient


@pytest.mark.parametrize(("damping", "sign"), [(1.0, 1.0), (-1.0, -1.0)], ids=["stable", "unstable"])
def test_alignment_attracts_to_stable_points_and_repels_from_others(exact, damping, sign):
    """J = ((c, -1), (1, c)): A^T v is x + c (psi, -theta), which attracts or repels depending on the sign of c."""
    game = Linear(
        torch.tensor([[damping, -1.0], [1.0, damping]]), Both((torch.ones(1, 1),), (torch.full((1, 1), 2.0),))
    )
    Symplectic(strength=0.5, aligned=True)(game)
    v, c = game.field(), damping
    adjustment = torch.tensor([1 + c * 2.0, 2.0 - c])
    expected = torch.cat(v.parts, 1)[0] + sign * 0.5 * adjustment
    torch.testing.assert_close(torch.cat(game.taken.parts, 1)[0], expected)


def test_extra_adam_moves_by_adam_twice(exact):
    """Both gradients enter the moments; the second step begins where the first did."""
    path = dirac(ExtraGradient(), Objective(Wasserstein()), 3, Adam(), 0.01)
    x, m, v = torch.ones(2), torch.zeros(2), torch.zeros(2)
    t = 0

    def gradient(at):
        return torch.stack([-at[1], at[0]])

    def adam(at, g):
        nonlocal m, v, t
        t += 1
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        return at - 0.01 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)

    for found in path:
        x = adam(x, gradient(adam(x, gradient(x))))
        assert found == pytest.approx(tuple(x.tolist()), abs=1e-12)
