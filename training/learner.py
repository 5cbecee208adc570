"""One network in training: its step, its averaged twin, its validation and its checkpoint."""

import copy
import math
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import metrics
import warm
from augment import augment, cut
from loss import depth_loss, layout_loss
from network import DEVIATION, MEAN
from trainee import Trainee

def parameter_groups(network, decay):
    """Weight decay for filters only: on a normalisation's scale or a bias it only fights the fit."""
    filters = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": filters, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


@torch.no_grad()
def follow(average, network, decay, step):
    """Moves the averaged network, batch statistics included, towards the trained one; decay per step.

    The decay starts low, or the average would carry the random first weights for thousands of steps.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    for a, b in zip(average.state_dict().values(), network.state_dict().values()):
        if a.is_floating_point():
            a.lerp_(b, share)


@torch.no_grad()
def predict(network, pictures, device="cpu", batch=16):
    """Disparities float32 [N, H, W] of pictures uint8 [N, H, W, 3] by a network, in eval mode, or another function."""
    if isinstance(network, nn.Module):
        network.eval()
    # A copy, because torch does not take the read-only arrays that Pillow and mapped files give.
    parts = [network(torch.from_numpy(np.array(pictures[i:i + batch])).to(device))[:, 0].cpu().numpy()
             for i in range(0, len(pictures), batch)]
    return np.concatenate(parts)


def validate(guess, photographs):
    """(label error, pair order) of guess(pictures) -> maps, means over the held-back photographs."""
    chosen = photographs.held_back
    predictions = guess(photographs.pictures[chosen])
    labels = photographs.labels[chosen] / 255.0
    pairs = [(p.ravel().astype(np.float64), t.ravel()) for p, t in zip(predictions, labels)]
    return (float(np.mean([metrics.label_error(p, t) for p, t in pairs])),
            float(np.mean([metrics.pair_order(p, t) for p, t in pairs])))


HINT_WEIGHT = 0.05
"""Makes the hints about as heavy as the depth once most can be read: a few hundredths."""


class Learner:
    """A network in training, and all that a checkpoint must hold to go on with it."""

    def __init__(self, options, device, hints=None):
        torch.manual_seed(options.seed)
        self.out, self.device, self.hints, self.decay = options.out, device, hints, options.average
        self.trainee = Trainee().to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.trainee).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.trainee, options.decay), lr=options.rate)
        self.order = np.random.default_rng(options.seed)
        self.chance = torch.Generator().manual_seed(options.seed)
        self.seconds, self.step, self.seen, self.best = 0.0, 0, 0, math.inf

    def save(self):
        state = {name: getattr(self, name).state_dict() for name in ("trainee", "average", "optimizer")}
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
        for name in ("trainee", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.seconds, self.step, self.seen, self.best = state["numbers"]
        self.order.bit_generator.state = state["random"][0]
        self.chance.set_state(state["random"][1].cpu())

    def begin(self, path, photographs):
        """Replaces the random weights by those of an exported network."""
        warm.begin_with(self.trainee.network, path, photographs, self.chance)
        self.average.load_state_dict(self.trainee.state_dict())

    def learn(self, batch, stage):
        """One step on one batch, see train.mixed, in one stage, see train.STAGES; returns its loss."""
        pictures, labels = (torch.from_numpy(a).to(self.device) for a in (batch.pictures, batch.labels))
        x, y, where = augment(pictures, labels, stage.height, stage.width, self.chance)
        x = ((x - MEAN) / DEVIATION).contiguous(memory_format=torch.channels_last)
        self.trainee.train(coarse=stage.coarse)
        guess, maps = self.trainee.layout(x) if stage.coarse else self.trainee.whole(x)
        loss = layout_loss(guess, F.avg_pool2d(y, 8)) if stage.coarse else depth_loss(guess, y)
        loss = loss + HINT_WEIGHT * self.trainee.missed(maps, self.hints, batch.rows, where)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trainee.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        follow(self.average, self.trainee, self.decay, self.step)
        self.seen += len(x)
        return loss.item()

    def guess(self, stage):
        """The function from pictures uint8 [N, H, W, 3] to disparities float32 [N, H, W] that the stage trains, averaged weights."""
        if not stage.coarse:
            return lambda pictures: predict(self.average.network, pictures, self.device)

        self.average.eval()
        return lambda pictures: predict(self.average.coarsely, pictures, self.device)

    def check(self, photographs, stage, log):
        """Validates, keeps the best, writes the checkpoint."""
        error, order = validate(self.guess(stage), photographs)
        if error < self.best and not stage.coarse:  # a network whose last layers lag behind is not one to keep
            self.best = error
            torch.save(self.average.network.state_dict(), self.out / "best.pt")
        self.save()
        log({"step": self.step, "seconds": round(self.seconds), "pictures": self.seen, "coarse": stage.coarse,
             "held_back_error": round(error, 5), "held_back_order": round(order, 5), "best": round(self.best, 5)})
