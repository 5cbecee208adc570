#!/usr/bin/env python3
"""Checks of the parts that other code must agree with. Needs no data: python3 training/test_training.py"""

import pathlib
import tempfile
import types
import unittest

import numpy as np
import onnx
import torch

import metrics
from augment import augment, compress
from batches import mixed
from export import rounded, write_onnx
from graph import run_graph
from loss import ANCHOR_WEIGHT, depth_loss, layout_loss
from network import PocketDepth, folded
from quantise import points, quantised, ranges, with_exact_input
from storage import restored
from train import STAGES, stage_at
from trainee import Trainee
from warm import begin_with


class Metrics(unittest.TestCase):
    def setUp(self):
        self.truth = np.random.default_rng(1).uniform(0.2, 1, 5000)

    def test_scale_and_shift_do_not_matter(self):
        errors = metrics.depth_errors(7 * self.truth - 3, self.truth)
        self.assertAlmostEqual(errors["abs_rel"], 0)
        self.assertEqual(errors["delta"], 1)
        self.assertAlmostEqual(errors["rmse"], 0)

    def test_known_error(self):
        # The fit to a prediction without variance is the mean of the truth, 0.5.
        errors = metrics.depth_errors(np.zeros(2), np.array([0.25, 0.75]))
        self.assertAlmostEqual(errors["abs_rel"], (0.5 + 0.5) / 2)
        self.assertAlmostEqual(errors["rmse"], np.sqrt((2**2 + (2 / 3) ** 2) / 2))
        self.assertEqual(errors["delta"], 0)

    def test_pair_order(self):
        self.assertEqual(metrics.pair_order(self.truth**3, self.truth), 1)
        self.assertEqual(metrics.pair_order(-self.truth, self.truth), 0)
        self.assertEqual(metrics.pair_order(np.zeros(5000), self.truth), 0)

    def test_random_numbers_are_splitmix64(self):
        # The published first numbers of SplitMix64 for the seed 1234567.
        published = np.array([6457827717110365317, 3203168211198807973], np.uint64)
        found = metrics.random_indices(2, 2**63 - 1, seed=1234567)
        self.assertEqual(list(found), [int(v) % (2**63 - 1) for v in published])


def begun_with(exported, image):
    """A PocketDepth that begins with the weights of exported, written to a file and read again; image uint8 [2, 256, 320, 3]."""
    photographs = types.SimpleNamespace(pictures=image.numpy(), labels=image[..., 0].numpy(), training=np.arange(2))
    began = PocketDepth()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "network.onnx"
        write_onnx(folded(exported), path)
        begin_with(began, path, photographs, torch.Generator().manual_seed(1), batches=1)
    return began


