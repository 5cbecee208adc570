"""One network in training: its step, its averaged twin, its validation and its checkpoint."""

import copy
import math
import sys

import numpy as np
import torch

import metrics
import warm
from augment import augment
from loss import depth_loss
from network import DEVIATION, MEAN, PocketDepth

AVERAGE = 0.998
"""Decay per step of the averaged weights, which are what is validated and kept."""


def parameter_groups(network, decay):
    """Weight decay for filters only: on a normalisation's scale or a bias it only fights the fit."""
    filters = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": filters, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


@torch.no_grad()
def follow(average, network, step):
    """Moves the averaged network, batch statistics included, towards the trained one.

    The decay starts low, or the average would carry the random first weights for thousands of steps.
    """
    share = 1 - min(AVERAGE, (1 + step) / (10 + step))
    for a, b in zip(average.state_dict().values(), network.state_dict().values()):
        if a.is_floating_point():
            a.lerp_(b, share)


@torch.no_grad()
def predict(network, pictures, device="cpu", batch=16):
    """Disparities float32 [N, H, W] of pictures uint8 [N, H, W, 3] by a network in eval mode."""
    network.eval()
    # A copy, because torch does not take the read-only arrays that Pillow and mapped files give.
    parts = [network(torch.from_numpy(np.array(pictures[i:i + batch])).to(device))[:, 0].cpu().numpy()
             for i in range(0, len(pictures), batch)]
    return np.concatenate(parts)


def validate(network, photographs, device):
    """(label error, pair order), means over the held-back photographs."""
    chosen = photographs.held_back
    predictions = predict(network, photographs.pictures[chosen], device)
    labels = photographs.labels[chosen] / 255.0
    pairs = [(p.ravel().astype(np.float64), t.ravel()) for p, t in zip(predictions, labels)]
    return (float(np.mean([metrics.label_error(p, t) for p, t in pairs])),
            float(np.mean([metrics.pair_order(p, t) for p, t in pairs])))


class Learner:
    """A network in training, and all that a checkpoint must hold to go on with it."""

    def __init__(self, options, device):
        torch.manual_seed(options.seed)
        self.out, self.device = options.out, device
        self.network = PocketDepth().to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.network, options.decay), lr=options.rate)
        self.order = np.random.default_rng(options.seed)
        self.chance = torch.Generator().manual_seed(options.seed)
        self.seconds, self.step, self.seen, self.best = 0.0, 0, 0, math.inf

    def save(self):
        state = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer")}
        state["numbers"] = (self.seconds, self.step, self.seen, self.best)
        state["random"] = (self.order.bit_generator.state, self.chance.get_state())
        # Written aside and renamed, so that a run killed meanwhile still has the checkpoint before.
        torch.save(state, self.out / "checkpoint.new")
        (self.out / "checkpoint.new").replace(self.out / "checkpoint.pt")

    def restore(self):
        path = self.out / "checkpoint.pt"
        if not path.is_file():
            sys.exit(f"nothing to resume: {path} is missing")
        state = torch.load(path, map_location=self.device)
        for name in ("network", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.seconds, self.step, self.seen, self.best = state["numbers"]
        self.order.bit_generator.state = state["random"][0]
        self.chance.set_state(state["random"][1].cpu())

    def begin(self, path, photographs):
        """Replaces the random weights by those of an exported network."""
        warm.begin_with(self.network, path, photographs, self.chance)
        self.average.load_state_dict(self.network.state_dict())

    def learn(self, pictures, labels, height, width):
        """One step on one batch, uint8 [N, H, W, 3] and [N, H, W]; returns its loss."""
        pictures, labels = (torch.from_numpy(a).to(self.device) for a in (pictures, labels))
        x, y = augment(pictures, labels, height, width, self.chance)
        x = ((x - MEAN) / DEVIATION).contiguous(memory_format=torch.channels_last)
        loss = depth_loss(self.network.disparity(x), y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        follow(self.average, self.network, self.step)
        self.seen += len(x)
        return loss.item()

    def check(self, photographs, log):
        """Validates, keeps the best, writes the checkpoint."""
        error, order = validate(self.average, photographs, self.device)
        if error < self.best:
            self.best = error
            torch.save(self.average.state_dict(), self.out / "best.pt")
        self.save()
        log({"step": self.step, "seconds": round(self.seconds), "pictures": self.seen,
             "held_back_error": round(error, 5), "held_back_order": round(order, 5), "best": round(self.best, 5)})
