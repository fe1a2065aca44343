# SPDX-License-Identifier: GPL-3.0-or-later
"""The report says what the edit decided, and a turned geometry keeps the light of its reference."""
import cv2
import numpy as np

import tap
from command import Case, run

SIDE = 200


def gray(shade): return np.repeat(np.clip(shade * 255, 0, 255).round().astype(np.uint8)[..., None], 3, 2)


class Decided(Case):
    def transfer(self, source, mask, *args):
        cv2.imwrite(self.path("s.png"), source)
        cv2.imwrite(self.path("m.png"), mask)
        cv2.imwrite(self.path("t.png"), np.full((SIDE, SIDE, 3), (120, 130, 140), np.uint8))
        done = run("--target", self.path("t.png"), "--source", self.path("s.png"), "--mask", self.path("m.png"), "--output", self.path("o.png"),
                   "--report", "json", *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.report(done), cv2.imread(self.path("o.png")).astype(float).mean(2) - 130, done.stderr

    def dent(self):
        """A dent on gray, lit from the left: its right side is bright."""
        y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
        depth = np.exp(-(x * x + y * y) / 22 ** 2)
        shade = 0.5 * np.exp(0.9 * depth * x / 22 - 0.25 * depth) + np.random.default_rng(3).normal(0, 0.006, (SIDE, SIDE))
        return gray(shade), cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (SIDE // 2, SIDE // 2), 48, 255, -1)

    def test_the_direction_of_the_light(self):
        report, _, _ = self.transfer(*self.dent())
        self.assertLess(abs(report["decided"]["light"]), 15, "degrees; its bright side lies right")
        self.assertFalse(report["decided"]["water"])
        report, _, _ = self.transfer(np.rot90(self.dent()[0]), self.dent()[1])  # counter-clockwise: the bright side lies up
        self.assertLess(abs(report["decided"]["light"] - 90), 15)

    def test_a_turned_dent_stays_a_dent(self):
        side = lambda change: change[:, 105:145].mean() - change[:, 55:95].mean()  # bright right: more than 0
        _, straight, _ = self.transfer(*self.dent())
        _, turned, _ = self.transfer(*self.dent(), "--rotation", "180")
        _, along, _ = self.transfer(*self.dent(), "--rotation", "180", "--turn-light", "180")
        _, mirrored, _ = self.transfer(*self.dent(), "--flip", "true")
        self.assertGreater(side(straight), 2)
        self.assertGreater(side(turned), 0.3 * side(straight))
        self.assertGreater(side(mirrored), 0.3 * side(straight))
        self.assertLess(side(along), -0.9 * side(straight), "the light was to turn along")

    def test_drops_that_are_turned_are_reported(self):
        drops = np.full((SIDE, SIDE, 3), (54, 122, 76), np.uint8)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        for x, y in ((60, 60), (130, 110)):
            cv2.circle(drops, (x, y), 22, (21, 49, 31), -1, cv2.LINE_AA)  # dark on the left, bright on the right: as if lit
            cv2.circle(drops, (x + 4, y + 3), 16, (91, 208, 130), -1, cv2.LINE_AA)
            cv2.circle(drops, (x - 7, y - 7), 5, (247, 250, 247), -1, cv2.LINE_AA)
            cv2.circle(mask, (x, y), 26, 255, -1)
        report, _, said = self.transfer(drops, mask)
        self.assertEqual(said, "")
        self.assertTrue(report["decided"]["water"])
        self.assertGreater(report["decided"]["show_through"], 0.1)
        self.assertEqual((report["decided"]["light"], report["warnings"]), (None, []))
        report, _, said = self.transfer(drops, mask, "--flip", "true")
        self.assertIn("Reflections", report["warnings"][0])
        self.assertIn("Reflections", said)
        for args, warned in ((("--rotation", "90"), 1), (("--rotation", "10"), 0), (("--turn-light", "90"), 1),
                             (("--rotation", "90", "--turn-light", "90"), 0)):  # the light turned with the drops
            self.assertEqual(len(self.transfer(drops, mask, *args)[0]["warnings"]), warned, args)


tap.main()
