"""Scores on features against other packages: time in interleaved rounds, memory in a process each.

`python -m benchmarks.scores --num 2000 --dim 512` runs it alone, at any size.
"""

import argparse
import contextlib
import io
import statistics
import time
from dataclasses import replace
from functools import partial

import torch

from benchmarks.cold_start import peak, run_apart
from benchmarks.timing import Variant, describe_machine, measure, one_core, ratios, table
from iidgan.evaluation.feature_metrics import FEATURE_METRICS, FeaturePair
from iidgan.features import extract
from iidgan.functional.scores import frechet
from iidgan.functional.scores.manifold import prdc

NUM, DIM = 10_000, 2048
K = 5
EXTRACTOR = "efficientnet-lite0"
METRICS = ("prdc", "clipped", "irs", "memorisation", "fd", "kd", "vendi", "jsd")
NUM_IMAGES, SIZE = 200, 112


def draw_features(num, dim):
    """Features of two sets, float32, as networks give them; memory peaks at what they take."""
    generator = torch.Generator().manual_seed(0)
    real = torch.randn(num, dim, generator=generator)
    return real, torch.randn(num, dim, generator=generator).mul_(1.05).add_(0.1)


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


class GivenFeatures(torch.nn.Module):
    """Instead of a network: the images are the features."""

    def __init__(self, num_features):
        super().__init__()
        self.num_features = num_features

    def forward(self, features):
        return features


def accumulate(real, fake):
    """The sums of torchmetrics."""
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=GivenFeatures(real.shape[1]))
    for is_real, features in ((True, real), (False, fake)):
        for batch in features.split(1000):
            metric.update(batch, real=is_real)
    return metric


def compute_moments(real, fake):
    means = [features.double().mean(0) for features in (real, fake)]
    covariances = [features.double().mT.cov() for features in (real, fake)]
    return list(zip(means, covariances))


def distance_from_moments(moments):
    real, fake = (frechet._from_moments(*pair) for pair in moments)
    return frechet._distance(real, fake)


def distance_from_sums(metric):
    metric._computed = None  # the value that it keeps
    return metric.compute()


NEIGHBOURS = {"iidgan": partial(prdc, k=K), "PyPI prdc": other_prdc, "naive float32": naive_prdc}
FRECHET = {
    "iidgan": frechet.frechet_distance,
    "torchmetrics": lambda real, fake: accumulate(real, fake).compute(),
}


def compare_times(functions, rounds):
    """Times all functions in turn; gives lines of a table, and the ratios to the first."""
    variants = [Variant(name, call) for name, call in functions.items()]
    times = measure(variants, rounds=rounds, seconds=0)
    first = variants[0].name
    medians = {v.name: statistics.median(ratios(times, v.name, first)) for v in variants[1:]}
    return table(times, unit="s", scale=1), medians


def compare_neighbours(features, rounds):
    few = [part[:50] for part in features]
    for call in NEIGHBOURS.values():
        call(*few)  # imports
    calls = {name: partial(call, *features) for name, call in NEIGHBOURS.items()}
    text, medians = compare_times(calls, rounds)
    return f"Precision, recall, density and coverage:\n\n{text}", medians["PyPI prdc"]


def compare_frechet(features, rounds):
    """Compares the distance with and without the moments; gives also its relative error."""
    moments, metric = compute_moments(*features), accumulate(*features)
    with_moments = {name: partial(call, *features) for name, call in FRECHET.items()}
    without = {
        "iidgan": partial(distance_from_moments, moments),
        "torchmetrics": partial(distance_from_sums, metric),
    }
    values = [float(call()) for call in with_moments.values()]
    error = abs(values[0] / values[1] - 1)
    (text, whole), (other_text, part) = (compare_times(c, rounds) for c in (with_moments, without))
    text = (
        f"Frechet distance, relative difference {error:.0e}:\n\n{text}\n\n"
        f"From the moments, without them:\n\n{other_text}"
    )
    return text, whole["torchmetrics"], part["torchmetrics"]


def memory(name, num, dim):
    """MiB that the neighbour scores take beyond the features, in this process."""
    NEIGHBOURS[name](*draw_features(50, dim))  # imports
    features = draw_features(num, dim)
    before = peak()
    NEIGHBOURS[name](*features)
    return peak() - before


def _memory_apart(name, num, dim):
    code = f"from benchmarks.scores import memory; print(memory({name!r}, {num}, {dim}))"
    return float(run_apart("-c", code)[1])


def compare_memory(num, dim):
    own, other = (_memory_apart(name, num, dim) for name in ("iidgan", "PyPI prdc"))
    return f"Memory beyond the features: {own:.0f} MiB, PyPI prdc {other:.0f} MiB.", own / other


def _time(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def compare_extraction(num=NUM):
    """Compares the scores of a diagnosis with the extraction of the features of all images."""
    generator = torch.Generator().manual_seed(0)
    shape = (NUM_IMAGES, 3, SIZE, SIZE)
    images = torch.randint(256, shape, generator=generator, dtype=torch.uint8)
    extract_all = partial(extract, images, EXTRACTOR, cache_dir=None)
    features = extract_all()
    pair = FeaturePair(
        *(
            replace(features, values=values)
            for values in draw_features(num, features.protocol.num_features)
        )
    )
    extraction_times, seconds = [], {}
    for name in METRICS:
        extraction_times.append(_time(extract_all)[0])
        seconds[name] = _time(partial(FEATURE_METRICS[name].compute, pair))[0]
    extraction = statistics.median(extraction_times) / NUM_IMAGES * 2 * num
    share = sum(seconds.values()) / extraction
    lines = ["| metric | s |", "| --- | --- |"]
    lines += [f"| {name} | {value:.1f} |" for name, value in seconds.items()]
    text = "\n".join(
        [
            f"Metrics with intervals, of {num:,} real and generated features of {EXTRACTOR}:",
            "",
            *lines,
            "",
            f"Extraction of {2 * num:,} images of {SIZE} pixels, from {NUM_IMAGES}: "
            f"{extraction:.0f} s; the metrics take {100 * share:.0f} % of it.",
        ]
    )
    return text, share


def compare(num=NUM, dim=DIM, rounds=3):
    """Compares times and memory; gives the text, and the ratios by name."""
    features = draw_features(num, dim)
    neighbours_text, neighbours = compare_neighbours(features, rounds)
    frechet_text, whole, from_moments = compare_frechet(features, rounds)
    del features
    memory_text, memory_share = compare_memory(num, dim)
    extraction_text, extraction_share = compare_extraction(num)
    head = f"{num:,} x {dim:,} real and generated features, one core."
    text = [head, neighbours_text, memory_text, frechet_text, extraction_text]
    return "\n\n".join(text), {
        "neighbours": neighbours,
        "memory": memory_share,
        "frechet": whole,
        "frechet from moments": from_moments,
        "extraction": extraction_share,
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
