# SPDX-License-Identifier: GPL-3.0-or-later
"""The files for packagers: the AppStream file, the Flatpak manifest and debian/ against the project."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as xml

import tap

ROOT, VERSION = os.environ["SOURCE"], os.environ["VERSION"]
NAME = "org.gimp.GIMP.Plugin.GeometryTransfer"
FOLDER = os.path.join(ROOT, "plugin", "packaging")
METAINFO, MANIFEST = (os.path.join(FOLDER, NAME + ending) for ending in (".metainfo.xml", ".json"))
# What the Flatpak's runtime or GIMP in it has, by pkg-config's names. Anything else needs a module.
# Of the runtime and of GIMP. The bill of materials asks for some of them by name.
IN_RUNTIME = {"babl", "babl-0.1", "cairo", "dl", "gdk-pixbuf-2.0", "gegl-0.4", "gimpui-3.0", "glib-2.0", "gtk+-2.0", "gtk+-3.0", "lcms2",
              "libjpeg", "libpng", "libtiff-4", "pango", "threads", "yaml-0.1", "zlib"}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f: return f.read()


def manifest():
    with open(MANIFEST, encoding="utf-8") as f: return json.load(f)


class AppStream(unittest.TestCase):
    def test_it_describes_an_addon_of_gimp(self):
        root = xml.parse(METAINFO).getroot()
        self.assertEqual((root.tag, root.get("type")), ("component", "addon"))
        text = lambda tag: root.findtext(tag)
        self.assertEqual((text("id"), text("extends"), text("name")), (NAME, "org.gimp.GIMP", "Geometry Transfer"))
        self.assertEqual((text("project_license"), text("metadata_license")), ("GPL-3.0-or-later", "CC0-1.0"))
        self.assertTrue(text("summary") and not text("summary").endswith("."))
        self.assertTrue(root.findall("description/p"))
        self.assertTrue(os.path.exists(os.path.join(ROOT, "icons", text("icon") + ".svg")))

    def test_the_releases_are_those_of_the_changelogs(self):
        releases = [r.get("version") for r in xml.parse(METAINFO).getroot().findall("releases/release")]
        self.assertEqual(releases[0], VERSION)
        self.assertEqual(releases, re.findall(r"^## (\d[\d.]*)$", read("CHANGELOG.md"), re.M))
        self.assertEqual(releases, re.findall(r"^geometry-transfer \(([\d.]+)\)", read("debian", "changelog"), re.M))

    @unittest.skipUnless(shutil.which("appstreamcli"), "appstreamcli is not installed")
    def test_appstreamcli_accepts_it(self):
        done = subprocess.run(["appstreamcli", "validate", "--no-net", METAINFO], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Flatpak(unittest.TestCase):
    def test_it_is_an_extension_of_gimp_in_a_folder_of_its_own(self):
        it = manifest()
        self.assertEqual((it["id"], it["runtime"], it["build-extension"]), (NAME, "org.gimp.GIMP", True))
        self.assertRegex(it["sdk"], r"^org\.gnome\.Sdk//\d+$")
        options = it["build-options"]
        prefix = "/app/extensions/" + NAME.rsplit(".", 1)[1]
        self.assertEqual(options["prefix"], prefix)
        for key, value in options.items():
            if not key.startswith("prepend-"): continue
            for part in value.split(":"): self.assertTrue(part.startswith(prefix + "/"), key)
        known = {"//", "id", "branch", "runtime", "runtime-version", "sdk", "build-extension", "appstream-compose", "separate-locales",
                 "build-options", "cleanup", "modules"}
        self.assertEqual(set(it) - known, set())

    def test_every_module_can_be_fetched_and_built(self):
        names = [module["name"] for module in manifest()["modules"]]
        self.assertEqual(len(set(names)), len(names))
        for module in manifest()["modules"]:
            with self.subTest(module["name"]):
                self.assertIn(module["buildsystem"], ("meson", "cmake-ninja"))
                self.assertEqual(set(module) - {"name", "buildsystem", "builddir", "config-opts", "post-install", "sources"}, set())
                for option in module["config-opts"]: self.assertRegex(option, r"^-D\w+=\S+$")
                self.assertTrue(module["sources"])
                for source in module["sources"]:
                    if source["type"] == "dir":
                        self.assertTrue(os.path.samefile(os.path.join(FOLDER, source["path"]), ROOT))
                        continue
                    self.assertEqual(set(source), {"type", "url", "sha256"})
                    self.assertEqual(source["type"], "archive")
                    self.assertRegex(source["url"], r"^https://\S+\.tar\.(gz|xz)$")
                    self.assertRegex(source["sha256"], r"^[0-9a-f]{64}$")

    def installed(self, prefix):
        """Configures the tree as the manifest's last module says, and returns what it would install: the places below
        the prefix, and what it asked of the machine."""
        module = manifest()["modules"][-1]
        self.assertEqual(module["name"], "geometry-transfer")
        options = [option.replace(manifest()["build-options"]["prefix"], prefix) for option in module["config-opts"]]
        build = os.path.join(prefix, "build")
        done = subprocess.run(["meson", "setup", build, ROOT, f"--prefix={prefix}", "--libdir=lib", *options], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        asked = lambda what: json.loads(subprocess.run(["meson", "introspect", build, what], capture_output=True, text=True, check=True).stdout)
        # Newer versions of meson list declare_dependency() too, under made-up names and as "internal".
        return list(asked("--installed").values()), {d["name"] for d in asked("--dependencies") if d.get("type") != "internal"}

    def test_the_plug_in_is_built_as_it_says(self):
        with tempfile.TemporaryDirectory() as prefix:
            places, needed = self.installed(prefix)
        for place in places: self.assertTrue(place.startswith(prefix + "/"), place)
        places = {os.path.relpath(place, prefix) for place in places}
        self.assertIn("plug-ins/geometry-transfer/geometry-transfer", places)
        self.assertIn(f"share/metainfo/{NAME}.metainfo.xml", places)
        self.assertIn("lib/libgeometry-transfer-image.so.0", places)
        self.assertEqual([p for p in places if "models" in p or "libgeometry-transfer.so" in p], [], "that needs libtorch")
        modules = {m["name"] for m in manifest()["modules"]}
        brought = {"opencv4": "opencv", "fmt": "fmt", "nlohmann_json": "nlohmann-json", "CLI11": "cli11"}
        for name in needed - IN_RUNTIME:
            if not name.startswith(("gimp", "gtest")): self.assertIn(brought.get(name), modules, name)


if __name__ == "__main__":
    tap.main()
