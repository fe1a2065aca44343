# SPDX-License-Identifier: GPL-3.0-or-later
"""The procedure in real GIMP without a display: its results and its refusals."""
import os
import re
import subprocess
import unittest

import numpy as np

import gimp
import icc
import tap

TRANSFER = '(geometry-transfer image (target-of image) (source-of image) (list "preset" "instant"))'
SEPARATE = TRANSFER.replace('"instant"', '"instant" "separate-layers" TRUE')
IN_LAYOUTS = {
    "plain": "(scene 0 0)",
    "shifted": "(scene 30 -15)",
}
# Name, and the Scheme that converts the 8-bit sRGB scene to another kind of image.
KINDS = {
    "u8": "",
    "u16": "(gimp-image-convert-precision image u16)",
    "u16-linear": "(gimp-image-convert-precision image u16-linear)",
    "float": "(gimp-image-convert-precision image float-gamma)",
    "float-linear": "(gimp-image-convert-precision image float-linear)",
    "alpha": "(gimp-layer-add-alpha (target-of image)) (gimp-layer-add-alpha (source-of image))",
    "wide": '(gimp-image-convert-precision image u16) (convert-profile image (file "wide.icc"))',
    "wide-u8": '(convert-profile image (file "wide.icc"))',
}
GREY = {
    "grey": "",
    "grey-float": "(gimp-image-convert-precision image float-linear)",
    "grey-profile": '(gimp-image-convert-precision image u16) (convert-profile image (file "grey.icc"))',
}


