"""The photographs and their labels, unpacked once from tar shards into two flat files.

Decoding 4 777 JPEGs takes longer than an epoch at low resolution, so the
pixels are kept as raw bytes in files that the system maps into memory.
"""

import hashlib
import io
import json
import pathlib
import sys
import tarfile
from dataclasses import dataclass

import numpy as np
from PIL import Image

from network import HEIGHT, WIDTH

LEFT_OUT = {"houses"}
"""Sources that are never trained on: their photographs carry no formal licence."""

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
DEFAULT_DATA = REPOSITORY.parent / "shared" / "depth-data"
DEFAULT_CACHE = REPOSITORY / "training" / "cache"


@dataclass
class Photographs:
    """All photographs: pictures uint8 [N, 256, 320, 3] RGB, labels uint8 [N, 256, 320], 255 = nearest.

    training, held_back and houses are index arrays into them; they do not overlap.
    """

    ids: list
    pictures: np.ndarray
    labels: np.ndarray
    training: np.ndarray
    held_back: np.ndarray
    houses: np.ndarray


def is_held_back(name):
    """True for one photograph in twenty, by the hash of its id, so the split never moves."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 20 == 0


def add_arguments(parser):
    """The two options that every script here shares."""
    parser.add_argument("--data", type=pathlib.Path, default=DEFAULT_DATA,
                        help="folder with train/ and eval/ (default: ../shared/depth-data beside the repository)")
    parser.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE,
                        help="folder for the unpacked photographs, 1.6 GB (default: training/cache)")


def manifest(folder):
    """The manifest of the train or eval folder as a dict; ends the program with a clear line if there is none."""
    path = folder / "manifest.json"
    if not path.is_file():
        sys.exit(f"no data: {path} is missing; name the folder that holds train/ and eval/ with --data")
    return json.loads(path.read_text())


def load(data, cache):
    """Photographs from the folder data, unpacked into cache the first time."""
    description = manifest(data / "train")
    items = sorted(description["items"], key=lambda item: item["id"])
    ids = [item["id"] for item in items]
    stamp = hashlib.sha256(json.dumps(description["shards"], sort_keys=True).encode()).hexdigest()
    done = cache / "done"
    if not done.is_file() or done.read_text() != stamp:
        _unpack(data / "train", description["shards"], ids, cache)
        done.write_text(stamp)
    left_out = np.array([item["source"] in LEFT_OUT for item in items])
    held_back = np.array([is_held_back(name) for name in ids])
    return Photographs(
        ids,
        np.load(cache / "pictures.npy", mmap_mode="r"),
        np.load(cache / "labels.npy", mmap_mode="r"),
        np.flatnonzero(~left_out & ~held_back),
        np.flatnonzero(~left_out & held_back),
        np.flatnonzero(left_out),
    )


@dataclass
class Scenes:
    """Rendered pictures with exact depth, as `go run ./training/scenes` writes them; shapes as in Photographs."""

    pictures: np.ndarray
    labels: np.ndarray


def load_scenes(folder):
    """The scenes in folder; none, with a message, when they have not been rendered."""
    files = folder / "pictures.rgb", folder / "labels.near"
    pixels = HEIGHT * WIDTH
    # A run of the renderer that was stopped may have left a part of a picture.
    count = min(f.stat().st_size // (pixels * channels) if f.is_file() else 0 for f, channels in zip(files, (3, 1)))
    if count == 0:
        print(f"no rendered scenes in {folder}: training on photographs alone; `go run ./training/scenes` makes them")
        return Scenes(np.empty((0, HEIGHT, WIDTH, 3), np.uint8), np.empty((0, HEIGHT, WIDTH), np.uint8))
    return Scenes(np.memmap(files[0], np.uint8, "r", shape=(count, HEIGHT, WIDTH, 3)),
                  np.memmap(files[1], np.uint8, "r", shape=(count, HEIGHT, WIDTH)))


def _unpack(folder, shards, ids, cache):
    cache.mkdir(parents=True, exist_ok=True)
    place = {name: i for i, name in enumerate(ids)}
    shape = (len(ids), HEIGHT, WIDTH)
    pictures = np.lib.format.open_memmap(cache / "pictures.npy", "w+", np.uint8, shape + (3,))
    labels = np.lib.format.open_memmap(cache / "labels.npy", "w+", np.uint8, shape)
    seen = 0
    for shard, facts in sorted(shards.items()):
        path = folder / shard
        if not path.is_file():
            sys.exit(f"no data: {path}, named by the manifest, is missing")
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != facts["sha256"]:
            sys.exit(f"damaged data: {path} has another sha256 than its manifest says")
        print(f"unpacking {shard}", flush=True)
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            for member in tar:
                name, _, kind = member.name.rpartition(".")
                image = Image.open(tar.extractfile(member))
                if kind == "jpg":
                    pictures[place[name]] = np.asarray(image.convert("RGB"))
                else:
                    labels[place[name]] = np.asarray(image)
                seen += 1
    if seen != 2 * len(ids):
        sys.exit(f"damaged data: {seen} files in the shards, {2 * len(ids)} expected")
