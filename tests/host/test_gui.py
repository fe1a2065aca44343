# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialog in real GIMP under Xvfb: from the menu, by keyboard and mouse. Screenshots stay in the build folder."""
import contextlib
import os
import re
import signal
import subprocess
import time
import unittest

import numpy as np

import gimp
import screen
import tap
import tracing

ARTEFACTS = os.environ.get("GT_ARTEFACTS", "screenshots")
DIALOG = "^Geometry Transfer$"
IMAGE = r"layers?\).*GIMP$"
PREVIEW = np.s_[20:380, 20:420]  # of the dialog's window

# The reference is hidden below the target. A visible reference would swap the sides, see OpenedAsLayers.
OPEN = """(begin (define image (scene 0 0)) (gimp-item-set-visible (source-of image) no) (activate image (target-of image)) (gimp-display-new image) (gimp-displays-flush)
  (clean image))"""
APART = """(begin (define other (open-image (file "source.png"))) (gimp-item-set-name (car (layers other)) "dent")
  (geometry-transfer-select other (file "mask.png"))
  (define image (open-image (file "target.png"))) (gimp-item-set-name (car (layers image)) "wall")
  (gimp-display-new image) (gimp-displays-flush) (clean image))"""
LAYERS = "(number->string (length (layers image)))"
DROPLETS = """(begin (define image (open-image "{0}/plaster.png"))
  (let ((leaf (open-layer image "{0}/leaf.jpg")))
    (gimp-item-set-name (car (layers image)) "plaster")
    (gimp-image-insert-layer image leaf 0 1)
    (gimp-item-set-name leaf "droplets")
    (gimp-item-set-visible leaf no)
    (geometry-transfer-select image "{0}/leaf-mask.png"))
  (activate image (target-of image)) (gimp-display-new image) (gimp-displays-flush))""".format(os.path.join(gimp.HERE, "..", "demo"))


@unittest.skipIf(screen.MISSING, "not installed: " + ", ".join(screen.MISSING))
class OnScreen(unittest.TestCase):
    job, size, environment = OPEN, (1400, 1000), {}

    @classmethod
    def setUpClass(cls):
        cls.screen = screen.Screen(ARTEFACTS, cls.job, cls.size, **cls.environment)
        cls.addClassCleanup(cls.screen.close)
        cls.screen.window(IMAGE, 90)

    def tearDown(self):
        # A failed test must not stop the next one, so its dialog and its transfer are closed.
        for _ in self.screen.windows(DIALOG):
            self.screen.window(DIALOG)
            self.screen.key("Escape")
        for pid in gimp.processes(self.screen.gimp.folder, "geometry-transfer\0-gimp"):
            with contextlib.suppress(ProcessLookupError): os.kill(pid, signal.SIGKILL)
        self.screen.gone(DIALOG)

    def count(self): return int(self.screen.ask(LAYERS).strip('"'))

    def open_dialog(self):
        """Filters > Map > Geometry Transfer..., by mnemonics. Returns the dialog's window and the seconds until it
        came."""
        s = self.screen
        s.window(IMAGE)
        s.key("alt+r")
        s.key("m")
        s.shot("menu")
        start = time.monotonic()
        s.xdo("key", "g")
        window = gimp.until("the dialog", lambda: s.windows(DIALOG), 30)[-1]
        seconds = time.monotonic() - start
        s.xdo("windowactivate", "--sync", window)
        # The first preview, or its message, comes after the window. Until then that place is plain grey.
        gimp.until("the preview", lambda: s.shot("opening", window)[20:300, 20:420].std() > 3, 30)
        return window, seconds

    def on_screen(self, window):
        """Moves the window so that all its buttons can be reached."""
        def inside():
            width, height = self.screen.geometry(window)[2:]
            # By the pointer, because xdotool counts the frame twice in a window's place.
            self.screen.xdo("mousemove", "--window", window, 0, 0)
            x, y = map(int, re.findall(r"\d+", self.screen.xdo("getmouselocation"))[:2])
            return x >= 0 and y >= 0 and x + width <= self.size[0] and y + height <= self.size[1] and (width, height)
        try: return gimp.until("the window to be on the screen", inside, 10)
        except AssertionError as e: raise AssertionError(self.screen.geometry(window)) from e

    def active(self): return self.screen.ask("(number->string (active image))")

    def note_of_the_next_after(self, layer):
        """The result's settings. The plug-in selects the result last."""
        gimp.until("the result", lambda: self.active() not in (layer, '"-1"'), 60)
        note = lambda: self.screen.ask("(text (parasite (active image)))")
        gimp.until("its note", lambda: note() != '"no"', 60)  # GIMP 2.10 makes a new layer active before it has one
        return note()

    def choose_instant(self):
        """The list of qualities is the second widget. Home chooses its first row, Instant."""
        self.screen.key("alt+q", "Home")


