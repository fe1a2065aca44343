# SPDX-License-Identifier: GPL-3.0-or-later
"""A preset depends on the model, and the command line says so."""
import json
import os

import numpy as np

import tap
from command import Case, run

TINY = os.path.join(os.environ["SOURCE"], "tests", "golden", "sd15")


class Presets(Case):
    def setUp(self):
        super().setUp()
        self.environment = dict(os.environ, XDG_CACHE_HOME=self.path("cache"))

    def done(self, *args, **other):
        return self.ok(run(*self.files(**other), "--report", "json", *args, env=self.environment))

    def test_instant_is_the_default_and_runs_no_model(self):
        report = self.report(self.done())
        self.assertEqual((report["request"]["preset"], report["model"], report["unet_calls"]), ("instant", "", 0))
        self.assertIn("No model", report["effect"])

    def test_a_model_that_improves_the_edit_is_used_without_a_preset(self):
        report = self.report(self.done("--model", TINY, "--device", "cpu"))
        request = report["request"]
        self.assertEqual((request["preset"], request["correct"], request["correction"], request["noise"]), ("balanced", "all", 1, 1000))
        self.assertEqual(report["model"], "sd15")
        self.assertIn("10 steps", report["effect"])
        moved = self.read("result.png").astype(int)
        self.ok(self.instant())
        inside = self.mask[:120] > 0
        self.assertGreater(np.abs(moved - self.read("result.png"))[:, :128][inside].mean(), 5, "levels, with random weights")

    def test_instant_with_a_model_stays_instant(self):
        self.assertEqual(self.report(self.done("--model", TINY, "--preset", "instant"))["unet_calls"], 0)

    def test_a_preset_that_is_not_offered_runs_and_is_explained(self):
        done = run(*self.files(), "--preset", "draft", "--device", "cpu", env=self.environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("--preset draft", done.stderr)
        self.assertIn("Instant", done.stderr)
        drawn = self.read("result.png").astype(int)
        self.ok(run(*self.files(), "--preset", "draft", "--device", "cpu", "--quiet", env=self.environment))
        self.ok(self.instant())
        self.assertGreater(np.abs(drawn - self.read("result.png")).max(), 1, "it does what it says")

    def test_a_job_with_a_model_of_its_own_gets_its_row(self):
        jobs = [dict(target="target.png", source="source.png", mask="mask.png", output="a.png"),
                dict(target="target.png", source="source.png", mask="mask.png", output="b.png", model=TINY)]
        with open(self.path("jobs.json"), "w") as f: json.dump(jobs, f)
        reports = self.report(self.ok(run("--batch", self.path("jobs.json"), "--preset", "draft", "--device", "cpu", "--quiet", "--report",
                                          "json", env=self.environment)))
        self.assertEqual([r["request"]["noise"] for r in reports], [150, 500])
        self.assertEqual([r["request"]["preset"] for r in reports], ["draft", "draft"])

    def test_the_weight_of_a_further_reference_has_an_effect(self):
        self.write("brighter.png", np.clip(self.read("source.png").astype(int) * 13 // 10, 0, 255).astype(np.uint8))
        pictures = []
        for weight in ("0.1", "10"):
            self.ok(self.instant("--reference", self.path("brighter.png"), "--reference-mask", self.path("mask.png"), "--weight", weight))
            pictures.append(self.read("result.png").astype(int))
        self.assertGreater(np.abs(pictures[0] - pictures[1]).max(), 1)


if __name__ == "__main__":
    tap.main()
