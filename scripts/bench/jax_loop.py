"""The grids of fused.py as a JAX user trains them: members by vmap, critic steps and generator steps by scan, one jit.

    python jax_loop.py '{"sample": 2, "latent": 16, "generator": [64, 64], ...}'   # as fused.py calls it

Prints milliseconds for each member and generator step, and the seconds of the first call, which compiles. Needs jax and
nothing else, so it may run in an environment of its own. WGAN-GP (weight 10), Adam for all members, LeakyReLU(0.2),
dropout in the critic; keys of jax.random; no log, no evaluation, no check for divergence.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

NUM_SAMPLES, CALLS = 4096, 5
BETAS, EPS = (0.9, 0.999), 1e-8


def initial(key: Any, widths: list[int]) -> list[tuple[Any, Any]]:
    """Return weights and biases of a fully connected network, uniform in +-1 / sqrt(inputs)."""
    layers = []
    for one, (inputs, outputs) in zip(jax.random.split(key, len(widths) - 1), pairwise(widths), strict=True):
        bound = inputs**-0.5
        layers.append((jax.random.uniform(one, (inputs, outputs), minval=-bound, maxval=bound), jnp.zeros(outputs)))
    return layers


def network(layers: Any, x: Any, masks: Any = None) -> Any:
    """Return the outputs for samples x (B, ...); `masks` are those of dropout after each hidden layer."""
    for n, (weight, bias) in enumerate(layers):
        x = x @ weight + bias
        if n < len(layers) - 1:
            x = jax.nn.leaky_relu(x, 0.2)
            x = x if masks is None else x * masks[n]
    return x


def adam(parameters: Any, gradient: Any, state: Any, lr: Any) -> tuple[Any, Any]:
    """Return the parameters after an update and the new state. Kingma and Ba 2015, arXiv:1412.6980, algorithm 1."""
    first, second, count = state
    count += 1
    first = jax.tree.map(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, second, gradient)
    size, scale = lr / (1 - BETAS[0] ** count), 1 / (1 - BETAS[1] ** count)

    def moved(theta: Any, m: Any, v: Any) -> Any:
        return theta - size * m / (jnp.sqrt(v * scale) + EPS)

    return jax.tree.map(moved, parameters, first, second), (first, second, count)


class Loop:
    """The training of K members; `many` trains some generator steps in one call.

    Args:
        case: sample, latent (lengths), generator, discriminator (hidden widths), batch, dropout, tanh, critic_steps.
        steps: generator steps of a call.
    """

    def __init__(self, case: dict[str, Any], steps: int) -> None:
        self.case, self.steps = case, steps
        self.samples = jax.random.uniform(jax.random.key(0), (NUM_SAMPLES, case["sample"]), minval=-1, maxval=1)
        self.many = jax.jit(self._many, donate_argnums=0)

    def begin(self, num_members: int) -> Any:
        """Return the initial state of all members."""
        return jax.vmap(self._begin)(jax.random.split(jax.random.key(1), num_members))

    def _begin(self, key: Any) -> Any:
        case, (of_g, of_d, rest) = self.case, jax.random.split(key, 3)
        theta = initial(of_g, [case["latent"], *case["generator"], case["sample"]])
        psi = initial(of_d, [case["sample"], *case["discriminator"], 1])
        zeros = [jax.tree.map(jnp.zeros_like, each) for each in (theta, psi)]
        return theta, psi, *((each, each, jnp.zeros((), jnp.int32)) for each in zeros), rest

    def _generated(self, theta: Any, key: Any) -> Any:
        fake = network(theta, jax.random.normal(key, (self.case["batch"], self.case["latent"])))
        return jnp.tanh(fake) if self.case["tanh"] else fake

    def _masks(self, key: Any) -> Any:
        keep, widths = 1 - self.case["dropout"], self.case["discriminator"]
        if keep == 1:
            return None
        keys = jax.random.split(key, len(widths))
        shapes = [(self.case["batch"], width) for width in widths]
        return [jax.random.bernoulli(one, keep, shape) / keep for one, shape in zip(keys, shapes, strict=True)]

    def _critic_loss(self, psi: Any, theta: Any, real: Any, key: Any) -> Any:
        of_z, of_u, *of_masks = jax.random.split(key, 5)
        on_fake, on_real, on_points = map(self._masks, of_masks)
        fake = jax.lax.stop_gradient(self._generated(theta, of_z))
        u = jax.random.uniform(of_u, (len(real), 1))
        gradient = jax.grad(lambda x: network(psi, x, on_points).sum())(u * real + (1 - u) * fake)
        norm = jnp.sqrt((gradient * gradient).sum(1) + 1e-12)
        game = network(psi, fake, on_fake).mean() - network(psi, real, on_real).mean()
        return game + 10 * jnp.mean((norm - 1) ** 2)

    def _generator_loss(self, theta: Any, psi: Any, key: Any) -> Any:
        of_z, of_masks = jax.random.split(key)
        return -network(psi, self._generated(theta, of_z), self._masks(of_masks)).mean()

    def _step(self, state: Any, lr: Any) -> Any:
        """Train one generator step of one member."""
        theta, psi, of_theta, of_psi, key = state

        def critic_step(carry: Any, _: None) -> tuple[Any, None]:
            psi, of_psi, key = carry
            key, of_batch, of_loss = jax.random.split(key, 3)
            real = self.samples[jax.random.randint(of_batch, (self.case["batch"],), 0, NUM_SAMPLES)]
            gradient = jax.grad(self._critic_loss)(psi, theta, real, of_loss)
            return (*adam(psi, gradient, of_psi, lr), key), None

        (psi, of_psi, key), _ = jax.lax.scan(critic_step, (psi, of_psi, key), None, length=self.case["critic_steps"])
        key, of_loss = jax.random.split(key)
        theta, of_theta = adam(theta, jax.grad(self._generator_loss)(theta, psi, of_loss), of_theta, lr)
        return theta, psi, of_theta, of_psi, key

    def _many(self, state: Any, rates: Any) -> Any:
        def step(state: Any, _: None) -> tuple[Any, None]:
            return jax.vmap(self._step)(state, rates), None

        return jax.lax.scan(step, state, None, length=self.steps)[0]


def measure(case: dict[str, Any], num_members: int, steps: int) -> dict[str, float]:
    """Return the median time of a step of one member in ms, and the time of the first call in s."""
    loop, rates = Loop(case, steps), jnp.linspace(1e-7, 7e-7, num_members)
    state, times = loop.begin(num_members), []
    for _ in range(1 + CALLS):
        start = time.perf_counter()
        state = jax.block_until_ready(loop.many(state, rates))
        times.append(time.perf_counter() - start)
    first, *others = times
    return {"step_ms": 1e3 * sorted(others)[CALLS // 2] / steps / num_members, "first_s": first}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps(measure(given["case"], given["members"], given["steps"])))
