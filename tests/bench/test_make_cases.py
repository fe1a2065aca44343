# SPDX-License-Identifier: GPL-3.0-or-later
"""make_cases.py draws the same cases again, their truth is the target outside the geometry, and zoom changes only
the geometry."""
import os
import subprocess
import sys
import tempfile
import unittest

import cv2
import numpy as np

import tap

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ("source", "target", "truth", "mask", "texture", "second", "relit")
SIDE = 128


class MakeCases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        random = np.random.default_rng(1)
        os.mkdir(os.path.join(cls.folder.name, "textures"))
        for i in range(3):
            coarse = random.integers(60, 180, (40, 40, 3), dtype=np.uint8)
            cv2.imwrite(os.path.join(cls.folder.name, "textures", f"{i}.png"), cv2.resize(coarse, (200, 200), interpolation=cv2.INTER_CUBIC))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def draw(self, name, *arguments):
        out = os.path.join(self.folder.name, name)
        subprocess.run([sys.executable, os.path.join(HERE, "make_cases.py"), os.path.join(self.folder.name, "textures"), out,
                        "--side", str(SIDE), *arguments], check=True, stdin=subprocess.DEVNULL)
        return {case: {n: cv2.imread(os.path.join(out, case, n + ".png")) for n in NAMES}
                for case in sorted(os.listdir(out)) if os.path.isdir(os.path.join(out, case))}

    def test_one_of_each_kind(self):
        cases = self.draw("all", "--cases", "6")
        self.assertEqual([c[3:] for c in cases], ["crack", "hole", "dent", "scratches", "droplets", "chips"])
        for case, p in cases.items():
            change = np.abs(p["truth"].astype(int) - p["target"]).max(2)
            inside = p["mask"][..., 0] > 127
            self.assertGreater(inside.sum(), 50, case)
            self.assertGreater(change[inside].mean(), 4 * change[~inside].mean() + 1, case)
            self.assertFalse(np.array_equal(p["texture"], p["target"]), case)
            apart = {n: np.abs(p[n].astype(int) - p["source"]).max(2) for n in ("second", "relit")}
            self.assertGreater(apart["second"][~inside].mean(), 2, case)  # another material
            self.assertGreater(apart["relit"][inside].mean(), 4 * apart["relit"][~inside].mean() + 0.2, case)  # only the light differs

    def test_a_net_is_drawn_when_named(self):
        cases = self.draw("net", "--cases", "2", "--kinds", "net")
        self.assertEqual(list(cases), ["00-net", "01-net"])
        for case, p in cases.items():
            change = np.abs(p["truth"].astype(int) - p["target"]).max(2)
            inside = p["mask"][..., 0] > 127
            self.assertGreater(change[inside].mean(), 4 * change[~inside].mean() + 1, case)
            self.assertLess((change[inside] > 20).mean(), 0.6, case)  # thin: most of the patch is unchanged

    def test_the_same_seed_draws_the_same(self):
        a, b, c = (self.draw(n, "--cases", "2", "--seed", s) for n, s in (("a", "3"), ("b", "3"), ("c", "4")))
        for case in a:
            for name in NAMES:
                self.assertTrue(np.array_equal(a[case][name], b[case][name]), (case, name))
            self.assertFalse(np.array_equal(a[case]["truth"], c[case]["truth"]))

    def test_zoom_keeps_the_crops_and_scales_the_share(self):
        one, half = (self.draw("z" + z, "--cases", "1", "--kinds", "hole", "--zoom", z)["00-hole"] for z in ("1", "0.5"))
        self.assertTrue(np.array_equal(one["target"], half["target"]))
        share = [(p["mask"] > 127).mean() for p in (one, half)]
        self.assertAlmostEqual(share[1] / share[0], 0.25, delta=0.05)


if __name__ == "__main__":
    tap.main()
