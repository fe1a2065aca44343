# SPDX-License-Identifier: GPL-3.0-or-later
"""The outputs: the target's depth and channels, its unchanged pixels, a report, a layer."""
import json
import os
import signal
import subprocess
import time

import cv2
import numpy as np

import tap
from command import PROGRAM, Case, material, run

FAR = 40  # pixels from the mask where nothing may change


class Output(Case):
    def far(self, shape, shift=(0, 0)):
        mask = np.zeros(shape[:2], np.uint8)
        cv2.circle(mask, (64 + shift[0], 60 + shift[1]), 22 + FAR, 255, -1)
        return mask == 0

    def test_the_geometry_arrives_and_the_rest_stays(self):
        self.ok(self.instant())
        result = self.read("result.png")
        self.assertEqual(result.dtype, np.uint8)
        self.assertTrue((result == self.target)[self.far(result.shape)].all())
        self.assertLess(result[55:65, 59:69].mean(), self.target[55:65, 59:69].mean() - 20)  # the dent is dark
        inside, bare = result[50:70, 54:74].reshape(-1, 3).mean(0), self.target.reshape(-1, 3).mean(0)
        self.assertEqual(list(np.argsort(inside)), list(np.argsort(bare)))  # in the target's hue

    def test_depth_and_channels_are_the_targets(self):
        wide = self.target.astype(np.uint16) * 257 + 3
        alpha = np.dstack([self.target, np.full(self.target.shape[:2], 77, np.uint8)])
        for name, pixels in {"gray8.png": self.target[..., 0], "gray16.tiff": wide[..., 0], "colour16.png": wide,
                             "alpha8.png": alpha, "alpha16.tiff": np.dstack([wide, wide[..., 0]])}.items():
            with self.subTest(name):
                self.write(name, pixels)
                out = "out-" + name
                self.ok(self.instant(target=name, output=out))
                result = self.read(out)
                self.assertEqual((result.dtype, result.shape), (pixels.dtype, pixels.shape))
                self.assertTrue((result == pixels)[self.far(result.shape)].all())
                self.assertTrue((result != pixels).any())
                if result.ndim == 3 and result.shape[2] == 4: self.assertTrue((result[..., 3] == pixels[..., 3]).all())

    def test_endings_in_large_letters_in_every_language(self):
        for language in ("C", "de_DE.UTF-8", "tr_TR.UTF-8"):
            for name in ("a.TIFF", "a.Tif", "a.PNG", "a.JPG"):
                with self.subTest(language=language, name=name):
                    self.ok(self.instant(output=name, env=dict(os.environ, LC_ALL=language)))
                    self.assertEqual(self.read(name).shape, self.target.shape)

    def test_sixteen_bits_are_not_eight_in_disguise(self):
        self.write("wide.png", self.target.astype(np.uint16) * 257)
        self.ok(self.instant(target="wide.png"))
        result = self.read("result.png")
        self.assertGreater((result[50:70, 54:74] % 257 != 0).mean(), 0.9)

    def test_jpeg_in_and_out(self):
        cv2.imwrite(self.path("target.jpg"), self.target)
        self.ok(self.instant(target="target.jpg", output="result.jpg"))
        self.assertEqual(self.read("result.jpg").shape, self.target.shape)

    def test_the_layer_alone(self):
        report = self.report(self.ok(self.instant("--layer", self.path("layer.png"), "--report", "json")))
        layer, area = self.read("layer.png"), report["layer_area"]
        self.assertEqual(layer.shape, (area["height"], area["width"], 4))
        self.assertEqual(layer[..., 3].max(), 255)
        over = self.target.astype(np.float64)
        part = over[area["y"]:area["y"] + area["height"], area["x"]:area["x"] + area["width"]]
        part += layer[..., 3:] / 255 * (layer[..., :3] - part)
        self.assertLessEqual(np.abs(over - self.read("result.png")).max(), 1.5)

    def test_at_moves_the_masks_centre(self):
        self.ok(self.instant("--at", "100,50"))
        moved = self.read("result.png").astype(int) - self.target
        weight = np.abs(moved).sum(2)
        ys, xs = np.mgrid[:weight.shape[0], :weight.shape[1]]
        self.assertAlmostEqual((xs * weight).sum() / weight.sum(), 100, delta=2)
        self.assertAlmostEqual((ys * weight).sum() / weight.sum(), 50, delta=2)

    def test_negative_numbers_and_any_order(self):
        self.ok(run("--shift-x", "-10", *self.files(), "--preset", "instant"))
        first = self.read("result.png")
        self.ok(run("--preset", "instant", *self.files(), "--shift-x=-10"))
        self.assertTrue((first == self.read("result.png")).all())
        self.assertTrue((first != self.target).any())

    def test_the_same_request_gives_the_same_bytes(self):
        self.ok(self.instant())
        self.ok(self.instant(output="again.png"))
        with open(self.path("result.png"), "rb") as a, open(self.path("again.png"), "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_several_references(self):
        self.ok(self.instant("--reference", self.path("source.png"), "--reference-mask", self.path("mask.png"), "--weight", "0.5",
                             "--reference-placement", "40,0,0.8,90", "--texture", self.path("target.png")))
        self.assertTrue((self.read("result.png") != self.target).any())


class Outputs(Case):
    def test_no_output_destroys_an_input_or_another_output(self):
        os.link(self.path("source.png"), self.path("hard.png"))
        os.symlink("target.png", self.path("link.json"))
        before = {name: open(self.path(name), "rb").read() for name in ("target.png", "source.png", "mask.png")}
        for args, other in ((("--report", self.path("target.png")), {}), (("--report", self.path("link.json")), {}),
                            (("--report", self.path("result.png")), {}), (("--layer", self.path("result.png")), {}),
                            (("--layer", self.path("target.png")), {}), ((), dict(output="source.png")), ((), dict(output="hard.png")),
                            ((), dict(output="mask.png")), (("--texture", self.path("t.png")), dict(output="t.png"))):
            with self.subTest(args=args, **other):
                self.write("t.png", self.target)
                self.refused(self.instant(*args, **other), "to be written")
                for name, data in before.items(): self.assertEqual(open(self.path(name), "rb").read(), data, name)

    def test_in_place_and_through_links(self):
        self.ok(self.instant())
        expected = self.read("result.png")
        os.rename(self.path("target.png"), self.path("real.png"))
        os.symlink("real.png", self.path("target.png"))
        os.chmod(self.path("real.png"), 0o640)
        os.symlink("made.png", self.path("dangling.png"))
        self.ok(self.instant(output="dangling.png"))
        self.assertTrue(os.path.islink(self.path("dangling.png")) and (self.read("made.png") == expected).all())
        self.ok(self.instant(output="target.png"))
        self.assertTrue(os.path.islink(self.path("target.png")) and (self.read("real.png") == expected).all())
        self.assertEqual(os.stat(self.path("real.png")).st_mode & 0o777, 0o640)
        self.assertEqual([n for n in os.listdir(self.folder) if "." in n[-11:-4]], [])


class SeparateLayers(Case):
    MODES = {"multiply": lambda below, layer: below * layer, "normal": lambda below, layer: layer,
             "addition": lambda below, layer: below + layer, "subtract": lambda below, layer: below - layer}

    def blended(self, folder, target):
        """Blends the folder's layers over the target, as layers.json says. -> levels of 8 bits, not rounded."""
        picture = target.astype(np.float64) / 255
        with open(os.path.join(folder, "layers.json"), encoding="utf-8") as f: index = json.load(f)["layers"]
        for row in index:
            layer = cv2.imread(os.path.join(folder, row["file"]), cv2.IMREAD_UNCHANGED).astype(np.float64) / 255
            if not row["changes"]: self.assertEqual(layer[..., 3].max(), 0, row)
            height, width = layer.shape[:2]
            below = picture[row["y"]:row["y"] + height, row["x"]:row["x"] + width]
            below += layer[..., 3:] * (self.MODES[row["mode"]](below, layer[..., :3]) - below)
        return picture * 255

    def test_blended_they_are_the_result(self):
        folder = self.path("layers")
        self.ok(self.instant("--layers", folder, "--strength", "1.5"))
        self.assertEqual(sorted(os.listdir(folder)), ["darkening.png", "layers.json", "light.png", "own-material.png", "shade.png"])
        result = self.read("result.png").astype(np.float64)
        self.assertGreater(np.abs(result - self.target).max(), 30)
        self.assertLessEqual(np.abs(self.blended(folder, self.target) - result).max(), 2)

    def test_files_of_an_earlier_run_do_not_stay(self):
        folder = self.path("layers")
        self.ok(self.instant("--layers", folder))
        first = self.read("layers/shade.png")
        self.ok(self.instant("--layers", folder, "--strength", "0.5"))
        self.assertFalse(first.shape == self.read("layers/shade.png").shape and (first == self.read("layers/shade.png")).all())

    def test_alone_without_an_output(self):
        files = self.files()
        at = files.index("--output")
        self.ok(run(*files[:at], *files[at + 2:], "--preset", "instant", "--layers", self.path("layers")))
        self.assertTrue(os.path.exists(self.path("layers/shade.png")))

    def test_refused_before_work(self):
        os.mkdir(self.path("layers"))
        self.refused(self.instant("--layers", self.path("layers"), output="layers/shade.png"), "shade.png")
        self.refused(self.instant("--layers", self.path("target.png")), "target.png")


class Report(Case):
    def test_preset_then_options_whatever_their_order(self):
        for args in (["--steps", "7", "--preset", "paper"], ["--preset", "paper", "--steps", "7"]):
            done = self.ok(run(*self.files(), *args, "--correction", "0", "--report", "json"))
            request = self.report(done)["request"]
            self.assertEqual((request["steps"], request["iterations"], request["preset"]), (7, 5, "custom"))
        done = self.ok(self.instant("--report", "json", "--flip", "--shift-x", "1.5"))
        request = self.report(done)["request"]
        self.assertEqual((request["preset"], request["flip"], request["shift-x"]), ("instant", True, 1.5))

    def test_to_a_file_with_every_key(self):
        self.ok(self.instant("--report", self.path("report.json")))
        with open(self.path("report.json"), encoding="utf-8") as f: report = json.load(f)
        self.assertEqual({"version", "target", "source", "output", "layer", "layers", "request", "stages", "seconds", "read_files_seconds",
                          "write_files_seconds", "peak_memory", "residuals", "rectangle", "layer_area", "working", "mask_share", "window_share",
                          "unet_calls", "unet_streams", "threads", "model", "device", "precision", "decided", "warnings", "effect"}, set(report))
        self.assertIn("edit", [s["stage"] for s in report["stages"]])
        self.assertGreater(report["seconds"], 0)
        self.assertAlmostEqual(report["seconds"], sum(s["seconds"] for s in report["stages"]), delta=0.2 * report["seconds"] + 0.05)
        self.assertGreater(report["peak_memory"], 10 << 20)
        self.assertGreater(report["rectangle"]["width"], 44)
        self.assertEqual((report["unet_calls"], report["model"]), (0, ""))

    def test_more_threads_than_cores(self):
        done = self.ok(self.instant("--report", "json", "--quiet", "--threads", "64"))
        self.assertEqual(done.stderr, "")
        self.assertLessEqual(self.report(done)["threads"], os.cpu_count())

    def test_to_a_pipe_by_its_name(self):
        self.assertEqual(self.report(self.ok(self.instant("--report", "/dev/stdout")))["request"]["preset"], "instant")

    def test_a_decimal_comma_locale_changes_nothing(self):
        env = dict(os.environ, LC_ALL="de_DE.UTF-8")
        done = self.ok(run(*self.files(), "--preset", "instant", "--colour-strength", "0.5", "--report", "json", env=env))
        self.assertEqual(self.report(done)["request"]["colour-strength"], 0.5)


class Process(Case):
    def test_instant_opens_no_libtorch(self):
        trace = run(*self.files(), "--preset", "instant", env=dict(os.environ, LD_DEBUG="files"))
        self.assertIn("libgeometry-transfer-image", trace.stderr)
        self.assertNotIn("libtorch", trace.stderr)

    def test_version_and_help(self):
        self.assertRegex(self.ok(run("--version")).stdout, r"^geometry-transfer \d+\.\d+")
        text = self.ok(run("--help")).stdout
        for word in ("--target", "--preset", "instant|draft|balanced|best|paper", "--output-reads", "--threads", "default"):
            self.assertIn(word, text)

    def wait_until_it_works(self, child):
        """Waits until the image part is opened, which happens after the files were read."""
        for _ in range(6000):
            with open(f"/proc/{child.pid}/maps") as f:
                if "libgeometry-transfer-image" in f.read(): return
            time.sleep(0.01)
        self.fail("it did not begin within a minute")

    def test_an_interrupt_leaves_no_file(self):
        # The picture is so large that the signal comes during the work.
        big = material(1500, 1500, (90, 140, 190), 6, 1)
        mask = np.full(big.shape[:2], 255, np.uint8)
        for name, pixels in (("target.png", big), ("source.png", big[::-1]), ("mask.png", mask)): cv2.imwrite(self.path(name), pixels)
        for signum in (signal.SIGINT, signal.SIGTERM):
            child = subprocess.Popen([PROGRAM, *self.files(), "--preset", "instant"], stderr=subprocess.PIPE, text=True)
            self.wait_until_it_works(child)
            child.send_signal(signum)
            _, said = child.communicate(timeout=200)
            self.assertEqual(child.returncode, 130, said)
            self.assertEqual(said.count("\n"), 1, said)
            self.assertFalse(os.path.exists(self.path("result.png")))


if __name__ == "__main__":
    tap.main()
