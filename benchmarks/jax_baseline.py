"""The methods' steps in JAX: one compiled scan over many steps, seeds side by side by `vmap`."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.nn import softplus

LR, BETAS, EPS, BATCH = 2e-3, (0.5, 0.999), 1e-8, 100
HIDDEN = (100, 200, 100)
CRITIC_MOVES, UNROLLED_MOVES, UNROLLED_LR = 5, 5, 1e-3


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


def _adam(value, slope, slots, *, lr=LR, eps_in_root=0.0, eps=EPS):
    """A step of Adam: new weights, and new slots: both moments, and how many steps."""
    means, squares, count = slots
    count = count + 1
    means = jax.tree.map(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, means, slope)
    squares = jax.tree.map(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, squares, slope)
    shrink = [1 - beta**count for beta in BETAS]

    def move(w, m, v):
        return w - lr * (m / shrink[0]) / (jnp.sqrt(v / shrink[1] + eps_in_root) + eps)

    return jax.tree.map(move, value, means, squares), (means, squares, count)


def _zeros(value):
    zeros = jax.tree.map(jnp.zeros_like, value)
    return zeros, zeros, 0.0


def _descend(state, names, loss):
    """Moves the named networks down the slope of `loss`, a function of all networks."""
    nets, slots = state
    moved, new = dict(nets), dict(slots)
    slopes = jax.grad(lambda own: loss(nets | own))({name: nets[name] for name in names})
    for name in names:
        moved[name], new[name] = _adam(nets[name], slopes[name], slots[name])
    return moved, new


def _draw(data, key):
    key_x, key_z = jax.random.split(key)
    x = data[jax.random.randint(key_x, (BATCH,), 0, len(data))]
    return x, jax.random.normal(key_z, (BATCH, 2))


def _contest(D, fake, x):
    return softplus(-_apply(D, x)).mean() + softplus(_apply(D, fake)).mean()


def _gan(data, state, key):
    x, z = _draw(data, key)
    fake = _apply(state[0]["G"], z)
    state = _descend(state, "D", lambda n: _contest(n["D"], fake, x))
    return _descend(state, "G", lambda n: softplus(-_apply(n["D"], _apply(n["G"], z))).mean())


def _iid_gan(data, state, key):
    x, z = _draw(data, key)
    fake = _apply(state[0]["G"], z)

    def loss(n):
        fake, codes = _apply(n["G"], z), _apply(n["F"], x)
        centred = codes - codes.mean(0)
        covariance = centred.T @ centred / BATCH
        gaussian = jnp.linalg.norm(codes.mean(0)) + jnp.linalg.norm(covariance - jnp.eye(2))
        cycle = jnp.abs(_apply(n["F"], fake) - z).mean()
        cycle = cycle + jnp.abs(_apply(n["G"], codes) - x).mean()
        return softplus(-_apply(n["D"], fake)).mean() + 3 * cycle + 10 * gaussian

    state = _descend(state, "D", lambda n: _contest(n["D"], fake, x))
    return _descend(state, "GF", loss)


def _wgan_gp(data, state, key):
    *keys, last = jax.random.split(key, CRITIC_MOVES + 1)
    for step_key in keys:
        key_draw, key_share = jax.random.split(step_key)
        x, z = _draw(data, key_draw)
        fake = _apply(state[0]["G"], z)
        share = jax.random.uniform(key_share, (BATCH, 1))
        between = share * x + (1 - share) * fake

        def loss(n, x=x, fake=fake, between=between):
            slope = jax.grad(lambda at: _apply(n["D"], at).sum())(between)
            penalty = (jnp.linalg.norm(slope, axis=1) - 1) ** 2
            return _apply(n["D"], fake).mean() - _apply(n["D"], x).mean() + 10 * penalty.mean()

        state = _descend(state, "D", loss)
    _, z = _draw(data, last)
    return _descend(state, "G", lambda n: -_apply(n["D"], _apply(n["G"], z)).mean())


def _unrolled(data, state, key):
    x, z = _draw(data, key)
    fake = _apply(state[0]["G"], z)

    def loss(n):
        fake, D, slots = _apply(n["G"], z), n["D"], _zeros(n["D"])
        for _ in range(UNROLLED_MOVES):
            slope = jax.grad(_contest)(D, fake, x)
            D, slots = _adam(D, slope, slots, lr=UNROLLED_LR, eps_in_root=EPS**2, eps=0.0)
        return -_contest(D, fake, x)

    state = _descend(state, "D", lambda n: _contest(n["D"], fake, x))
    return _descend(state, "G", loss)


def _veegan(data, state, key):
    key_draw, key_noise = jax.random.split(key)
    x, z = _draw(data, key_draw)
    nets = state[0]
    fake = _apply(nets["G"], z)
    codes = _apply(nets["F"], x) + jax.random.normal(key_noise, z.shape)

    def ratio(D, x, z):
        return _apply(D, jnp.concatenate([x, z], 1))

    def loss_D(n):
        generated, encoded = ratio(n["D"], fake, z), ratio(n["D"], x, codes)
        return softplus(-generated).mean() + softplus(encoded).mean()

    def loss(n):
        fake = _apply(n["G"], z)
        error = ((_apply(n["F"], fake) - z) ** 2).sum(1).mean() / 2
        return ratio(n["D"], fake, z).mean() + error

    return _descend(_descend(state, "D", loss_D), "GF", loss)


PEERS = {
    "iid-gan": _iid_gan,
    "gan": _gan,
    "wgan-gp": _wgan_gp,
    "unrolled": _unrolled,
    "veegan": _veegan,
}


def _start(method, key):
    pair = 4 if method == "veegan" else 2
    ends = {"G": (2, 2), "D": (pair, 1), "F": (2, 2)}
    nets = {
        name: _net(key, (inputs, *HIDDEN, outputs))
        for key, (name, (inputs, outputs)) in zip(jax.random.split(key, 3), ends.items())
    }
    return nets, {name: _zeros(net) for name, net in nets.items()}


def many_steps(method, data, *, seeds, steps):
    """Makes a function that takes `steps` steps of all seeds at each call."""
    data = jnp.asarray(data.numpy())
    step = partial(PEERS[method], data)
    state = jax.vmap(partial(_start, method))(jax.random.split(jax.random.key(0), seeds))

    def scan(state, keys):
        return jax.lax.scan(lambda state, key: (step(state, key), None), state, keys)[0]

    run_scan = jax.jit(jax.vmap(scan))
    holder = [state, jax.random.key(1)]

    def once():
        holder[1], key = jax.random.split(holder[1])
        keys = jax.random.split(key, (seeds, steps))
        holder[0] = jax.block_until_ready(run_scan(holder[0], keys))
        return holder[0]

    return once
