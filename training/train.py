#!/usr/bin/env python3
"""Trains pocketdepth within a budget of minutes. See README.md."""

import argparse
import ctypes
import json
import math
import os
import pathlib
import sys
import time
from dataclasses import dataclass

# Torch's threads spin while they wait for one another. With another busy program beside them they
# would spin away most of the time: a short wait trains nearly twice as fast then, and as fast alone.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import numpy as np
import torch

import data
import teacher
from batches import mixed
from learner import Learner
from network import cost


@dataclass(frozen=True)
class Stage:
    """A part of the run: the size of the pictures, how many make a batch, and whether the large maps rest."""

    height: int
    width: int
    batch: int
    coarse: bool = False


STAGES = Stage(128, 160, 16), Stage(256, 320, 8, coarse=True), Stage(256, 320, 8)
"""A picture of half the size costs a quarter; one whose large maps do not learn, five sixths."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    data.add_arguments(parser)
    parser.add_argument("--out", type=pathlib.Path, default=data.REPOSITORY / "training" / "runs" / "pocketdepth",
                        help="folder for checkpoint.pt, best.pt and log.jsonl (default: training/runs/pocketdepth)")
    parser.add_argument("--minutes", type=float, default=30, help="time budget; the schedule fills it (default 30)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default 2)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate (default 0.003)")
    parser.add_argument("--decay", type=float, default=0.02, help="weight decay (default 0.02)")
    parser.add_argument("--small", type=float, default=0.4,
                        help="part of the time, 0..1, for pictures of half the size, which come first (default 0.4)")
    parser.add_argument("--coarse", type=float, default=0.35,
                        help="part of the time, 0..1, that comes next: full pictures, but only the layout learns (default 0.35)")
    parser.add_argument("--begin", type=pathlib.Path, metavar="ONNX",
                        help="begin with the weights of this exported network instead of random ones")
    parser.add_argument("--scenes", type=pathlib.Path, default=data.DEFAULT_CACHE / "scenes",
                        help="folder of rendered scenes (default: training/cache/scenes)")
    parser.add_argument("--scene-share", type=float, default=0.2,
                        help="part of each batch, 0..1, that is rendered (default 0.2)")
    parser.add_argument("--average", type=float, default=0.998,
                        help="decay per step of the averaged weights, which are what is validated and kept (default 0.998)")
    parser.add_argument("--check", type=float, default=2.5, metavar="MINUTES",
                        help="time between validations, each with a checkpoint (default 2.5)")
    parser.add_argument("--resume", action="store_true", help="go on from checkpoint.pt in --out")
    return parser.parse_args()


def keep_memory():
    """Asks glibc not to give large blocks back: their page faults cost up to a quarter of the time on a CPU."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
            libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


def rate(progress):
    """Learning rate as a part of the highest, for progress 0..1: 4 % warm-up, then a cosine (one-cycle)."""
    if progress < 0.04:
        return 0.04 + 0.96 * progress / 0.04
    return 0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * (progress - 0.04) / 0.96))


def hints(options, photographs):
    """The teacher's maps, see teacher.load, or None where the teacher is not."""
    network = options.data / "teacher" / "tcmonodepth_small.onnx"
    if network.is_file():
        return teacher.load(network, photographs, options.cache)
    print(f"{network} is missing: training without the teacher's maps")
    return None


def stage_at(progress, options):
    """The stage for progress 0..1."""
    small, coarse, full = STAGES
    if progress < options.small:
        return small
    return coarse if progress < options.small + options.coarse else full


def main():
    options = arguments()
    keep_memory()
    torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    photographs = data.load(options.data, options.cache)
    scenes = data.load_scenes(options.scenes)
    options.out.mkdir(parents=True, exist_ok=True)
    learner = Learner(options, device, hints(options, photographs))
    if options.resume:
        learner.restore()
    elif options.begin:
        learner.begin(options.begin, photographs)
    parameters, products = cost(learner.average.network)
    print(f"{parameters} parameters, {products / 1e6:.0f} million multiply-adds at 256x320; {device}; "
          f"{len(photographs.training)} photographs and {len(scenes.pictures)} scenes to learn from, "
          f"{len(photographs.held_back)} photographs held back", flush=True)
    journal = (options.out / "log.jsonl").open("a" if options.resume else "w", buffering=1)

    def log(row):
        journal.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)

    train(learner, photographs, scenes, options, log)


def train(learner, photographs, scenes, options, log, report_every=15):
    """Trains until learner.seconds reaches the budget; all times in seconds.

    Both the schedule and the stages follow the part of the budget that is used,
    so the run ends on time on any machine, and sees as many pictures as it can.
    """
    budget = options.minutes * 60
    clock, losses, seen = time.monotonic(), [], learner.seen
    reported = validated = learner.seconds
    stage = None
    while learner.seconds < budget:
        progress = learner.seconds / budget
        if stage != stage_at(progress, options):
            stage = stage_at(progress, options)
            source = mixed(photographs, scenes, options.scene_share, stage.batch, learner.order)
        for group in learner.optimizer.param_groups:
            group["lr"] = options.rate * rate(progress)
        losses.append(learner.learn(next(source), stage))
        now = time.monotonic()
        learner.seconds, clock = learner.seconds + now - clock, now
        if learner.seconds - reported >= report_every:
            speed = (learner.seen - seen) / (learner.seconds - reported)
            print(f"step {learner.step}  {stage.height}x{stage.width}{' coarse' if stage.coarse else ''}  loss {np.mean(losses):.4f}  {speed:.0f} pictures/s  "
                  f"{learner.seconds / 60:.1f} min, {(budget - learner.seconds) / 60:.1f} left", flush=True)
            reported, seen, losses = learner.seconds, learner.seen, []
        if learner.seconds - validated >= options.check * 60:
            learner.check(photographs, stage, log)
            now = time.monotonic()
            learner.seconds, clock = learner.seconds + now - clock, now
            validated = learner.seconds
    learner.check(photographs, stage, log)


if __name__ == "__main__":
    main()
