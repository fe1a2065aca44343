# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws many labelled pictures by a seed."""
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import cv2
import numpy as np

import tap
from command import PROGRAM, Case, end_by, material, run, wait_for_memory

SIZES = ((200, 260), (240, 240), (300, 220), (220, 300))  # rows, columns


def masks_of(row):
    """Decodes the defects' labels from COCO's compressed run lengths, with a decoder of its own."""
    masks = []
    for defect in row["defects"]:
        runs, at, text = [], 0, defect["runs"]
        while at < len(text):
            value = shift = 0
            while True:
                c = ord(text[at]) - 48
                at += 1
                value |= (c & 31) << shift
                shift += 5
                if not c & 32: break
            if c & 16: value -= 1 << shift
            if len(runs) > 2: value += runs[-2]
            runs.append(value)
        flat = np.concatenate([np.full(n, 255 * (i % 2), np.uint8) for i, n in enumerate(runs)])
        masks.append(flat.reshape(row["width"], row["height"]).T)
    return masks


def installed(name): return importlib.util.find_spec(name) is not None


class Datasets(Case):
    def setUp(self):
        super().setUp()
        for name in ("targets", "sources/crack", "sources/dent"): os.makedirs(self.path(name))
        for i, (h, w) in enumerate(SIZES): self.write(f"targets/t{i}.png", material(h, w, (90 + 20 * i, 140, 190 - 30 * i), 5, 10 + i))
        for i in range(3):
            for kind in ("crack", "dent"):
                mask = np.zeros((90, 90), np.uint8)
                if kind == "crack": cv2.polylines(mask, [np.array([[20, 25], [40, 40 + 5 * i], [50, 45], [70, 65]])], False, 255, 3)
                else: cv2.circle(mask, (45, 45), 12 + 3 * i, 255, -1)
                depth = cv2.GaussianBlur((mask > 0).astype(np.float32), (0, 0), 1)[..., None]
                self.write(f"sources/{kind}/{kind}{i}.png", (material(90, 90, (150, 130, 120), 3, 30 + i) * (1 - 0.6 * depth)).round().astype(np.uint8))
                self.write(f"sources/{kind}/{kind}{i}_mask.png", cv2.dilate(mask, np.ones((5, 5))))

    def make(self, output, *more, variants=8, seed=5, **options):
        drawn = () if variants is None else ("--variants", variants, "--seed", seed, "--target", options.pop("target", self.path("targets")),
                                             "--source", options.pop("source", self.path("sources")))
        return run(*drawn, "--output", self.path(output), "--quiet", *more, **options)

    def draw(self, output, *more, **options):
        self.ok(self.make(output, *more, **options))
        return self.rows(output)

    def lines(self, output):
        with open(self.path(output + "/manifest.jsonl"), encoding="utf-8") as f: return [json.loads(line) for line in f]

    def rows(self, output): return self.lines(output)[1:]

    def bytes_in(self, output):
        """Every file's digest, by its path in the folder."""
        found = {}
        for folder, _, names in os.walk(self.path(output)):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as f: found[os.path.relpath(path, self.path(output))] = hashlib.sha256(f.read()).hexdigest()
        return found

    def label(self, output, row): return self.read(f"{output}/{row['label']}")

    def target_of(self, row): return cv2.imdecode(np.fromfile(row["target"], np.uint8), cv2.IMREAD_UNCHANGED)

    RANGES = ("--scale", "0.7..1.3", "--rotation=-30..30", "--flip", "random", "--defects", "1..2")

    def test_the_same_seed_gives_the_same_bytes(self):
        self.draw("a", *self.RANGES, "--threads", "1")
        first = self.bytes_in("a")
        self.draw("b", *self.RANGES, "--threads", "3")
        self.assertEqual(self.bytes_in("b"), first)
        for part in ("2/3", "1/3", "3/3"): self.ok(self.make("c", *self.RANGES, "--shard", part))
        shards = self.bytes_in("c")
        for i in (1, 2, 3): shards.pop(f"manifest-{i}-of-3.jsonl")
        self.assertEqual(shards, first)
        self.draw("d", *self.RANGES, seed=6)
        other = self.bytes_in("d")
        self.assertEqual(sorted(other), sorted(first))
        self.assertTrue(all(other[name] != first[name] for name in other if name.startswith("images/")))

    def test_the_manifest_gives_it_again(self):
        self.draw("a", *self.RANGES)
        self.ok(self.make("b", "--manifest", self.path("a/manifest.jsonl"), variants=None))
        self.assertEqual(self.bytes_in("b"), self.bytes_in("a"))

    def test_a_manifest_stays_in_its_folder(self):
        self.draw("a", variants=2)
        for path in ("../out.png", "/tmp/out.png", "images/../../out.png"):
            lines = self.lines("a")
            lines[2]["picture"] = path
            with open(self.path("edited.jsonl"), "w", encoding="utf-8") as f: f.writelines(json.dumps(line) + "\n" for line in lines)
            self.refused(self.make("b", "--manifest", self.path("edited.jsonl"), variants=None), "edited.jsonl:3", "leads out of the folder")
        self.assertFalse(os.path.exists(self.path("out.png")))

    def test_a_manifest_with_a_failed_picture(self):
        self.make("a", "--keep", "contrast>2", "--tries", "1", variants=2)
        done = self.make("b", "--manifest", self.path("a/manifest.jsonl"), variants=None)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 2), done.stderr)
        self.assertEqual(os.listdir(self.path("b")), ["manifest.jsonl"])

    def test_what_is_drawn_lies_in_its_range(self):
        rows = self.draw("a", *self.RANGES, variants=24)
        defects = [d for row in rows for d in row["defects"]]
        self.assertEqual({len(row["defects"]) for row in rows}, {1, 2})
        for name, low, high in (("scale", 0.7, 1.3), ("rotation", -30, 30)):
            drawn = [float(d["settings"][name]) for d in defects]
            self.assertTrue(low <= min(drawn) < max(drawn) <= high, drawn)
            self.assertGreater(np.std(drawn), (high - low) / 6)
        self.assertEqual({d["settings"]["flip"] for d in defects}, {"true", "false"})
        self.assertEqual(len({d["source"] for d in defects}), 6)
        self.assertEqual(len({row["target"] for row in rows}), len(SIZES))

    def test_weights(self):
        with open(self.path("weights.tsv"), "w", encoding="utf-8") as f: f.write("# a note\ncrack0\t3\ncrack1\t0\ncrack2\t0\ndent0\t1\ndent1\t0\ndent2\t0\n")
        names = [os.path.basename(row["defects"][0]["source"]) for row in self.draw("a", "--weights", self.path("weights.tsv"), variants=40)]
        self.assertEqual(set(names), {"crack0.png", "dent0.png"})
        self.assertTrue(22 <= names.count("crack0.png") <= 38, names.count("crack0.png"))

    def test_the_label_is_where_the_picture_changed(self):
        for row in self.draw("a", "--defects", "2"):
            picture, target, label = self.read("a/" + row["picture"]).astype(int), self.target_of(row).astype(int), self.label("a", row)
            self.assertEqual(label.shape, target.shape[:2])
            self.assertEqual(set(np.unique(label)), {0, 255})
            changed = np.abs(picture - target).max(-1)
            self.assertTrue((label[changed > 24] == 255).all(), "a visible change without a label")
            self.assertGreater((changed[label > 0] > 2).mean(), 0.8)
            instances, masks = self.read("a/" + row["instances"]), masks_of(row)
            self.assertTrue(((instances > 0) == (label > 0)).all())
            for i, (defect, mask) in enumerate(zip(row["defects"], masks)):
                self.assertTrue(((instances == i + 1) == (mask > 0)).all())
                self.assertEqual(list(cv2.boundingRect(mask)), defect["box"])
                self.assertEqual(int((mask > 0).sum()), defect["area"])

    def test_the_label_of_a_single_transfer(self):
        self.ok(self.instant(label="label.png"))
        label, changed = self.read("label.png"), np.abs(self.read("result.png").astype(int) - self.target).max(-1)
        self.assertTrue((label[changed > 24] == 255).all())
        self.assertTrue((changed[label == 0] <= 24).all())
        self.assertTrue(0.02 < (label > 0).mean() < 0.2, (label > 0).mean())

    def test_where_defects_may_lie(self):
        os.makedirs(self.path("place"))
        for i, (h, w) in enumerate(SIZES):
            allowed = np.zeros((h, w), np.uint8)
            if i % 2: allowed[:, : w // 2 + 20] = 255
            else: allowed[h // 2 - 20 :] = 255
            if i < 3: self.write(f"place/t{i}.png", allowed)  # the last target has no area, so all of it is allowed
        seen = set()
        for row in self.draw("a", "--place", self.path("place"), "--border", "10", variants=12):
            i = int(row["target"][-5])
            seen.add(i)
            changed = (self.read("a/" + row["picture"]) != self.target_of(row)).any(-1)
            allowed = self.read(f"place/t{i}.png") > 0 if i < 3 else np.ones(SIZES[i], bool)
            allowed[:10] = allowed[-10:] = allowed[:, :10] = allowed[:, -10:] = False
            self.assertTrue(changed.any())
            self.assertFalse((changed & ~allowed).any(), row["picture"])
        self.assertEqual(seen, {0, 1, 2, 3})
        avoid = np.zeros(SIZES[1], np.uint8)
        avoid[:, 100:140] = 255
        self.write("avoid.png", avoid)
        for row in self.draw("b", "--avoid", self.path("avoid.png"), target=self.path("targets/t1.png")):
            self.assertFalse(((self.read("b/" + row["picture"]) != self.target_of(row)).any(-1) & (avoid > 0)).any())

    def test_defects_stay_apart(self):
        for row in self.draw("a", "--defects", "3", "--apart", "25", "--scale", "0.5", target=self.path("targets/t2.png")):
            masks = masks_of(row)
            self.assertEqual(len(masks), 3)
            for i in range(3):
                far = cv2.distanceTransform((masks[i] == 0).astype(np.uint8), cv2.DIST_L2, 5)
                for j in range(i): self.assertGreaterEqual(far[masks[j] > 0].min(), 25)

    def test_no_source_or_target_in_two_splits(self):
        rows = self.draw("a", "--split", "0.5,0.25,0.25", variants=40)
        for name in ("target", "source"):
            sets = {}
            for row in rows:
                values = [row["target"]] if name == "target" else [d["source"] for d in row["defects"]]
                sets.setdefault(row["split"], set()).update(values)
            self.assertEqual(sorted(sets), ["test", "train", "val"])
            self.assertEqual(sum(map(len, sets.values())), len(set().union(*sets.values())), sets)
        self.assertEqual([sum(row["split"] == s for row in rows) for s in ("train", "val", "test")], [20, 10, 10])
        self.refused(self.make("b", "--split", "0.4,0.3,0.3", source=self.path("sources/crack/crack0.png"), variants=4), "--mask")
        one = ("--mask", self.path("sources/crack/crack0_mask.png"), "--split", "0.5,0.5")
        self.refused(self.make("b", *one, source=self.path("sources/crack/crack0.png")), "2 splits", "there are 1")

    def test_mvtec(self):
        rows = self.draw("a", "--format", "mvtec", variants=10)
        files = set(self.bytes_in("a"))
        for row in rows:
            split, kind, name = row["picture"].split("/")
            self.assertEqual(kind, row["defects"][0]["kind"] if row["defects"] else "good")
            if row["defects"]:
                self.assertEqual((split, row["label"]), ("test", f"ground_truth/{kind}/{name[:-4]}_mask.png"))
                self.assertEqual(self.label("a", row).shape, self.read("a/" + row["picture"]).shape[:2])
            else: self.assertTrue((self.read("a/" + row["picture"]) == self.target_of(row)).all())
        self.assertEqual({f.split("/")[1] for f in files if f.startswith("test/")}, {"good", "crack", "dent"})
        self.assertEqual({f.split("/")[1] for f in files if f.startswith("train/")}, {"good"})
        self.assertFalse({row["target"] for row in rows if row["split"] == "train"} & {row["target"] for row in rows if row["split"] == "test"})

    @unittest.skipUnless(installed("anomalib"), "anomalib is not installed")
    def test_mvtec_as_anomalib_reads_it(self):
        from anomalib.data.datasets.image.mvtecad import make_mvtec_ad_dataset
        self.draw("a", "--format", "mvtec", variants=10)
        samples = make_mvtec_ad_dataset(self.path("a"), extensions=(".png",))
        bad = samples[samples.label != "good"]
        self.assertEqual(len(bad), 10)
        for _, sample in bad.iterrows(): self.assertEqual(os.path.basename(sample.mask_path)[:6], os.path.basename(sample.image_path)[:6])

    def test_coco(self):
        rows = self.draw("a", "--format", "coco", "--defects", "1..2", "--split", "0.5,0.5", "--good", "4")
        for split in ("train", "val"):
            with open(self.path(f"a/annotations/instances_{split}.json"), encoding="utf-8") as f: coco = json.load(f)
            mine = [row for row in rows if row["split"] == split]
            self.assertEqual([i["file_name"] for i in coco["images"]], [os.path.basename(row["picture"]) for row in mine])
            self.assertEqual([c["name"] for c in coco["categories"]], ["crack", "dent"])
            self.assertEqual(len(coco["annotations"]), sum(len(row["defects"]) for row in mine))
            for image in coco["images"]: self.assertEqual(self.read(f"a/{split}/{image['file_name']}").shape[:2], (image["height"], image["width"]))
        self.assertEqual(sum(not row["defects"] for row in rows), 4)

    @unittest.skipUnless(installed("pycocotools"), "pycocotools is not installed")
    def test_coco_as_pycocotools_reads_it(self):
        import contextlib
        import io
        from pycocotools.coco import COCO
        rows = self.draw("a", "--format", "coco", "--defects", "1..2")
        with contextlib.redirect_stdout(io.StringIO()): coco = COCO(self.path("a/annotations/instances_train.json"))
        count = 0
        for row in rows:
            annotations = coco.loadAnns(coco.getAnnIds(imgIds=[row["index"] + 1]))
            for annotation, defect, mask in zip(annotations, row["defects"], masks_of(row)):
                self.assertTrue((coco.annToMask(annotation) == (mask > 0)).all())
                self.assertEqual(annotation["bbox"], defect["box"])
                count += 1
        self.assertEqual(count, sum(len(row["defects"]) for row in rows))

    def test_yolo(self):
        rows = self.draw("a", "--format", "yolo", "--split", "0.5,0.5", "--good", "2")
        with open(self.path("a/data.yaml"), encoding="utf-8") as f: data = f.read()
        self.assertEqual(data, 'train: images/train\nval: images/val\nnames:\n  0: "crack"\n  1: "dent"\n')
        for row in rows:
            with open(self.path("a/" + row["label"]), encoding="utf-8") as f: lines = f.read().splitlines()
            self.assertEqual(bool(lines), bool(row["defects"]))
            for defect, mask in zip(row["defects"], masks_of(row)):
                drawn = np.zeros((8 * row["height"], 8 * row["width"]), np.uint8)
                for line in lines:
                    kind, *numbers = line.split()
                    self.assertEqual(kind, {"crack": "0", "dent": "1"}[defect["kind"]])
                    corners = np.array(numbers, float).reshape(-1, 2) * (8 * row["width"], 8 * row["height"])
                    cv2.fillPoly(drawn, [corners.round().astype(int)], 255)
                drawn = cv2.resize(drawn, (row["width"], row["height"]), interpolation=cv2.INTER_AREA) > 127
                self.assertGreater((drawn & (mask > 0)).sum() / (drawn | (mask > 0)).sum(), 0.9)

    @unittest.skipUnless(installed("ultralytics"), "ultralytics is not installed")
    def test_yolo_as_ultralytics_reads_it(self):
        from ultralytics.data.dataset import YOLODataset
        from ultralytics.data.utils import check_det_dataset
        self.draw("a", "--format", "yolo", "--split", "0.5,0.5")
        data = check_det_dataset(self.path("a/data.yaml"), autodownload=False)
        read = YOLODataset(img_path=data["train"], data=data, task="segment", augment=False)
        self.assertEqual(len(read), 4)
        self.assertTrue(all(len(label["segments"]) > 0 for label in read.labels))

    def test_keep_draws_again(self):
        self.draw("a", variants=12)
        first = [row["defects"][0]["contrast"] for row in self.rows("a")]
        bound = float(np.median(first))
        rows = self.draw("b", "--keep", f"contrast>{bound}", variants=12)
        self.assertTrue(all(row["defects"][0]["contrast"] > bound for row in rows))
        self.assertTrue(any(row["tries"] > 1 for row in rows))
        done = self.make("c", "--keep", "contrast > 2", "--tries", "3", variants=2)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 2)
        self.assertIn("contrast > 2", done.stderr)
        self.assertEqual([row["tries"] for row in self.rows("c")], [3, 3])
        self.assertFalse(os.path.exists(self.path("c/images")))
        self.refused(self.make("d", "--keep", "beauty>1"), "beauty>1", "contrast, share, leak, border")

    def test_strange_inputs_are_named_and_the_others_are_there(self):
        with open(self.path("targets/broken.png"), "wb") as f: f.write(b"\x89PNG\r\n\x1a\nnothing")
        self.write("targets/tiny.png", material(6, 6, (90, 90, 90), 2, 1))
        self.write("sources/crack/blank.png", material(90, 90, (150, 130, 120), 3, 1))
        self.write("sources/crack/blank_mask.png", np.zeros((90, 90), np.uint8))
        self.write("sources/crack/speck.png", material(6, 6, (150, 130, 120), 3, 1))
        self.write("sources/crack/speck_mask.png", np.full((6, 6), 255, np.uint8))
        done = self.make("a", variants=12)
        self.assertEqual(done.returncode, 1)
        said = done.stderr.splitlines()
        self.assertEqual(len(said), 4, done.stderr)
        for name in ("broken.png", "tiny.png", "blank.png", "speck.png"): self.assertTrue(any(name in line for line in said), name)
        self.assertEqual(sorted(os.path.basename(one["file"]) for one in self.lines("a")[0]["left_out"]), ["blank.png", "broken.png", "speck.png", "tiny.png"])
        rows = self.rows("a")
        self.assertEqual(len(rows), 12)
        for row in rows: self.assertTrue(os.path.exists(self.path("a/" + row["picture"])))

    def test_three_strange_inputs_among_thirty_pictures(self):
        with open(self.path("targets/broken.png"), "wb") as f: f.write(b"\x89PNG\r\n\x1a\nnothing")
        self.write("targets/tiny.png", material(6, 6, (90, 90, 90), 2, 1))
        self.write("sources/dent/blank.png", material(90, 90, (150, 130, 120), 3, 1))
        self.write("sources/dent/blank_mask.png", np.zeros((90, 90), np.uint8))
        done = self.make("a", *self.RANGES, variants=30)
        self.assertEqual(done.returncode, 1)
        said = done.stderr.splitlines()
        self.assertEqual(len(said), 3, done.stderr)
        for name in ("broken.png", "tiny.png", "blank.png"): self.assertEqual(sum(name in line for line in said), 1, done.stderr)
        rows = self.rows("a")
        self.assertEqual([row["index"] for row in rows], list(range(30)))
        for row in rows: self.assertTrue((self.read("a/" + row["picture"]) != self.target_of(row)).any())

    def test_an_interrupt_while_reading_ends_within_a_second(self):
        side = 8000  # pixels; takes seconds to decode
        noise = np.random.default_rng(1).integers(0, 256, (side, 97, 3), np.uint8)
        self.write("targets/large.png", np.tile(noise, (1, side // 97 + 1, 1))[:, :side])
        child = subprocess.Popen([PROGRAM, "--variants", "4", "--seed", "5", "--target", self.path("targets"), "--source", self.path("sources"),
                                  "--output", self.path("a"), "--threads", "2"], stderr=subprocess.PIPE, text=True)
        wait_for_memory(child, 100000)  # kB: the pixels are being decoded
        self.assertIsNone(child.poll(), "the pictures were read already: make them larger")
        said, seconds = end_by(child, signal.SIGINT)
        self.assertEqual(child.returncode, 130, said)
        self.assertLess(seconds, 1)
        self.assertEqual(os.listdir(self.path("a")), [])

    def test_a_stopped_run_goes_on(self):
        self.draw("whole", *self.RANGES, variants=60)
        args = [PROGRAM, "--variants", "60", "--seed", "5", "--target", self.path("targets"), "--source", self.path("sources"), "--output",
                self.path("a"), "--quiet", *self.RANGES]
        for stop in (signal.SIGINT, signal.SIGKILL):
            child = subprocess.Popen(args, stderr=subprocess.PIPE, text=True)
            part = self.path("a/manifest.jsonl.part")
            seen = 3 if stop == signal.SIGINT else 12
            for _ in range(2000):
                if os.path.exists(part) and sum(1 for _ in open(part, encoding="utf-8")) > seen: break
                time.sleep(0.01)
            child.send_signal(stop)
            said = child.communicate(timeout=100)[1]
            if stop == signal.SIGINT: self.assertEqual(child.returncode, 130, said)
            if stop == signal.SIGINT: self.assertIn("of 60 pictures are finished", said)
            self.assertTrue(os.path.exists(part))
        with open(part, "a", encoding="utf-8") as f: f.write('{"index": 59, "spl')  # like a line that was cut off
        self.ok(run(*args[1:]))
        self.assertEqual(self.bytes_in("a"), self.bytes_in("whole"))

    def test_another_set_is_not_mixed_in(self):
        self.draw("a")
        before = self.bytes_in("a")
        self.refused(self.make("a", seed=6), "manifest.jsonl", "another data set")
        self.assertEqual(self.bytes_in("a"), before)
        self.draw("a")  # the same set exists already
        self.assertEqual(self.bytes_in("a"), before)

    @unittest.skipUnless(shutil.which("parallel"), "GNU parallel is not installed")
    def test_shards_under_gnu_parallel(self):
        self.draw("a", "--format", "coco")
        args = ["--variants", "8", "--seed", "5", "--target", self.path("targets"), "--source", self.path("sources"), "--output", self.path("b"),
                "--quiet", "--threads", "1", "--format", "coco"]
        done = subprocess.run(["parallel", "--will-cite", "-q", "-j", "2", PROGRAM, *args, "--shard", "{}/3", ":::", "1", "2", "3"], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, env=dict(os.environ, HOME=self.folder))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        pictures = {name: digest for name, digest in self.bytes_in("b").items() if "-of-3" not in name}
        self.assertEqual(pictures, self.bytes_in("a"))

    def test_refusals(self):
        for args, words in ((("--scale", "1.3..0.7"), ("--scale", "1.3..0.7")), (("--scale", "0..1"), ("scale",)), (("--flip", "maybe"), ("flip", "maybe")),
                            (("--shift-x", "3"), ("--shift-x",)), (("--split", "0.5,0.6"), ("--split",)), (("--format", "cocoa"), ("cocoa", "mvtec")),
                            (("--defects", "0..2"), ("--defects",)), (("--shard", "4/3"), ("--shard", "4/3")), (("--at", "3,4"), ("--at",)),
                            (("--weights", self.path("none.tsv")), ("none.tsv",))):
            with self.subTest(args): self.refused(self.make("r", *args), *words)
        os.remove(self.path("sources/dent/dent1_mask.png"))
        self.refused(self.make("r"), "dent1.png", "has no mask")
        self.refused(self.make("r", "--manifest", self.path("weights.tsv"), variants=None), "weights.tsv")


if __name__ == "__main__":
    tap.main()