class Results(unittest.TestCase):
    """All cases of one GIMP process."""

    @classmethod
    def setUpClass(cls):
        cls.gimp = gimp.Gimp()
        cls.target, cls.source, cls.mask = gimp.make_scene(cls.gimp.folder)
        for name, data in (("srgb", icc.srgb()), ("wide", icc.wide()), ("grey", icc.grey(1.8))):
            with open(cls.gimp.path(name + ".icc"), "wb") as f: f.write(data)
        job = ""
        for name, opening in IN_LAYOUTS.items():
            job += f"""(run-case "{name}" (lambda () (let ((image {opening}))
              (clean image)
              (let ((layer {TRANSFER}))
                (describe image (layers image))
                (report-result image layer)
                (say "parasite" (parasite layer))
                (say "blending" (number->string (car (gimp-layer-get-composite-space layer))))
                (gimp-item-set-visible (caddr (layers image)) no)
                (export image "{name}.png")))))\n"""
        for name, change in {**KINDS, **GREY}.items():
            grey = "(gimp-image-convert-grayscale image)" if name in GREY else ""
            for step, call in (("before", ""), ("after", TRANSFER), ("layers", SEPARATE)):
                job += f"""(run-case "{name}-{step}" (lambda () (let ((image (scene 0 0))) {grey} {change} {call}
                  (gimp-item-set-visible (car (reverse (layers image))) no)
                  (export image "{name}-{step}.png"))))\n"""
        for step, call in (("before", ""), ("after", TRANSFER), ("layers", SEPARATE)):
            job += f"""(run-case "faint-{step}" (lambda () (let ((image (scene 0 0)))
              (gimp-layer-set-opacity (target-of image) 40) {call}
              (gimp-item-set-visible (car (reverse (layers image))) no)
              (export image "faint-{step}.png"))))\n"""
        job += f"""(run-case "separate" (lambda () (let* ((image (scene 0 0)) (layer {SEPARATE}))
            (report-result image layer)
            (say "parasite" (parasite layer))
            (describe image (layers image)))))\n"""
        job += f"""(run-case "in-group" (lambda () (let* ((image (scene 0 0)) (target (target-of image)) (source (source-of image))
              (folder (group image "folder")))
            (gimp-image-insert-layer image folder 0 0)
            (gimp-image-reorder-item image target folder 0)
            (report-result image (geometry-transfer image target source (list "preset" "instant")))
            (describe image (layers image)))))
          (run-case "of-group" (lambda () (let* ((image (scene 0 0)) (target (target-of image)) (source (source-of image))
              (folder (group image "folder")))
            (gimp-image-insert-layer image folder 0 0)
            (gimp-image-reorder-item image target folder 0)
            (let ((layer (geometry-transfer image folder source (list "preset" "instant"))))
              (report-result image layer)
              (gimp-item-set-visible source no)
              (export image "of-group.png")))))
          (run-case "reference-group" (lambda () (let* ((image (scene 0 0)) (source (source-of image)) (folder (group image "folder")))
            (gimp-image-insert-layer image folder 0 2)
            (gimp-image-reorder-item image source folder 0)
            (geometry-transfer image (target-of image) folder (list "preset" "instant"))
            (gimp-item-set-visible folder no)
            (export image "reference-group.png"))))
          (run-case "layer-mask" (lambda () (let* ((image (scene 0 0)) (target (target-of image)))
            (gimp-layer-add-mask target (car (gimp-layer-create-mask target ADD-MASK-BLACK)))
            {TRANSFER}
            (gimp-layer-remove-mask (parent target) MASK-DISCARD)
            (gimp-item-set-visible (car (reverse (layers image))) no)
            (export image "layer-mask.png"))))
          (run-case "other-image" (lambda () (let* ((other (scene 0 0)) (image (open-image (file "target.png"))))
            (report-result image (geometry-transfer image (car (layers image)) (source-of other) (list "preset" "instant")))
            (export image "other-image.png"))))
          (run-case "several" (lambda () (let* ((image (scene 0 0)) (source (source-of image)) (more (open-layer image (file "source.png"))))
            (gimp-image-insert-layer image more 0 2)
            (gimp-layer-add-mask more (car (gimp-layer-create-mask more ADD-MASK-SELECTION)))
            (gimp-layer-set-offsets more 70 40)
            (let ((layer (geometry-transfer image (target-of image) source
                           (list "preset" "instant" "references" (string-append (number->string more) " geometry 0.5")))))
              (report-result image layer)
              (say "parasite" (parasite layer))
              (say "tattoo" (car (gimp-item-get-tattoo more))))
            (gimp-item-set-visible source no)
            (gimp-item-set-visible more no)
            (export image "several.png"))))
          (run-case "twice" (lambda () (let ((image (scene 0 0)))
            (let* ((target (target-of image)) (source (source-of image))
                   (first (geometry-transfer image target source (list "preset" "instant"))))
              (geometry-transfer image target source (list "preset" "instant" "shift-x" 40))
              (describe image (layers image))
              (gimp-item-set-visible source no)
              (export image "twice.png")))))"""
        cls.cases, cls.printed = cls.gimp.job(job)

    @classmethod
    def tearDownClass(cls): cls.gimp.close()

    def case(self, name):
        self.assertIn(name, self.cases, self.printed)
        case = self.cases[name]
        self.assertEqual(case.get("finished"), "yes", self.printed)
        return case

    def picture(self, name): return gimp.read(self.gimp.path(name + ".png"))[..., :3].astype(np.int64)

    def test_one_layer_above_the_target(self):
        case = self.case("plain")
        self.assertEqual(case["name"], "Geometry from dent")
        self.assertEqual(case.all("layer"), ["Geometry from dent", "wall", "dent"])
        self.assertEqual((case["active"], case["parent"], case["position"], case["dirty"]), ("yes", "none", "0", "yes"))

    def test_cropped_to_the_feathered_selection(self):
        x, y, width, height = map(int, self.case("plain")["area"].split())
        # A disc of radius 26 around (70, 60), plus at most 3 pixels of feather.
        self.assertTrue(40 <= x <= 44 and 30 <= y <= 34, (x, y))
        self.assertTrue(53 <= width <= 60 and 53 <= height <= 60, (width, height))

    def test_offsets_of_reference_and_selection(self):
        x, y, width, height = map(int, self.case("plain")["area"].split())
        self.assertEqual(list(map(int, self.case("shifted")["area"].split())), [x + 30, y - 15, width, height])

    def changed(self, before, after):
        return np.abs(before - after).max(axis=2) > 0

    def beyond(self, picture):
        """Pixels that no feather reaches. Pixels that are equal in 8 bits are not enough, because 16 bits show
        smaller changes."""
        ys, xs = np.indices(picture.shape[:2])
        return np.hypot(xs - 70, ys - 60) > 26 + 4

    def test_the_target_outside_is_untouched_and_inside_is_dented(self):
        before, after = self.target.astype(np.int64) * 257, self.picture("plain")
        changed = self.changed(before, after)
        ys, xs = np.nonzero(changed)
        self.assertLessEqual(np.hypot(xs - 70, ys - 60).max(), 26 + 4)
        inside = self.mask[:140, :150] > 0
        darker = (before[:140, :150][inside].mean() - after[:140, :150][inside].mean()) / 65535
        self.assertGreater(darker, 0.05)

    def test_every_precision_and_profile_gives_the_same_picture(self):
        plain = self.picture("u8-after")
        for name in KINDS:
            with self.subTest(name):
                self.case(name + "-before")
                self.case(name + "-after")
                difference = np.abs(self.picture(name + "-after") - plain)
                outside = self.beyond(plain)
                # wide-u8 converts twice in 8 bits. The others differ by at most one step of 8 bits.
                limit = 4 if name == "wide-u8" else 2
                self.assertLessEqual(difference[~outside].max() / 257, limit)
                self.assertFalse(self.changed(self.picture(name + "-before"), self.picture(name + "-after"))[outside].any())

    def test_grey_images(self):
        plain = self.picture("grey-after")
        outside = self.beyond(plain)
        self.assertGreater(self.changed(self.picture("grey-before"), plain).sum(), 1000)
        for name in GREY:
            with self.subTest(name):
                self.case(name + "-after")
                self.assertLessEqual(np.abs(self.picture(name + "-after") - plain).max() / 257, 2)
                self.assertFalse(self.changed(self.picture(name + "-before"), self.picture(name + "-after"))[outside].any())

    def test_separate_layers_give_the_same_picture(self):
        for name in [*KINDS, *GREY, "faint"]:
            with self.subTest(name):
                self.case(name + "-layers")
                difference = np.abs(self.picture(name + "-layers") - self.picture(name + "-after")) / 257
                # GIMP blends in the profile's own curve, where layers that fit in sRGB fit nearly.
                self.assertLessEqual(difference.max(), 4 if "wide" in name or "profile" in name else 2)

    def test_separate_layers_are_a_group_with_the_results_name(self):
        case = self.case("separate")
        self.assertEqual(case.all("layer")[0], "Geometry from dent")
        self.assertEqual(case.all("layer")[-2:], ["wall", "dent"])
        self.assertIn("Shade", case.all("layer"))
        self.assertEqual((case["active"], case["parent"], case["position"], case["dirty"]), ("yes", "none", "0", "yes"))
        self.assertTrue(case["parasite"].startswith("preset=instant"), "the group holds the settings")

    def test_the_layer_remembers_its_request(self):
        said = self.case("plain")["parasite"]
        self.assertTrue(said.startswith("preset=instant"), said)

    def test_a_target_in_a_group_gets_its_result_there(self):
        case = self.case("in-group")
        self.assertEqual((case["parent"], case["position"]), ("folder", "0"))
        self.assertEqual(case.all("layer"), ["folder", "Geometry from dent", "wall", "dent"])

    def test_groups_as_target_and_as_reference(self):
        self.assertEqual(self.case("of-group")["parent"], "none")
        self.case("reference-group")
        for name in ("of-group", "reference-group"): self.assertTrue((self.picture(name) == self.picture("plain")).all(), name)

    def test_a_layer_mask_does_not_hide_the_target_from_the_transfer(self):
        self.case("layer-mask")
        # GIMP composes the masked target and its result as a group: one step of 8 bits for its rounding.
        self.assertLessEqual(np.abs(self.picture("layer-mask") - self.picture("plain")).max() / 257, 1)

    def test_a_reference_in_another_image_brings_its_selection(self):
        x, y, width, height = map(int, self.case("other-image")["area"].split())
        self.assertTrue(abs(x + width / 2 - 100) <= 1 and abs(y + height / 2 - 80) <= 1, "in the middle of the target")
        self.assertTrue(self.changed(self.target.astype(np.int64) * 257, self.picture("other-image")).any())

    def test_further_references_are_carried_over_too(self):
        case = self.case("several")
        before, after = self.target.astype(np.int64) * 257, self.picture("several")
        inside = self.mask[:120, :130] > 0  # the part of the second dent that lies on the target
        darker = lambda x, y: ((before - after)[y:, x:][:120, :130][inside].mean()) / 65535
        self.assertGreater(darker(0, 0), 0.05)
        self.assertGreater(darker(70, 40), 0.05)
        ys, xs = np.nonzero(self.changed(before, after))
        self.assertLessEqual(np.minimum(np.hypot(xs - 70, ys - 60), np.hypot(xs - 140, ys - 100)).max(), 26 + 4)
        # The note has several lines. GIMP prints them unchanged.
        self.assertIn(f"\nfurther-layers={case['tattoo']} geometry 0.5\n", self.printed)

    def test_it_is_blended_as_the_preview_shows_it(self):
        # 2 is perceptual in 2.10 and non-linear RGB in 3.0. Linear light (0, the default) would lose a feathered
        # shadow.
        for name in IN_LAYOUTS: self.assertEqual(self.case(name)["blending"], "2")

    def test_two_transfers_one_target(self):
        self.assertEqual(self.case("twice").all("layer"), ["Geometry from dent #1", "Geometry from dent", "wall", "dent"])


