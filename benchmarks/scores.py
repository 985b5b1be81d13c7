"""Scores on features against other packages: time in interleaved rounds, memory in a process each.

`python -m benchmarks.scores --num 2000 --dim 512` runs it alone, at any size.
"""

import argparse
import contextlib
import io
import statistics
from functools import partial

import torch

from benchmarks.cold_start import peak, run_apart
from benchmarks.timing import Variant, describe_machine, measure, one_core, ratios, table
from iidgan.functional.scores.frechet import frechet_distance
from iidgan.functional.scores.manifold import prdc

NUM, DIM = 10_000, 2048
K = 5


def draw_features(num, dim):
    """Features of two sets, float32, as networks give them."""
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(num, dim, generator=generator)
    return real, 0.1 + 1.05 * torch.randn(num, dim, generator=generator)


def other_prdc(real, fake):
    """PyPI's prdc, which prints."""
    from prdc import compute_prdc

    with contextlib.redirect_stdout(io.StringIO()):
        return compute_prdc(real.numpy(), fake.numpy(), K)


def naive_prdc(real, fake):
    """The definitions in float32, all distances of two sets at a time."""
    real_radii, fake_radii = (torch.cdist(x, x).kthvalue(K + 1, 1).values for x in (real, fake))
    distances = torch.cdist(real, fake)
    in_real_ball = distances <= real_radii[:, None]
    in_fake_ball = distances <= fake_radii
    shares = (in_real_ball.any(0), in_fake_ball.any(1), in_real_ball.any(1))
    return [share.double().mean() for share in shares], in_real_ball.sum() / (K * len(fake))


def other_frechet(real, fake):
    """torchmetrics: moments in float64, and its computation of the distance."""
    from torchmetrics.image.fid import _compute_fid

    moments = [(x.mean(0), x.mT.cov()) for x in (real.double(), fake.double())]
    return _compute_fid(*moments[0], *moments[1])


NEIGHBOURS = {"iidgan": partial(prdc, k=K), "PyPI prdc": other_prdc, "naive float32": naive_prdc}
FRECHET = {"iidgan": frechet_distance, "torchmetrics": other_frechet}


def compare_times(functions, features, rounds):
    """Times all functions in turn; gives lines of a table, and the ratios to the first."""
    variants = [Variant(name, partial(call, *features)) for name, call in functions.items()]
    times = measure(variants, rounds=rounds, seconds=0)
    first = variants[0].name
    medians = {v.name: statistics.median(ratios(times, v.name, first)) for v in variants[1:]}
    return table(times, unit="s", scale=1), medians


def memory(name, num, dim):
    """MiB that the neighbour scores take beyond the features, in this process."""
    features = draw_features(num, dim)
    NEIGHBOURS[name](*draw_features(50, dim))  # imports
    before = peak()
    NEIGHBOURS[name](*features)
    return peak() - before


def _memory_apart(name, num, dim):
    code = f"from benchmarks.scores import memory; print(memory({name!r}, {num}, {dim}))"
    return float(run_apart("-c", code)[1])


def compare(num=NUM, dim=DIM, rounds=3):
    """Compares times and memory; gives the text, and the ratios by name."""
    features = draw_features(num, dim)
    neighbour_table, neighbour_ratios = compare_times(NEIGHBOURS, features, rounds)
    frechet_table, frechet_ratios = compare_times(FRECHET, features, rounds)
    own_memory, other_memory = (_memory_apart(name, num, dim) for name in ("iidgan", "PyPI prdc"))
    text = (
        f"Precision, recall, density and coverage of {num:,} x {dim:,} real and generated "
        f"features:\n\n{neighbour_table}\n\nMemory beyond the features: {own_memory:.0f} MiB, "
        f"PyPI prdc {other_memory:.0f} MiB.\n\nFrechet distance, with the moments:\n\n"
        f"{frechet_table}"
    )
    return text, {
        "neighbours": neighbour_ratios["PyPI prdc"],
        "memory": own_memory / other_memory,
        "frechet": frechet_ratios["torchmetrics"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num", type=int, default=NUM, help="samples of each set")
    parser.add_argument("--dim", type=int, default=DIM, help="features of a sample")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the comparison")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with one_core():
        text, facts = compare(options.num, options.dim, options.rounds)
    print(f"{describe_machine()}\n\n{text}\n\n{facts}")


if __name__ == "__main__":
    main()
