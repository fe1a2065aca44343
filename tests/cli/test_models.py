# SPDX-License-Identifier: GPL-3.0-or-later
"""Models of other families from the command line, by a tiny model of each."""
import contextlib
import json
import os
import shutil
import struct
import subprocess
import sys

import numpy as np

import tap
from command import Case, run

TINY = os.path.join(os.environ["SOURCE"], "tests", "golden")


class Models(Case):
    def setUp(self):
        super().setUp()
        self.environment = dict(os.environ, XDG_CACHE_HOME=self.path("cache"), XDG_DATA_HOME=self.path("data"), HOME=self.folder,
                                GEOMETRY_TRANSFER_MODELS=self.path("models"))

    def transfer(self, model, *args, device="cpu"):
        return run(*self.files(), "--preset", "draft", "--correct", "all", "--correction", "1", "--device", device, "--precision", "fp32",
                   "--model", model, *args, env=self.environment)

    def copy(self, family):
        return shutil.copytree(os.path.join(TINY, family), os.path.join(self.folder, "models", family))

    def poke(self, path, key, value):
        """Sets the first number of a tensor in fp32."""
        with open(path, "r+b") as f:
            size, = struct.unpack("<Q", f.read(8))
            f.seek(8 + size + json.loads(f.read(size))[key]["data_offsets"][0])
            f.write(struct.pack("<f", value))

    def test_every_family_runs(self):
        for family in ("sd15", "sd21", "sdxl"):
            with self.subTest(family):
                report = self.report(self.ok(self.transfer(os.path.join(TINY, family), "--report", "json")))
                self.assertEqual((report["model"], report["device"], report["precision"]), (family, "cpu", "fp32"))
                self.assertGreater(report["unet_calls"], 0)
                os.remove(self.path("result.png"))

    def test_the_same_request_gives_the_same_bytes(self):
        """Repeats a request in one process, while other programs use the cores, then in another process."""
        job = "target.png\tsource.png\tmask.png\t{}.png"
        runs = int(os.environ.get("GT_RUNS", 12))
        with open(self.path("jobs.tsv"), "w", encoding="utf-8") as f:
            f.write("\n".join(["target\tsource\tmask\toutput", *map(job.format, range(runs))]))
        with contextlib.ExitStack() as ends:
            for _ in range(os.cpu_count()):
                ends.callback(subprocess.Popen([sys.executable, "-c", "while True: pass"]).kill)
            for precision in ("fp32", "bf16"):
                settings = ("--preset", "draft", "--device", "cpu", "--precision", precision, "--quiet")
                done = run("--batch", self.path("jobs.tsv"), *settings, env=self.environment, timeout=60 * runs)
                if "does not compute in bf16" in done.stderr: continue
                self.ok(done)
                self.ok(run(*self.files(), *settings, env=self.environment))
                first = self.read("result.png").astype(int)
                off = [np.abs(self.read(f"{i}.png") - first) for i in range(runs)]
                odd = [((o > 0).sum(), o.max()) for o in off if o.any()]
                print(f"# {precision}: {runs - len(odd)} of {runs} the same; values that differ and by how much: {odd}", flush=True)
                self.assertEqual(odd, [])

    def test_what_is_predicted_can_be_told(self):
        pictures = {}
        for family, prediction in [("sd15", "auto"), ("sd15", "epsilon"), ("sd15", "v"), ("sd21", "auto"), ("sd21", "v")]:
            self.ok(self.transfer(os.path.join(TINY, family), "--prediction", prediction))
            pictures[family, prediction] = self.read("result.png")
        self.assertTrue((pictures["sd15", "auto"] == pictures["sd15", "epsilon"]).all(), "noise, as its files say")
        self.assertTrue((pictures["sd21", "auto"] == pictures["sd21", "v"]).all(), "velocity, as its files say")
        self.assertFalse((pictures["sd15", "auto"] == pictures["sd15", "v"]).all(), "the request wins over the files")

    def test_numbers_that_are_not_finite_name_the_stage(self):
        weights = "diffusion_pytorch_model.safetensors"
        for stage, part, key in [("Encoding", "vae", "encoder.conv_in.bias"), ("Inverting", "unet", "conv_out.bias"),
                                 ("Decoding", "vae", "decoder.conv_out.bias")]:
            for value in (float("nan"), float("inf")):
                with self.subTest(stage, value=value):
                    model = self.copy("sd15")
                    self.poke(os.path.join(model, part, weights), key, value)
                    self.refused(self.transfer(model), "not finite", stage)
                    shutil.rmtree(model)

    def test_a_device_that_is_not_there(self):
        if shutil.which("nvidia-smi"): self.skipTest("there is one")
        self.refused(self.transfer(os.path.join(TINY, "sd15"), device="cuda"), "CUDA", "cpu")

    def test_the_list_says_what_there_is_and_what_is_wrong(self):
        whole, broken = self.copy("sd15"), self.copy("sd21")
        os.remove(os.path.join(broken, "vae", "config.json"))
        lines = self.ok(run("--list-models", env=self.environment)).stdout.splitlines()
        size = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(whole) for f in files if f.endswith(".safetensors"))
        entry = next(line for line in lines if line.endswith("  " + whole))
        self.assertEqual(entry.split()[:3], ["sd15", "SD", "1.x"])
        self.assertAlmostEqual(int(entry[:-len(whole)].split()[-2]), size / 1e6, delta=1)
        place = next(i for i, line in enumerate(lines) if line.endswith("  " + broken))
        self.assertIn("vae/config.json", lines[place + 1])


if __name__ == "__main__":
    tap.main()