# Refusals: the Scheme that fails, and words of the message.
REFUSED = {
    "nothing selected": ("(gimp-selection-none image)", TRANSFER, ["Nothing is selected", "dent"]),
    "no reference": ("", "(geometry-transfer image target none (list \"preset\" \"instant\"))", ["reference layer"]),
    "target as reference": ("", "(geometry-transfer image target target (list \"preset\" \"instant\"))", ["wall", "another layer"]),
    "the selection as target": ("", "(geometry-transfer image (car (gimp-image-get-selection image)) source (list \"preset\" \"instant\"))",
                                ["choose a layer"]),
    "a layer mask as target": ("(gimp-layer-add-mask target (car (gimp-layer-create-mask target ADD-MASK-WHITE)))",
                               "(geometry-transfer image (car (gimp-layer-get-mask target)) source (list \"preset\" \"instant\"))",
                               ["choose a layer"]),
    "an indexed image": ("(gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 64 no no \"\")", TRANSFER,
                         ["indexed", "RGB"]),
    "a floating selection": ("(float-selection target)", TRANSFER, ["floating selection"]),
    "a reference twice": ("", """(geometry-transfer image target source
                              (list "preset" "instant" "references" (number->string source)))""", ["dent", "twice"]),
    "no references": ("", '(geometry-transfer image target source (list "preset" "instant" "references" "dent"))', ['"dent"', "semicolon"]),
    "outside the target": ("", "(geometry-transfer image target source (list \"preset\" \"instant\" \"shift-x\" 5000))", ["target"]),
    "a number out of range": ("", "(geometry-transfer image target source (list \"preset\" \"instant\" \"colour-strength\" 7))",
                              ["colour-strength"]),
    "an unknown word": ("", "(geometry-transfer image target source (list \"preset\" \"instamt\"))", ["instamt"]),
    "no such model": ("", "(geometry-transfer image target source (list \"preset\" \"draft\" \"model\" \"/nowhere/model\"))",
                      ["/nowhere/model"]),
}
if not gimp.TWO:
    # GIMP 3.0's Script-Fu has no gimp-selection-float. For an unknown word of a choice it prints a warning and takes
    # the default, so the plug-in never sees it.
    for name in ("a floating selection", "an unknown word"): del REFUSED[name]


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gimp = gimp.Gimp()
        gimp.make_scene(cls.gimp.folder)
        job = ""
        for name, (before, call, _) in REFUSED.items():
            job += f"""(run-case "{name}" (lambda () (let* ((image (scene 0 0)) (target (target-of image)) (source (source-of image)))
              {before}
              (clean image)
              (let ((count (length (layers image))))
                (say "answer" (if (catch #f {call}) "a layer" "refused"))
                (say "layers" (- (length (layers image)) count))
                (say "dirty" (dirty? image))))))\n"""
        cls.cases, cls.printed = cls.gimp.job(job)

    @classmethod
    def tearDownClass(cls): cls.gimp.close()

    def test_each_says_why_and_leaves_the_image_alone(self):
        for name, (_, _, words) in REFUSED.items():
            with self.subTest(name):
                self.assertIn(name, self.cases, self.printed)
                case = self.cases[name]
                self.assertEqual((case.get("finished"), case.get("answer")), ("yes", "refused"), self.printed)
                # Clean means that nothing was pushed on the undo stack.
                self.assertEqual((case["layers"], case["dirty"]), ("0", "no"))
                if gimp.TWO or name not in CHECKED_BY_GIMP_3:
                    for word in words: self.assertIn(word, " ".join(case.errors), self.printed)