class Dialog(OnScreen):
    def test_1_from_the_menu_to_a_layer_and_undone_at_once(self):
        s = self.screen
        self.assertEqual(self.count(), 2)
        window, seconds = self.open_dialog()
        print(f"# dialog after {seconds:.2f} s", flush=True)
        self.choose_instant()
        before = s.settled("dialog", window, PREVIEW)
        # The preview on the left shows a picture, not the grey of a message.
        self.assertGreater(before[20:300, 60:400].std(), 3)

        s.drag(window, (330, 360), (390, 380))  # far from the rotation handle
        moved = s.settled("dragged", window, PREVIEW, unlike=before)  # the preview follows the mouse
        s.key("alt+p")
        s.settled("compare", window, PREVIEW, unlike=moved)  # the bare target on one side
        s.key("alt+o")
        s.gone(DIALOG)
        # The plug-in selects the new layer last, when it is filled.
        gimp.until("the new layer", lambda: self.count() == 3 and "yes" in s.ask("(text (= (active image) (car (layers image))))"), 120)
        time.sleep(1)  # until the canvas is painted
        s.shot("result")
        x, y, width, height = map(int, s.ask(
            '(let* ((l (car (layers image))) (at (offsets l))) (text (list (car at) (cadr at) (width l) (height l))))').strip('"').split())
        # The drag moved it right and down, by 60 and 20 widget pixels in canvas units.
        self.assertGreater(x + width / 2 - 70, 10)
        self.assertGreater(y + height / 2 - 60, 2)
        self.assertIn("Geometry from dent", s.ask("(car (gimp-item-get-name (car (layers image))))"))

        # Filters > Repeat on the result makes the same result in its place, without a dialog.
        place = "(text (list (offsets (car (layers image))) (width (car (layers image))) (height (car (layers image)))))"
        first, layer = s.ask(place), self.active()
        s.window(IMAGE)
        s.key("ctrl+f")
        gimp.until("the repeated layer", lambda: self.active() != layer, 60)
        self.assertEqual(self.count(), 3)
        self.assertEqual(s.ask(place), first)
        s.key("ctrl+z")
        gimp.until("the first result again", lambda: s.ask("(number->string (car (layers image)))") == layer, 20)

        s.window(IMAGE)
        s.key("ctrl+z")
        gimp.until("undo", lambda: self.count() == 2, 20)
        self.assertIn("no", s.ask("(text (dirty? image))"), "one undo step takes all of it back")

    def test_2_cancel_leaves_the_image_alone(self):
        s = self.screen
        self.open_dialog()
        s.key("Escape")
        s.gone(DIALOG)
        self.assertEqual(self.count(), 2)
        self.assertIn("no", s.ask("(text (dirty? image))"))

    def test_3_last_values_come_back_and_reset_forgets_them(self):
        s = self.screen
        window, _ = self.open_dialog()
        again = s.settled("last-values", window, PREVIEW)
        s.key("alt+r")
        s.settled("reset", window, PREVIEW, unlike=again)
        s.key("Escape")
        s.gone(DIALOG)

    @unittest.skipUnless(os.environ.get("GT_MODEL"), "without libtorch nothing takes long enough")
    def test_4_cancelled_while_it_runs_the_image_is_as_before(self):
        s = self.screen
        running = lambda: gimp.processes(s.gimp.folder, "geometry-transfer\0-gimp")
        idle = s.shot("idle")
        self.open_dialog()
        s.key("alt+q", "Home", "Down")  # Paper takes minutes; Down skips what is greyed
        s.key("alt+o")
        s.gone(DIALOG)
        gimp.until("the model", lambda: gimp.processes(s.gimp.folder, "--geometry-transfer-worker"))
        x, y, width, height = s.geometry(s.window(IMAGE))
        # The Cancel button appears at the right end of the status bar.
        bar = np.s_[y + height - 40:y + height, x:x + width]
        came = lambda: np.nonzero(np.abs(s.shot("progress") - idle)[bar].max(axis=2) > 20)
        gimp.until("the button", lambda: (came()[1] > 0.65 * width).any())
        ys, xs = came()
        self.assertTrue(running())
        start = time.monotonic()
        s.xdo("mousemove", x + xs.max() - 15, y + height - 40 + int(np.median(ys[xs > xs.max() - 40])), "click", 1)
        gimp.until("the transfer to end", lambda: not running(), 30)
        print(f"# cancelled after {time.monotonic() - start:.2f} s", flush=True)
        s.shot("cancelled")
        self.assertEqual(self.count(), 2)
        self.assertIn("no", s.ask("(text (dirty? image))"))
        # Redo still works for what the first test undid, so the undo history was not touched.
        s.key("ctrl+y")
        gimp.until("redo", lambda: self.count() == 3, 20)
        s.key("ctrl+z")
        gimp.until("undo", lambda: self.count() == 2, 20)

    def test_5_without_a_selection_the_dialog_says_what_to_do(self):
        s = self.screen
        s.ask("(begin (gimp-selection-none image) (gimp-displays-flush))")
        window, _ = self.open_dialog()
        s.shot("no-selection", window)
        s.key("alt+o")
        s.gone(DIALOG)
        time.sleep(1.5)
        s.shot("no-selection-message")
        for _ in s.windows("^GIMP Message$"):  # it would cover the next test's dialog
            s.window("^GIMP Message$")
            s.key("Escape")
        self.assertEqual(self.count(), 2)

    def test_6_a_further_reference(self):
        s = self.screen
        s.ask("""(let ((more (open-layer image (file "source.png"))))
                   (gimp-image-insert-layer image more 0 2)
                   (gimp-item-set-visible more no)
                   (geometry-transfer-select image (file "mask.png"))
                   (gimp-layer-add-mask more (car (gimp-layer-create-mask more ADD-MASK-SELECTION)))
                   (gimp-layer-set-offsets more 60 40)
                   (activate image (target-of image))
                   (gimp-displays-flush))""")
        before = self.active()
        window, _ = self.open_dialog()
        self.choose_instant()
        one = s.settled("one-reference", window, PREVIEW)
        s.key("alt+n")
        s.settled("two-references", window, PREVIEW, unlike=one)
        s.key("alt+o")
        s.gone(DIALOG)
        self.assertIn("further-layers=", self.note_of_the_next_after(before))
        # Repeat on the result keeps the further reference.
        before = self.active()
        s.window(IMAGE)
        s.key("ctrl+f")
        self.assertIn("further-layers=", self.note_of_the_next_after(before))

    def test_7_models_that_were_found(self):
        s = self.screen
        folder = s.gimp.path("ComfyUI/models/checkpoints")
        os.makedirs(folder)
        with open(os.path.join(folder, "broken.safetensors"), "w") as f: f.write("nothing of a model")
        os.symlink(os.path.join(gimp.HERE, "..", "golden", "sd15"), os.path.join(folder, "small"))
        window, _ = self.open_dialog()
        self.choose_instant()
        s.key("alt+q", "alt+Down")
        s.settled("qualities", "root", np.s_[:, :])
        s.key("Escape", "alt+d", "alt+Down")
        s.settled("models", "root", np.s_[:, :])
        s.key("Escape", "alt+d", "End")
        s.shot("model-chosen", window)
        before = self.active()
        s.key("alt+x", "ctrl+a", "7", "alt+o")  # a half-typed number counts, too
        s.gone(DIALOG)
        note = self.note_of_the_next_after(before)
        self.assertIn(f"model={folder}/small", note)
        # Instant was the default of the model before, and was not chosen.
        self.assertIn("preset=balanced" if os.environ.get("GT_MODEL") else "preset=instant", note)
        self.assertIn("shift-x=7", note)

    @unittest.skipIf(os.environ.get("GT_MODEL"), "the diffusion part is there")
    def test_8_without_the_diffusion_part_only_instant_can_be_chosen(self):
        s = self.screen
        s.ask("(begin (activate image (target-of image)) (gimp-displays-flush))")
        before = self.active()
        window, _ = self.open_dialog()
        s.key("alt+r", "alt+q", "alt+Down")
        s.settled("qualities-without-the-diffusion-part", "root", np.s_[:, :])
        s.key("Escape", "alt+q", "End")  # goes to the last row that is not greyed
        s.settled("without-the-diffusion-part", window, np.s_[:, :])
        s.key("alt+o")
        s.gone(DIALOG)
        self.assertIn("preset=instant", self.note_of_the_next_after(before))

    @unittest.skipUnless(os.environ.get("GT_MODEL"), "without libtorch nothing takes long enough")
    def test_8_two_at_once(self):
        s = self.screen
        presets = lambda: re.findall(r"preset=(\w+)", s.ask("(text (map parasite (layers image)))"))
        s.ask('(activate image (named image "wall"))')
        before, notes = self.count(), presets()
        self.open_dialog()
        s.key("alt+r", "alt+q", "Home", "Down", "alt+e", "alt+s", "ctrl+a", "2", "Tab")  # Paper, in two steps
        s.key("alt+o")
        s.gone(DIALOG)
        gimp.until("the model", lambda: gimp.processes(s.gimp.folder, "--geometry-transfer-worker"))
        s.ask('(geometry-transfer image (named image "wall") (named image "dent") (list "preset" "draft"))', 300)
        gimp.until("both layers", lambda: self.count() == before + 2, 300)
        self.assertEqual(sorted(presets()), sorted([*notes, "custom", "draft"]))
        s.window(IMAGE)
        for left in (1, 0):
            s.key("ctrl+z")
            gimp.until("undo", lambda: self.count() == before + left, 20)


