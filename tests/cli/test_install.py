# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks which files `meson install` puts where, and that they work there."""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import tap
from command import Case

BUILD, PREFIX, LIBDIR = (os.environ[name] for name in ("BUILD", "PREFIX", "LIBDIR"))

INSTALLED = os.path.exists(os.path.join(PREFIX, "share", "geometry-transfer", "models"))


class Install(Case):
    def setUp(self):
        super().setUp()
        self.root = tempfile.mkdtemp(prefix="gt-install-")
        done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", self.root], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.prefix = self.root + PREFIX
        # With DESTDIR the run path points to the final place of the libraries.
        self.env = dict(os.environ, LD_LIBRARY_PATH=self.root + os.path.join(PREFIX, LIBDIR), LC_ALL="C")

    def tearDown(self):
        shutil.rmtree(self.root)
        super().tearDown()

    def program(self, *args, **env):
        return subprocess.run([os.path.join(self.prefix, "bin", "geometry-transfer"), *args], capture_output=True, text=True,
                              encoding="utf-8", env=dict(self.env, **env))

    def test_everything_is_there_and_works(self):
        self.ok(self.program(*self.files(), "--preset", "instant"))
        self.assertTrue((self.read("result.png") != self.target).any())
        self.assertIn("werden gebraucht", self.program(LC_ALL="de_DE.UTF-8", LANGUAGE="de").stderr)

        models = self.ok(self.program("--list-models", HOME=self.folder)).stdout.splitlines()
        self.assertTrue(models[0].startswith("surface ") and self.prefix in models[0], models)
        self.assertEqual(len(models), 1, models)  # a model with a problem would print two lines

        def there(*pattern):
            self.assertTrue(glob.glob(os.path.join(self.prefix, "share", *pattern)), pattern)
        there("geometry-transfer", "geometry-transfer.svg")
        there("icons", "hicolor", "scalable", "apps", "geometry-transfer.svg")
        for language in ("de", "fr", "ja", "zh_CN"): there("locale", language, "LC_MESSAGES", "geometry-transfer.mo")
        for version in os.environ["GIMP_VERSIONS"].split():
            there("geometry-transfer", "scripts", version, "geometry-transfer-batch.scm")
            self.assertTrue(glob.glob(os.path.join(self.root, "**", "plug-ins", "geometry-transfer", "geometry-transfer"), recursive=True))

    @unittest.skipIf(INSTALLED, "an installed diffusion part would be found")
    def test_without_the_diffusion_package(self):
        """With the files of the first Debian package alone, Instant works and the others name the second."""
        shutil.rmtree(os.path.join(self.prefix, "share", "geometry-transfer", "models"), ignore_errors=True)
        for library in glob.glob(self.root + os.path.join(PREFIX, LIBDIR) + "/libgeometry-transfer.so*"): os.remove(library)
        home = dict(HOME=self.folder, XDG_DATA_HOME=self.folder)
        self.ok(self.program(*self.files(), "--preset", "instant", **home))
        os.remove(self.path("result.png"))
        for model in ([], ["--model", os.path.join(os.environ["SOURCE"], "tests", "golden", "sd15")]):
            self.refused(self.program(*self.files(), "--preset", "balanced", *model, **home), "install the package geometry-transfer-diffusion")
        self.assertEqual(self.ok(self.program("--list-models", **home)).stdout, "")

    @unittest.skipIf(INSTALLED, "an installed model would be found")
    def test_without_a_model_the_package_is_named(self):
        shutil.rmtree(os.path.join(self.prefix, "share", "geometry-transfer", "models"))
        self.refused(self.program(*self.files(), "--preset", "balanced", HOME=self.folder, XDG_DATA_HOME=self.folder),
                     "is not installed: install the package geometry-transfer-diffusion, or choose another model")

    def test_for_one_user_everything_is_in_the_home(self):
        home, build = os.path.join(self.folder, "home"), os.path.join(self.folder, "build")
        env = dict(os.environ, HOME=home)
        env.pop("XDG_CONFIG_HOME", None)
        done = subprocess.run(["meson", "setup", build, os.environ["SOURCE"], f"--prefix={home}/.local", "-Dplugindir=user", "-Dtests=false",
                               "-Ddiffusion=disabled"], capture_output=True, text=True, env=env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        places = json.loads(subprocess.run(["meson", "introspect", build, "--installed"], capture_output=True, text=True, check=True).stdout)
        for place in places.values():
            self.assertTrue(place.startswith(home + "/"), place)
            self.assertNotIn("models", place, "nothing here can run one")
        for version in os.environ["GIMP_VERSIONS"].split():
            # GIMP 3.2 uses the SDK 3.0.
            found = [p for p in places.values() if re.fullmatch(re.escape(home) + rf"/\.config/GIMP/{version[0]}\.\d+/plug-ins/geometry-transfer/geometry-transfer", p)]
            self.assertEqual(len(found), 1, places)

    def test_nothing_that_is_installed_points_to_the_build_folder(self):
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.islink(path) or not (os.access(path, os.X_OK) or ".so" in name): continue
                dynamic = subprocess.run(["objdump", "-p", path], capture_output=True, text=True).stdout
                for line in dynamic.splitlines():
                    if "RUNPATH" in line or "RPATH" in line: self.assertNotIn(BUILD, line, path)


if __name__ == "__main__":
    tap.main()