# GIMP 3 refuses these itself, before the plug-in is called.
CHECKED_BY_GIMP_3 = ("a number out of range", "an indexed image")


class Process(unittest.TestCase):
    """Tests which libraries the plug-in's process loads, and how GIMP starts with it."""

    def test_the_program_links_no_heavy_library(self):
        program = os.path.join(gimp.PLUGIN, "geometry-transfer", "geometry-transfer")
        needed = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
        self.assertIn("libgimp", needed)
        self.assertNotRegex(needed, r"lib(torch|opencv|openblas|c10)[._-]")

    def loaded(self, folder, program):
        """Names of the shared objects that processes of that program opened."""
        found, seen = set(), False
        for name in os.listdir(folder):
            text = open(os.path.join(folder, name), errors="replace").read()
            if program not in text: continue
            seen = True
            found |= set(re.findall(r"calling init: \S*/([^/\s]+)", text))
        self.assertTrue(seen, "the program ran")
        return found

    def test_neither_gimps_start_nor_instant_opens_the_model_library(self):
        session = gimp.Gimp()
        self.addCleanup(session.close)
        gimp.make_scene(session.folder)
        for name, job in (("start", '(say "case" "none")'),
                          ("instant", f'(run-case "instant" (lambda () (let ((image (scene 0 0))) {TRANSFER})))')):
            folder = session.path("ld-" + name)
            os.mkdir(folder)
            cases, printed = session.job(job, LD_DEBUG="files", LD_DEBUG_OUTPUT=os.path.join(folder, "ld"))
            found = self.loaded(folder, "geometry-transfer/geometry-transfer")
            self.assertTrue(any("libgimp" in name for name in found))
            self.assertFalse([x for x in found if x.startswith("gegl-common")], "GEGL's operations")
            self.assertFalse([x for x in found if "torch" in x or "c10" in x], name)
            heavy = [x for x in found if "opencv" in x]
            self.assertTrue(heavy) if name == "instant" else self.assertEqual(heavy, [])
        self.assertEqual(cases["instant"]["finished"], "yes", printed)


if __name__ == "__main__":
    tap.main()