class Demo(OnScreen):
    """The photographs of ./run-demo. The documents show the screenshots "demo"."""
    job = DROPLETS

    def test_the_droplets_are_in_the_preview(self):
        s = self.screen
        window, _ = self.open_dialog()
        s.xdo("mousemove", "0", "0")  # so that no tooltip is in the picture
        shown = s.settled("demo", window, PREVIEW)
        s.key("alt+p")
        split = s.settled("demo-compare", window, PREVIEW, unlike=shown)
        # The bare target differs only where the droplets are.
        self.assertLess((np.abs(split - shown)[PREVIEW].max(axis=2) > 20).mean(), 0.2)
        # The picture grows with the window.
        s.xdo("windowsize", window, 1200, 880)
        beyond = np.s_[500:700, 480:620]
        gimp.until("the picture to grow", lambda: s.shot("demo-large", window)[beyond].std() > 3, 20)
        s.key("Escape")
        s.gone(DIALOG)

    def test_what_is_dragged_out_of_the_view_is_followed(self):
        s = self.screen
        s.ask('(begin (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 150 60 40 40) (gimp-displays-flush))')
        window, _ = self.open_dialog()
        shown = s.settled("near", window, PREVIEW)
        light = lambda shot: shot.min(axis=2) > 200
        ys, xs = np.nonzero(light(shown[:400, :440]))
        first = ys < ys.min() + 18  # the rotation handle, above the middle
        ys, xs = ys[first], xs[first]
        handle = np.s_[ys.min() - 2:ys.max() + 3, xs.min() - 2:xs.max() + 3]
        s.drag(window, (60, 400), (420, 400))
        followed = s.settled("followed", window, PREVIEW, unlike=shown)
        self.assertGreater(light(followed[handle]).sum(), 0.5 * len(xs))
        s.key("Escape")
        s.gone(DIALOG)


