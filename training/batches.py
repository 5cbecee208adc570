"""What is learned from, step by step: photographs in a random order, mixed with rendered scenes."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Batch:
    """pictures uint8 [N, 256, 320, 3], labels uint8 [N, 256, 320], rows int64 [N]: which training photograph, -1 for a scene."""

    pictures: np.ndarray
    labels: np.ndarray
    rows: np.ndarray


def shuffled(indices, size, generator):
    """Endless batches of indices, each photograph once per epoch."""
    rest = np.empty(0, np.int64)
    while True:
        while len(rest) < size:
            rest = np.concatenate([rest, generator.permutation(indices)])
        # Sorted, because neighbours in the mapped file are read together.
        yield np.sort(rest[:size])
        rest = rest[size:]


def mixed(photographs, scenes, share, size, generator):
    """Endless batches of which, on average, the part share is rendered."""
    source = shuffled(np.arange(len(photographs.training)), size, generator)
    rendered = shuffled(np.arange(len(scenes.pictures)), 1, generator)
    while True:
        rows = next(source)
        chosen = photographs.training[rows]
        batch = Batch(photographs.pictures[chosen], photographs.labels[chosen], rows)
        count = int(share * size + generator.random()) if len(scenes.pictures) else 0
        if count:
            # In the place of as many photographs, whose turn comes in another epoch.
            place = generator.choice(size, count, replace=False)
            drawn = [next(rendered)[0] for _ in range(count)]
            batch.pictures[place], batch.labels[place], batch.rows[place] = scenes.pictures[drawn], scenes.labels[drawn], -1
        yield batch