class Training(unittest.TestCase):
    def test_loss_sees_neither_scale_nor_shift_but_the_sign(self):
        label = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
        anchor = ANCHOR_WEIGHT * ((3 * label + 5) - label).abs().mean()
        self.assertAlmostEqual(float(depth_loss(3 * label + 5, label) - anchor), 0, places=4)
        self.assertGreater(float(depth_loss(-label, label)), 0.3)

    def test_folding_changes_nothing(self):
        torch.manual_seed(1)
        network = PocketDepth()
        image = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
        network(image)  # moves the batch statistics away from 0 and 1
        with torch.no_grad():
            difference = network.eval()(image) - folded(network)(image)
        self.assertLess(float(difference.abs().max()), 1e-5)

    def test_beginning_with_an_exported_network_changes_nothing(self):
        torch.manual_seed(3)
        exported, image = PocketDepth(), torch.randint(0, 256, (2, 256, 320, 3), dtype=torch.uint8)
        exported(image)
        began = begun_with(exported, image)
        with torch.no_grad():
            difference = rounded(folded(exported))(image) - began.eval()(image)
            # While training, the batch's own statistics count: near those that were measured.
            drift = exported(image) - began.train()(image)
        self.assertLess(float(difference.abs().max()), 1e-4)
        self.assertLess(float(drift.abs().mean()), 0.2)

    def test_a_deeper_network_begins_as_the_shallower_one(self):
        torch.manual_seed(5)
        shallow, image = PocketDepth(), torch.randint(0, 256, (2, 256, 320, 3), dtype=torch.uint8)
        shallow.sixteenth, shallow.last[0] = shallow.sixteenth[:4], shallow.last[0][:3]
        shallow(image)
        deep = begun_with(shallow, image)
        with torch.no_grad():
            difference = rounded(folded(shallow))(image) - deep.eval()(image)
        self.assertLess(float(difference.abs().max()), 1e-4)

    def test_weights_of_half_the_size_come_back_rounded(self):
        torch.manual_seed(6)
        network = PocketDepth()
        network(torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8))  # else all biases are one and the same 0
        network = folded(network)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "network.onnx"
            write_onnx(network, path)
            self.assertLess(path.stat().st_size, 2.2 * sum(p.numel() for p in network.parameters()))
            model = restored(onnx.load(str(path)))
        self.assertFalse(any(t.data_type == onnx.TensorProto.FLOAT16 for t in model.graph.initializer))
        stored = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
        for name, value in rounded(network).state_dict().items():
            self.assertTrue(torch.equal(stored[name], value), name)

    def test_only_the_layout_learns_in_the_coarse_stage(self):
        torch.manual_seed(7)
        trainee, x = Trainee(), torch.randn(2, 3, 64, 64)
        before = trainee.network.stem[1].running_mean.clone()
        guess, maps = trainee.train(coarse=True).layout(x)
        layout_loss(guess, torch.rand(2, 1, 8, 8)).backward()
        self.assertEqual({name: m.shape[2:] for name, m in maps.items()}, {"sixteenth": (4, 4), "eighth": (8, 8)})
        self.assertTrue(torch.equal(before, trainee.network.stem[1].running_mean))
        self.assertIsNone(trainee.network.stem[0].weight.grad)
        self.assertIsNotNone(trainee.network.eighth[0].layers[0][0].weight.grad)

    def test_a_quantised_network_is_nearly_the_same(self):
        torch.manual_seed(4)
        network, image = PocketDepth(), torch.randint(0, 256, (2, 256, 320, 3), dtype=torch.uint8)
        network(image)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "network.onnx"
            write_onnx(folded(network), path)
            model = onnx.load(str(path))
        restored(model)
        exact = run_graph(model, image[:1].numpy())
        found = ranges(model, points(model.graph), image.numpy())
        with_exact_input(model)
        same = run_graph(model, image[:1].numpy())
        self.assertLess(float((same - exact).abs().max()), 1e-5)
        quantised(model, found)
        kinds = {node.op_type for node in model.graph.node}
        self.assertTrue({"QuantizeLinear", "DequantizeLinear"} <= kinds and not {"Cast", "Sub", "Mul"} & kinds)
        near = run_graph(model, image[:1].numpy())
        self.assertLess(float((near - exact).abs().mean()), 0.1 * float(exact.max() - exact.min()))
        self.assertGreater(float((near - exact).abs().max()), 0)

    def test_batches_are_mixed_as_asked(self):
        def source(value):
            return np.full((40, 1, 1, 3), value, np.uint8), np.full((40, 1, 1), value, np.uint8)
        photographs = types.SimpleNamespace(training=np.arange(40), **dict(zip(("pictures", "labels"), source(1))))
        scenes = types.SimpleNamespace(**dict(zip(("pictures", "labels"), source(2))))
        batches, rendered = mixed(photographs, scenes, 0.15, 8, np.random.default_rng(1)), 0
        for _ in range(500):
            batch = next(batches)
            self.assertTrue(np.array_equal(batch.pictures[..., 0], batch.labels))
            self.assertTrue(np.array_equal(batch.rows < 0, batch.labels.ravel() == 2))
            rendered += int((batch.labels == 2).sum())
        self.assertAlmostEqual(rendered / 4000, 0.15, delta=0.02)

    def test_stages_follow_one_another(self):
        options = types.SimpleNamespace(small=0.2, coarse=0.5)
        self.assertEqual([stage_at(p, options) for p in (0, 0.19, 0.2, 0.69, 0.71, 1)], [STAGES[i] for i in (0, 0, 1, 1, 2, 2)])

    def test_augmentation_keeps_ranges_and_repeats(self):
        pictures = torch.randint(0, 256, (4, 256, 320, 3), dtype=torch.uint8)
        labels = torch.randint(0, 256, (4, 256, 320), dtype=torch.uint8)
        x, y, _ = augment(pictures, labels, 128, 160, torch.Generator().manual_seed(2))
        again, _, _ = augment(pictures, labels, 128, 160, torch.Generator().manual_seed(2))
        self.assertEqual((x.shape, y.shape), ((4, 3, 128, 160), (4, 1, 128, 160)))
        self.assertTrue(0 <= x.min() and x.max() <= 255 and 0 <= y.min() and y.max() <= 1)
        self.assertTrue(torch.equal(x, again))

    def test_compression_without_strength_gives_the_picture_back(self):
        x = 255 * torch.rand(1, 3, 16, 24)
        self.assertLess(float((compress(x, torch.tensor([1e-4])) - x).abs().max()), 0.1)


if __name__ == "__main__":
    unittest.main()