class OpenedAsLayers(OnScreen):
    """A photograph, another opened as a layer on top, and a selection on it: the whole way to a visible result."""
    job = """(begin (define image (open-image (file "target.png"))) (gimp-item-set-name (car (layers image)) "wall")
      (define crack (open-layer image (file "source.png"))) (gimp-image-insert-layer image crack 0 0) (gimp-item-set-name crack "crack")
      (geometry-transfer-select image (file "mask.png")) (gimp-layer-set-offsets crack 30 15) (gimp-selection-translate image 30 15)
      (activate image crack) (gimp-display-new image) (gimp-displays-flush) (clean image))"""

    def test_1_the_guess_is_shown_and_the_result_is_seen(self):
        s = self.screen
        window, _ = self.open_dialog()
        s.xdo("mousemove", "0", "0")
        self.choose_instant()
        s.settled("opened-as-layers", window, np.s_[:, :])
        layer = self.active()
        s.key("alt+o")
        s.gone(DIALOG)
        note = self.note_of_the_next_after(layer)
        names = s.ask("(text (map (lambda (l) (car (gimp-item-get-name l))) (layers image)))")
        self.assertEqual(names, '"crack Geometry from crack wall"')
        tattoo = lambda name: s.ask(f'(text (car (gimp-item-get-tattoo (named image "{name}"))))')[1:-1]
        self.assertIn(f"target-layer={tattoo('wall')}", note)
        self.assertIn(f"source-layer={tattoo('crack')}", note)
        self.assertIn(s.ask('(text (car (gimp-item-get-visible (named image "crack"))))'), ('"0"', '"no"'))
        time.sleep(1)
        s.shot("opened-as-layers-result")
        s.window(IMAGE)
        s.key("alt+e")  # the Edit menu names the undo step; marching ants never settle behind it
        time.sleep(1)
        s.shot("undo-step")
        s.key("Escape", "Escape")
        s.window(IMAGE)
        s.key("ctrl+z")
        gimp.until("undo", lambda: self.count() == 2, 20)
        self.assertIn("no", s.ask("(text (dirty? image))"), "one undo step, with the reference shown again")
        self.assertIn(s.ask('(text (car (gimp-item-get-visible (named image "crack"))))'), ('"1"', '"yes"'))

    def test_2_swap_exchanges_the_sides(self):
        s = self.screen
        s.ask("(activate image crack)")
        window, _ = self.open_dialog()
        guessed = s.settled("guessed", window, np.s_[:, :])
        s.key("alt+w")
        window = s.window(DIALOG)
        gimp.until("the preview", lambda: s.shot("swapped", window)[20:300, 20:420].std() > 3, 30)
        swapped = s.settled("swapped", window, np.s_[:, :])
        self.assertFalse(swapped.shape == guessed.shape and (swapped == guessed).all())
        s.key("alt+q", "Home")
        layer = self.active()
        s.key("alt+o")
        s.gone(DIALOG)
        note = self.note_of_the_next_after(layer)
        tattoo = s.ask('(text (car (gimp-item-get-tattoo (named image "crack"))))')[1:-1]
        self.assertIn(f"target-layer={tattoo}", note)


