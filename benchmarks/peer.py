"""IID-GAN's step in JAX: one compiled scan over many steps, seeds side by side by `vmap`."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.nn import softplus

WIDTHS = {"G": (2, 100, 200, 100, 2), "D": (2, 100, 200, 100, 1), "F": (2, 100, 200, 100, 2)}
LR, BETAS, EPS, BATCH = 2e-3, (0.5, 0.999), 1e-8, 100


def _net(key, widths):
    keys = jax.random.split(key, len(widths) - 1)
    return [
        (jax.random.uniform(k, (a, b), minval=-1, maxval=1) / a**0.5, jnp.zeros(b))
        for k, a, b in zip(keys, widths, widths[1:])
    ]


def _apply(net, x):
    for weight, bias in net[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = net[-1]
    return x @ weight + bias


def _loss_D(D, fake, x):
    return softplus(-_apply(D, x)).mean() + softplus(_apply(D, fake)).mean()


def _loss_G(GF, D, z, x):
    G, F = GF
    fake, codes = _apply(G, z), _apply(F, x)
    centred = codes - codes.mean(0)
    covariance = centred.T @ centred / BATCH
    gaussian = jnp.linalg.norm(codes.mean(0)) + jnp.linalg.norm(covariance - jnp.eye(2))
    cycle = jnp.abs(_apply(F, fake) - z).mean() + jnp.abs(_apply(G, codes) - x).mean()
    return softplus(-_apply(D, fake)).mean() + 3 * cycle + 10 * gaussian


def _adam(value, slope, moments, count):
    means, squares = moments
    means = jax.tree.map(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, means, slope)
    squares = jax.tree.map(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, squares, slope)
    shrink = [1 - beta**count for beta in BETAS]

    def move(w, m, v):
        return w - LR * (m / shrink[0]) / (jnp.sqrt(v / shrink[1]) + EPS)

    return jax.tree.map(move, value, means, squares), (means, squares)


def _step(data, state, key):
    D, GF, slots_D, slots_GF, count = state
    key_x, key_z = jax.random.split(key)
    x = data[jax.random.randint(key_x, (BATCH,), 0, len(data))]
    z = jax.random.normal(key_z, (BATCH, 2))
    slope = jax.grad(_loss_D)(D, _apply(GF[0], z), x)
    D, slots_D = _adam(D, slope, slots_D, count)
    slope = jax.grad(_loss_G)(GF, D, z, x)
    GF, slots_GF = _adam(GF, slope, slots_GF, count)
    return (D, GF, slots_D, slots_GF, count + 1.0), None


def _start(key):
    keys = jax.random.split(key, 3)
    D, G, F = (_net(k, WIDTHS[name]) for k, name in zip(keys, "DGF"))
    zeros = partial(jax.tree.map, jnp.zeros_like)
    return D, (G, F), (zeros(D), zeros(D)), (zeros((G, F)), zeros((G, F))), 1.0


def many_steps(data, *, seeds, steps):
    """Makes a function that takes `steps` steps of all seeds at each call."""
    data = jnp.asarray(data.numpy())
    state = jax.vmap(_start)(jax.random.split(jax.random.key(0), seeds))

    @jax.jit
    def go(state, keys):
        return jax.vmap(lambda s, k: jax.lax.scan(partial(_step, data), s, k)[0])(state, keys)

    holder = [state, jax.random.key(1)]

    def once():
        holder[1], key = jax.random.split(holder[1])
        keys = jax.random.split(key, (seeds, steps))
        holder[0] = jax.block_until_ready(go(holder[0], keys))

    return once
