# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry Transfer on a folder of cases, GIMP 3's Python-Fu, from the shell and without a display:

  gimp-console-3.0 -n -f -i --batch-interpreter python-fu-eval --quit -b \\
      'exec(open("geometry-transfer-batch.py").read()); batch("CASES", "OUTPUT", preset="balanced", feather=5)'

CASES    Each folder in it that holds target.*, source.* and mask.* (png, jpg, tif) is a case. The mask is white where
         the source shows the geometry. Source and mask lie on the target with the same top left.
OUTPUT   It gets NAME.png, the picture, and NAME.xcf, its layers with the selection. It also gets report.txt. That has a
         line "NAME ok" or "NAME failed: why" as each case ends, and a last line like "done 12 failed 0". GIMP exits
         with 0 if there was a case and all went well, else with 64.
The other arguments are those of plug-in-geometry-transfer that are not at their defaults (colour_strength for
colour-strength).

One transfer, in a script of your own. Further references are the numbers of their layers, geometry or texture, and a
weight:

  transfer(image, target, source, preset="draft",
           references=f"{hole.get_id()} geometry 1; {wood.get_id()} texture 0.5")
"""
import os

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gegl, Gimp, Gio


def find(settings):
    """The plug-in's procedure. Raises RuntimeError when it is not there or has no argument of one of these names."""
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-geometry-transfer")
    if procedure is None: raise RuntimeError("The plug-in Geometry Transfer is not installed.")
    for name in settings:
        if procedure.find_argument(name.replace("_", "-")) is None:
            raise RuntimeError(f"Geometry Transfer has no argument of this name: {name}")
    return procedure


def transfer(image, target, source, **settings):
    """The new layer. Raises RuntimeError with the plug-in's message."""
    procedure = find(settings)
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", [target])
    config.set_property("source", source)
    for name, value in settings.items(): config.set_property(name.replace("_", "-"), value)
    values = procedure.run(config)
    if values.index(0) != Gimp.PDBStatusType.SUCCESS: raise RuntimeError(Gimp.get_pdb().get_last_error())
    return values.index(1)


def picture(folder, name):
    """The file name.png, name.jpg ... in the folder, or None."""
    for ending in ("png", "jpg", "jpeg", "tif", "tiff"):
        path = os.path.join(folder, name + "." + ending)
        if os.path.exists(path): return Gio.File.new_for_path(path)
    return None


def needed(result):
    """The result of a call that gives None or False when it failed. Raises RuntimeError with GIMP's message."""
    if not result: raise RuntimeError(Gimp.get_pdb().get_last_error())
    return result


def select(image, file):
    """Replaces the selection by a picture's grey values times its opacity.

    The picture is laid on black, because the component is taken from all layers together."""
    layer = needed(Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, file))
    image.insert_layer(layer, None, 0)
    layer.set_composite_space(Gimp.LayerColorSpace.RGB_NON_LINEAR)
    Gimp.context_push()
    Gimp.context_set_background(Gegl.Color.new("black"))
    layer.flatten()
    Gimp.context_pop()
    grey = image.get_base_type() == Gimp.ImageBaseType.GRAY
    component = Gimp.ChannelType.GRAY if grey else Gimp.ChannelType.RED
    channel = Gimp.Channel.new_from_component(image, component, "mask")
    image.insert_channel(channel, None, 0)
    image.select_item(Gimp.ChannelOps.REPLACE, channel)
    image.remove_channel(channel)
    image.select_rectangle(Gimp.ChannelOps.INTERSECT, 0, 0, layer.get_width(), layer.get_height())
    image.remove_layer(layer)


def run_case(folder, result, **settings):
    """One case: writes result + ".xcf" and result + ".png"."""
    image = needed(Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, picture(folder, "target")))
    try:
        target = image.get_layers()[0]
        source = needed(Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, picture(folder, "source")))
        image.insert_layer(source, None, 1)
        select(image, picture(folder, "mask"))
        transfer(image, target, source, **settings)
        source.set_visible(False)
        for ending in (".xcf", ".png"):
            if ending == ".png":
                Gimp.Selection.none(image)
                image.flatten()
            needed(Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(result + ending), None))
    finally:
        image.delete()


def batch(cases, output, **settings):
    """All cases; raises RuntimeError at the end when one failed or there was none."""
    done = failed = 0
    with open(os.path.join(output, "report.txt"), "w", encoding="utf-8") as report:
        find(settings)
        for name in sorted(os.listdir(cases)):
            folder = os.path.join(cases, name)
            if not all(picture(folder, part) for part in ("target", "source", "mask")): continue
            done += 1
            try:
                run_case(folder, os.path.join(output, name), **settings)
                print(name, "ok", file=report, flush=True)
            except Exception as error:  # the other cases go on
                failed += 1
                print(f"{name} failed:", " ".join(str(error).split()), file=report, flush=True)
        print(f"done {done} failed {failed}" if done else f"done 0 failed: no case in {cases}", file=report)
    if failed: raise RuntimeError(f"Geometry Transfer: {failed} failed, see {output}/report.txt")
    if not done: raise RuntimeError(f"Geometry Transfer: no case in {cases}")
