"""What we measure, exactly enough that another program gets the same figures.

All functions work on float64 vectors of the pixels that have a true value, in
row-major order (row 0 first, left to right). "Inverse depth" is 1/depth: larger
is nearer. A prediction is relative, so it is first fitted to the truth with one
scale and one shift per picture, by least squares in inverse depth, as MiDaS
does (Ranftl et al. 2020, "Towards Robust Monocular Depth Estimation").
"""

import numpy as np

FLOOR = 0.02
"""Least aligned inverse depth, where 1 is the nearest true place of the picture.

The fit may put far places at or below zero, that is at an infinite depth or
behind the camera; they are read as this, fifty times the nearest depth.
"""

PAIRS = 20000
"""Random pairs drawn in each picture for the pair order."""

PAIR_GAP = 0.05
"""Pairs count whose true inverse depths differ by more than this part of the picture's range."""

SEED = 20240601
"""First state of the pairs' random numbers, the same for every picture."""


def align(prediction, truth):
    """The prediction times s plus t, with s and t minimising the sum of (s*prediction + t - truth)^2.

    s may come out negative. A prediction without variance gets s = 0 and t = mean(truth).
    """
    p, d = prediction - prediction.mean(), truth - truth.mean()
    variance = (p * p).mean()
    scale = (p * d).mean() / variance if variance > 0 else 0.0
    return scale * p + truth.mean()


def depth_errors(prediction, truth):
    """AbsRel, delta<1.25 and RMSE of depth; only for a truth whose zero is the true zero.

    truth: inverse depth, 0 < truth <= 1; pixels with truth 0 must be left out by the caller.
    a = max(align(prediction, truth), FLOOR), and depth is 1/a against 1/truth:

    abs_rel  mean of |1/a - 1/truth| / (1/truth), which is |truth/a - 1|
    delta    part of the pixels with max(a/truth, truth/a) < 1.25
    rmse     root of the mean of (1/a - 1/truth)^2, in units of the picture's nearest depth
    (the definitions of Eigen et al. 2014).
    """
    a = np.maximum(align(prediction, truth), FLOOR)
    return {
        "abs_rel": float(np.abs(truth / a - 1).mean()),
        "delta": float((np.maximum(a / truth, truth / a) < 1.25).mean()),
        "rmse": float(np.sqrt(((1 / a - 1 / truth) ** 2).mean())),
    }


def label_error(prediction, label):
    """Mean |align(prediction, label) - label|; label 0..1. Nothing is clamped."""
    return float(np.abs(align(prediction, label) - label).mean())


def random_indices(count, below, seed=SEED):
    """count indices in 0..below-1 from SplitMix64 (Steele et al. 2014), started at seed.

    The i-th number (i from 0) is mix(seed + (i+1) * 0x9E3779B97F4A7C15) in 64-bit
    arithmetic that wraps around; the index is that number modulo below.
    """
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z % np.uint64(below)).astype(np.int64)


def pair_order(prediction, truth):
    """Part of random pairs of pixels whose nearer end the prediction names rightly.

    Pair k is the pixels number r[2k] and r[2k+1] of the 2*PAIRS random indices.
    It counts where |truth_a - truth_b| > PAIR_GAP * (max(truth) - min(truth)); it is
    right where the prediction's difference has the truth's sign. Equal predictions
    are wrong. Neither scale nor shift of the truth matters. 0.5 is chance.
    """
    r = random_indices(2 * PAIRS, truth.size)
    gap = truth[r[0::2]] - truth[r[1::2]]
    guess = prediction[r[0::2]] - prediction[r[1::2]]
    counts = np.abs(gap) > PAIR_GAP * (truth.max() - truth.min())
    return float((guess[counts] * gap[counts] > 0).mean()) if counts.any() else float("nan")


def ramp(height, width):
    """The vertical ramp: 0 at the top row to 1 at the bottom row; what a network that sees nothing says."""
    return np.repeat(np.linspace(0.0, 1.0, height)[:, None], width, axis=1)