class AtAnOffset(OnScreen):
    """Target, reference and selection lie away from the canvas's corner, each by another offset."""
    job = """(begin (define image (open-image (file "target.png"))) (gimp-item-set-name (car (layers image)) "wall")
      (gimp-image-resize image 420 330 90 70)
      (define crack (open-layer image (file "source.png"))) (gimp-image-insert-layer image crack 0 0) (gimp-item-set-name crack "crack")
      (geometry-transfer-select image (file "mask.png")) (gimp-layer-set-offsets crack 130 95) (gimp-selection-translate image 130 95)
      (activate image crack) (gimp-display-new image) (gimp-displays-flush) (clean image))"""

    def test_the_result_is_where_the_selection_is(self):
        s = self.screen
        target = '(text (state-of (list (named image "wall"))))'
        before = s.ask(target)
        window, _ = self.open_dialog()
        self.choose_instant()
        s.settled("at-an-offset", window, np.s_[:, :])
        layer = self.active()
        s.key("alt+o")
        s.gone(DIALOG)
        self.note_of_the_next_after(layer)
        x, y, width, height = map(int, s.ask(
            '(let* ((l (active image)) (at (offsets l))) (text (list (car at) (cadr at) (width l) (height l))))').strip('"').split())
        # The dent's middle is at 70, 60 of its picture.
        self.assertLess(abs(x + width / 2 - 200), 3)
        self.assertLess(abs(y + height / 2 - 155), 3)
        self.assertEqual(s.ask(target), before)
        time.sleep(1)
        s.shot("at-an-offset-result")
        s.window(IMAGE)
        s.key("ctrl+z")
        gimp.until("undo", lambda: self.count() == 2, 20)
        self.assertIn("no", s.ask("(text (dirty? image))"))


class WhatIsActive(OnScreen):
    """A layer mask or a group is active: its layer, or the group as it looks, is the target."""

    def transfer(self, name):
        s = self.screen
        layer = self.active()
        window, _ = self.open_dialog()
        self.choose_instant()
        s.settled(name, window, np.s_[:, :])
        s.key("alt+o")
        s.gone(DIALOG)
        note = self.note_of_the_next_after(layer)
        self.assertIn("Geometry from dent", s.ask("(car (gimp-item-get-name (active image)))"))
        return note

    def test_2_a_group(self):
        s = self.screen
        s.ask("""(begin (define folder (group image "folder")) (gimp-image-insert-layer image folder 0 0)
                   (gimp-image-reorder-item image (named image "wall") folder 0) (activate image folder) (gimp-displays-flush))""")
        note = self.transfer("group-active")
        tattoo = s.ask("(text (car (gimp-item-get-tattoo folder)))")[1:-1]
        self.assertIn(f"target-layer={tattoo}", note)

    def test_1_a_layer_mask(self):
        s = self.screen
        s.ask("""(let ((wall (named image "wall"))) (gimp-layer-add-mask wall (car (gimp-layer-create-mask wall ADD-MASK-WHITE)))
                   (activate image wall) (gimp-layer-set-edit-mask wall yes) (gimp-displays-flush))""")
        tattoo = s.ask('(text (car (gimp-item-get-tattoo (named image "wall"))))')[1:-1]
        self.assertIn(f"target-layer={tattoo}", self.transfer("mask-active"))
        s.window(IMAGE)
        s.key("ctrl+z")
        gimp.until("undo", lambda: "wall dent" in s.ask("(text (map (lambda (l) (car (gimp-item-get-name l))) (layers image)))"), 20)


