#!/usr/bin/env python3
"""Measures a trained network, and a vertical ramp, as metrics.py defines. See README.md."""

import argparse
import json
import pathlib

import numpy as np
import torch
from PIL import Image

import data
import metrics
from learner import predict
from network import HEIGHT, WIDTH, PocketDepth


def true_depth(folder):
    """Yields (id, picture RGB PIL image, inverse depth float64 [H, W], valid bool [H, W], absolute_zero).

    A 16-bit value v is no data where v = 0, else the inverse depth (v-1)/65534. Where the
    zero is absolute, an inverse depth of 0 (infinitely far) is left out too: it has no depth.
    """
    for item in data.manifest(folder)["items"]:
        picture = Image.open(folder / item["image"]).convert("RGB")
        values = np.asarray(Image.open(folder / item["inverse_depth"])).astype(np.int64)
        absolute = item["absolute_zero"]
        yield item["id"], picture, np.maximum(values - 1, 0) / 65534, values > (1 if absolute else 0), absolute


def as_the_service(network, picture, device):
    """The disparity float64 [H, W] of a PIL picture of any size.

    As the service does: resized to 320x256 without keeping the aspect (Pillow's BILINEAR, which
    averages when it makes smaller), and the map resized back likewise in floating point.
    """
    small = np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
    disparity = predict(network, small[None], device)[0]
    return np.asarray(Image.fromarray(disparity).resize(picture.size, Image.Resampling.BILINEAR)).astype(np.float64)


def measure_true_depth(folder, guess):
    """Rows of figures, one for each evaluation picture; guess(picture) gives a map of the picture's size."""
    rows = []
    for name, picture, truth, valid, absolute in true_depth(folder):
        prediction, truth = guess(picture)[valid], truth[valid]
        row = {"id": name, "pair_order": metrics.pair_order(prediction, truth)}
        if absolute:
            row.update(metrics.depth_errors(prediction, truth))
        rows.append(row)
    return rows


def measure_labels(photographs, chosen, guess):
    """Rows of figures against the teacher's labels for the photographs numbered in chosen."""
    rows = []
    for i in chosen:
        prediction = guess(Image.fromarray(photographs.pictures[i])).ravel()
        label = photographs.labels[i].ravel() / 255.0
        rows.append({"id": photographs.ids[i], "error": metrics.label_error(prediction, label),
                     "pair_order": metrics.pair_order(prediction, label)})
    return rows


def mean(rows):
    """Mean of each figure over the rows that have it, each picture counting alike."""
    names = sorted({name for row in rows for name in row if name != "id"})
    return {name: round(float(np.mean([row[name] for row in rows if name in row])), 4) for name in names}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    data.add_arguments(parser)
    parser.add_argument("weights", type=pathlib.Path, nargs="?", help="best.pt of a training run",
                        default=data.REPOSITORY / "training" / "runs" / "pocketdepth" / "best.pt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--each", action="store_true", help="also print the true-depth figures of each picture")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = load_weights(options.weights).to(device)

    guesses = {"pocketdepth": lambda picture: as_the_service(network, picture, device),
               "vertical ramp": lambda picture: metrics.ramp(picture.height, picture.width)}
    photographs = data.load(options.data, options.cache)
    for name, guess in guesses.items():
        rows = measure_true_depth(options.data / "eval", guess)
        if options.each:
            for row in rows:
                print(json.dumps(row))
        print(f"{name}, true depth, {len(rows)} pictures: {json.dumps(mean(rows))}")
        for group, chosen in (("held-back photographs", photographs.held_back), ("house pictures", photographs.houses)):
            rows = measure_labels(photographs, chosen, guess)
            print(f"{name}, {group} against the teacher, {len(rows)} pictures: {json.dumps(mean(rows))}", flush=True)


def load_weights(path):
    """A PocketDepth in eval mode with the weights of a best.pt; ends the program with a clear line if there is none."""
    if not path.is_file():
        raise SystemExit(f"no weights: {path} is missing; train first, or name the file")
    network = PocketDepth()
    network.load_state_dict(torch.load(path, map_location="cpu"))
    return network.eval()


if __name__ == "__main__":
    main()