class InThePreview(OnScreen):
    """Zoom, pan, keys and the wheel."""

    def test_1_zoom_pan_and_keys(self):
        s = self.screen
        window, _ = self.open_dialog()
        self.choose_instant()
        middle = (230, 300)
        s.xdo("mousemove", "--window", window, *middle)
        shown = s.settled("preview-handles", window, PREVIEW)
        s.wheel(window, middle, 4, "ctrl")
        zoomed = s.settled("zoomed", window, PREVIEW, unlike=shown)
        s.drag(window, middle, (280, 340), button=2)
        panned = s.settled("panned", window, PREVIEW, unlike=zoomed)
        s.xdo("click", 1)  # gives the keyboard's focus; nothing moves
        s.key("Right", "Right", "shift+Down")
        s.settled("moved-by-keys", window, PREVIEW, unlike=panned)
        layer = self.active()
        s.key("alt+o")
        s.gone(DIALOG)
        note = self.note_of_the_next_after(layer)
        self.assertIn("shift-x=2", note)
        self.assertIn("shift-y=10", note)
        self.assertIn("scale=1", note)

    def test_2_a_double_click_puts_the_geometry_there(self):
        s = self.screen
        window, _ = self.open_dialog()  # on the result, which is replaced
        before = s.settled("before-double-click", window, PREVIEW)
        s.xdo("mousemove", "--window", window, 330, 380)
        s.xdo("click", "--repeat", 2, "--delay", 60, 1)
        s.settled("double-click", window, PREVIEW, unlike=before)
        layer = self.active()
        s.key("alt+o")
        s.gone(DIALOG)
        note = self.note_of_the_next_after(layer)
        shift = [float(re.search(name + r"=(-?[\d.]+)", note).group(1)) for name in ("shift-x", "shift-y")]
        self.assertGreater(shift[0], 10)
        self.assertGreater(shift[1], 15)

    def test_3_the_wheel_over_the_column_changes_no_value(self):
        s = self.screen
        window, _ = self.open_dialog()
        self.choose_instant()
        s.xdo("mousemove", "--window", window, 5, 5)
        before = s.settled("before-wheel", window, np.s_[:, :])
        height, width = before.shape[:2]
        for y in range(220, height - 60, 15): s.wheel(window, (width - 200, y), 1)
        for y in range(220, height - 60, 15): s.wheel(window, (width - 60, y), 1)
        s.xdo("mousemove", "--window", window, 5, 5)
        time.sleep(1)
        after = s.settled("after-wheel", window, np.s_[:, :])
        # GTK 3 shows a bar at the right edge while a column that does not fit is scrolled.
        self.assertLess((np.abs(after - before)[:, :-24].max(axis=2) > 40).sum(), 20)


class GoingOn(OnScreen):
    """Apply makes a layer and keeps the dialog; copies are made in one go."""

    def test_1_two_placements_and_close(self):
        s = self.screen
        window, _ = self.open_dialog()
        self.choose_instant()
        before = s.settled("before-apply", window, PREVIEW)
        s.key("alt+a")
        gimp.until("the first layer", lambda: self.count() == 3, 60)
        s.drag(window, (330, 360), (390, 380))
        s.settled("applied-and-moved", window, PREVIEW, unlike=before)
        s.key("alt+a")
        gimp.until("the second layer", lambda: self.count() == 4, 60)
        s.key("alt+o")  # nothing has changed since: no third layer
        s.gone(DIALOG)
        time.sleep(1)
        self.assertEqual(self.count(), 4)
        for left in (3, 2):
            s.window(IMAGE)
            s.key("ctrl+z")
            gimp.until("undo", lambda: self.count() == left, 20)
        self.assertIn("no", s.ask("(text (dirty? image))"))

    def test_2_copies_in_one_step(self):
        s = self.screen
        s.ask("(begin (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 60 50 20 20) (gimp-displays-flush))")
        window, _ = self.open_dialog()
        self.choose_instant()
        s.key("alt+i", "ctrl+a", "3", "Tab")
        s.settled("copies", window, np.s_[:, :])
        s.key("alt+o")
        s.gone(DIALOG)
        gimp.until("the layers", lambda: self.count() == 5, 60)
        time.sleep(1)
        s.shot("copies-result")
        s.window(IMAGE)
        s.key("ctrl+z")
        gimp.until("undo", lambda: self.count() == 2, 20)


class OneLayer(OnScreen):
    """Without a reference, the place of the preview says what to do and has the button to open a file."""
    job = """(begin (define image (open-image (file "target.png"))) (gimp-display-new image) (gimp-displays-flush) (clean image))"""

    def test_what_to_do_and_a_selection_that_is_made_then(self):
        s = self.screen
        window, _ = self.open_dialog()
        first = s.settled("one-layer", window, np.s_[:, :])
        # Another image is opened separately. The dialog is called again and takes it.
        s.key("Escape")
        s.gone(DIALOG)
        s.ask("""(begin (define other (open-image (file "source.png"))) (gimp-image-select-ellipse other CHANNEL-OP-REPLACE 40 30 60 60))""")
        window, _ = self.open_dialog()
        shown = s.settled("other-image-guessed", window, np.s_[:, :])
        self.assertFalse(shown.shape == first.shape and (shown == first).all())
        # A selection that changes while the dialog is open is noticed.
        before = s.settled("selection-before", window, PREVIEW)
        s.ask("(gimp-image-select-ellipse other CHANNEL-OP-REPLACE 60 40 30 30)")
        s.settled("selection-after", window, PREVIEW, unlike=before)
        s.key("Escape")
        s.gone(DIALOG)


class OtherImage(OnScreen):
    """The reference is in another image."""
    job = APART

    def test_1_it_is_brought_in_and_not_needed_again(self):
        s = self.screen
        before = self.active()
        window, _ = self.open_dialog()
        self.choose_instant()
        s.settled("brought-in", window, np.s_[:, :])  # the default
        s.key("alt+o")
        s.gone(DIALOG)
        first = self.note_of_the_next_after(before)
        self.assertEqual(self.count(), 3)
        copy = "(caddr (layers image))"
        self.assertEqual(s.ask(f"(text (list (car (gimp-item-get-name {copy})) (width {copy}) (height {copy})))"), '"dent 150 140"')
        self.assertIn(s.ask(f"(text (car (gimp-item-get-visible {copy})))"), ('"0"', '"no"'))
        self.assertIn(f"source-layer={s.ask(f'(text (car (gimp-item-get-tattoo {copy})))')[1:-1]}", first)
        place = lambda layer: s.ask(f"(text (list (offsets {layer}) (width {layer}) (height {layer})))")
        made = place("(active image)")

        s.ask("(gimp-image-delete other)")
        layer = self.active()
        s.window(IMAGE)
        s.key("ctrl+f")  # Repeat
        self.note_of_the_next_after(layer)
        self.assertEqual(place("(active image)"), made)
        s.window(IMAGE)
        s.key("ctrl+shift+f")  # Re-show
        window = s.window(DIALOG)
        gimp.until("the preview", lambda: s.shot("re-shown", window)[20:300, 20:420].std() > 3, 30)
        s.key("Escape")
        s.gone(DIALOG)
        for left in (3, 1):  # the copy is removed with its result
            s.window(IMAGE)
            s.key("ctrl+z")
            gimp.until("undo", lambda: self.count() == left, 20)
        self.assertIn("no", s.ask("(text (dirty? image))"))


@unittest.skipUnless(tracing.can_trace(), "strace is missing or not allowed here")
class KilledWhileBringingIn(OnScreen):
    """Kills the plug-in at the last messages to GIMP, where copy and result are inserted. GIMP closes the open undo
    group. The image is then unchanged, or one undo step away."""
    job = APART

    def test_where_the_image_begins_to_change(self):
        self.assertEqual(self.ended_at(0), (3, True))
        total, seen = self.messages, {}  # by the number of messages before the last

        def changed(back):
            seen[back] = self.ended_at(max(1, total - back))
            return seen[back][1]

        early = 8
        while changed(early): early *= 2
        late = early // 2
        while early - late > 1:
            middle = (early + late) // 2
            if changed(middle): late = middle
            else: early = middle
        for back in range(late - 1, late - 8, -1):
            if back not in seen: changed(back)
        print(f"# killed so many before the last of {total} messages: layers and whether undo was needed", dict(sorted(seen.items())), flush=True)
        self.assertTrue({(3, True), (1, False)} <= set(seen.values()))

    def ended_at(self, message):
        """Layers afterwards, and whether there was something to undo. Also checks that one undo step restores the
        image. 0: not killed."""
        s = self.screen
        before = s.ask("(state-of (layers image))")
        self.open_dialog()
        self.choose_instant()
        plug_in, = gimp.processes(s.gimp.folder, "geometry-transfer\0-gimp")
        calls = s.gimp.path("calls")
        how = ["-e", f"inject=write:signal=KILL:when={message}"] if message else []
        with subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=write", *how, "-o", calls, "-p", str(plug_in)]) as tracer:
            gimp.until("the tracer", lambda: "TracerPid:\t0" not in open(f"/proc/{plug_in}/status").read(), 10)
            s.key("alt+o")
            tracer.wait(60)
        if not message:
            with open(calls) as f: self.messages = len([line for line in f if "write(" in line])
        s.gone(DIALOG)
        layers, changed = self.count(), "yes" in s.ask("(text (dirty? image))")
        if changed:
            s.window(IMAGE)
            s.key("ctrl+z")
        gimp.until("the image as it was", lambda: "no" in s.ask("(text (dirty? image))"), 20)
        self.assertEqual(s.ask("(state-of (layers image))"), before)
        return layers, changed


class Sliders(OnScreen):
    """Scale is a logarithmic slider: halfway from 4 to its left end is about 1."""

    def test_the_slider_and_the_number_follow_each_other(self):
        s = self.screen
        layer = self.active()
        window, _ = self.open_dialog()
        self.choose_instant()
        s.key("alt+l")
        s.xdo("mousemove", "0", "0")  # no tooltip in the picture
        before = s.settled("scale-1", window, np.s_[:, :])
        s.key(*["Page_Up"] * 6)
        after = s.settled("scale-4", window, np.s_[:, :], unlike=before)
        right = before.shape[1] - 460
        changed = (np.abs(after - before).max(axis=2) > 40)[:, -right:]
        rows = np.nonzero(changed.any(axis=1))[0]
        columns = np.nonzero(changed[rows.min():rows.max() + 1].any(axis=0))[0] + before.shape[1] - right
        # From left to right: the old and the new place of the knob, a gap, and the number.
        parts = np.split(columns, np.nonzero(np.diff(columns) > 15)[0] + 1)
        self.assertGreaterEqual(len(parts), 2)
        y = int((rows.min() + rows.max()) // 2)
        s.drag(window, (int(parts[-2].max()) - 7, y), (int(parts[0].min()) + 7, y))
        s.settled("scale-back", window, np.s_[:, :], unlike=after)
        s.key("alt+o")
        s.gone(DIALOG)
        scale = float(re.search(r"scale=([\d.]+)", self.note_of_the_next_after(layer)).group(1))
        self.assertGreater(scale, 0.75)
        self.assertLess(scale, 1.3)


    def test_a_double_click_on_the_name_resets(self):
        s = self.screen
        s.ask('(activate image (named image "wall"))')
        layer = self.active()
        window, _ = self.open_dialog()
        self.choose_instant()
        s.key("alt+x", "ctrl+a", "9", "Tab", "alt+l")
        s.xdo("mousemove", "0", "0")
        before = s.settled("before-reset", window, np.s_[:, :])
        s.key(*["Page_Up"] * 6)
        after = s.settled("scaled-up", window, np.s_[:, :], unlike=before)
        column = before.shape[1] - 460
        y = int(np.nonzero((np.abs(after - before).max(axis=2) > 40)[:, column:].any(axis=1))[0].mean())
        s.xdo("mousemove", "--window", window, 480, y)
        s.xdo("click", "--repeat", 2, "--delay", 60, 1)
        s.settled("reset-one", window, np.s_[:, :], unlike=after)
        s.key("alt+o")
        s.gone(DIALOG)
        note = self.note_of_the_next_after(layer)
        self.assertIn("\\nscale=1\\n", note)
        self.assertIn("shift-x=9", note, "no other parameter is reset")


class SavedSettings(OnScreen):
    """Saved under a name, they come back for another picture."""

    def test_saved_and_chosen_again(self):
        s = self.screen
        layer = self.active()
        window, _ = self.open_dialog()
        self.choose_instant()
        s.key("alt+f", "ctrl+a", "1", "1", "Tab", "alt+x", "ctrl+a", "7", "Tab")
        # The row is above the list of kinds, which "What is it?" leads to.
        s.key("alt+q", "shift+Tab", "shift+Tab", "space")
        save = s.window("^Save settings$")
        s.xdo("type", "Soft")
        s.shot("save-settings", save)
        s.key("Return")
        s.gone("^Save settings$")
        s.window(DIALOG)
        saved = s.settled("settings-saved", window, np.s_[:, :])
        s.key("alt+f", "ctrl+a", "2", "Tab")  # other settings: no name is shown, and Delete has nothing to delete
        s.settled("settings-changed", window, np.s_[:, :], unlike=saved)
        s.key("alt+q", *["shift+Tab"] * 3, "Down")
        s.settled("settings-chosen", window, np.s_[:, :])
        s.key("alt+o")
        s.gone(DIALOG)
        note = self.note_of_the_next_after(layer)
        self.assertIn("feather=11", note)
        self.assertIn("shift-x=7", note)


class SmallScreen(OnScreen):
    """A small dialog scrolls, and its buttons stay visible."""
    size = (700, 500)

    def test_the_buttons_stay(self):
        s = self.screen
        window, _ = self.open_dialog()
        self.on_screen(window)
        gimp.until("the preview", lambda: s.shot("small", window)[20:200, 20:170].std() > 3, 30)
        s.key("alt+e")
        s.settled("small", window, np.s_[:, :])
        self.on_screen(window)
        s.key("Escape")
        s.gone(DIALOG)


class Tall(OnScreen):
    """The expert page is to be seen at once where there is room."""
    size = (1400, 1600)

    def test_the_expert_page_opens_the_window(self):
        s = self.screen
        window, _ = self.open_dialog()
        before = self.on_screen(window)
        s.key("alt+e")
        gimp.until("the window to grow", lambda: self.on_screen(window)[1] > before[1] + 200, 20)
        s.settled("expert", window, np.s_[:, :])


@unittest.skipIf(gimp.TWO, "GTK 2 does not scale")
class Scaled(OnScreen):
    """A screen at 200 %."""
    size, environment = (2400, 1700), {"GDK_SCALE": "2"}

    def test_the_preview_is_as_fine_as_the_screen(self):
        s = self.screen
        window, _ = self.open_dialog()
        shot = s.settled("scaled", window, np.s_[:, :])
        self.on_screen(window)
        # The target's grain is a pixel wide. Enlarged by two, neighbours would be equal in pairs.
        middle = shot[300:500, 300:600].mean(axis=2)
        pairs = [np.abs(middle[:, o + 1::2][:, :140] - middle[:, o::2][:, :140]).mean() for o in (0, 1)]
        self.assertGreater(min(pairs), 0.3 * max(pairs))
        s.drag(window, (400, 360), (520, 400))
        s.settled("scaled-dragged", window, np.s_[40:760, 40:840], unlike=shot)


if __name__ == "__main__":
    tap.main()
