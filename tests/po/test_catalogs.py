# SPDX-License-Identifier: GPL-3.0-or-later
"""Every marked string of the code is in the template, and every catalog translates all of it."""
import os
import re
import subprocess
import tempfile
import unittest

import tap

ROOT = os.environ["SOURCE"]
PO = os.path.join(ROOT, "po")
KEYWORDS = ["--from-code=UTF-8", "--keyword=_", "--keyword=N_", "--language=C++", "--no-location", "--sort-by-file"]


def entries(path):
    """msgid -> msgstr of a .po or .pot file, without the header and obsolete entries."""
    text = subprocess.run(["msgcat", "--no-wrap", "--no-location", path], capture_output=True, text=True, check=True).stdout
    pairs = re.findall(r'^msgid "(.*)"\nmsgstr "(.*)"$', text, re.M)
    return {a: b for a, b in pairs if a}


def languages():
    with open(os.path.join(PO, "LINGUAS"), encoding="utf-8") as f: return f.read().split()


def mnemonic(text):
    found = re.search(r"_(\w)", text)
    return found.group(1).lower() if found else None


def is_label(text):
    """True for a label with a mnemonic, false for a sentence with an underscore (text_encoder)."""
    return re.search(r"(^|[^\w{])\w*_\w", text) is not None and len(text) < 40 and "{" not in text and '"' not in text


# Mnemonics of GIMP's own button in the dialog, by GIMP's catalogs: "_Help", "_Hilfe", "Aid_e".
HELP = {"en": "h", "de": "h", "fr": "e", "ja": "h", "zh_CN": "h"}


def clashes(labels, taken):
    """The dialog's labels that share a mnemonic with another label. The menu's own entry ("...") is not in the
    dialog."""
    found, seen = [], {taken: "GIMP's Help"}
    for label in (x for x in labels if not x.endswith("...")):
        letter = mnemonic(label)
        if letter in seen: found.append(f"{label} / {seen[letter]}")
        seen[letter] = label
    return found


class Template(unittest.TestCase):
    def test_no_two_labels_of_the_dialog_share_a_letter(self):
        labels = [text for text in entries(os.path.join(PO, "geometry-transfer.pot")) if is_label(text)]
        self.assertGreater(len(labels), 20)
        self.assertEqual(clashes(labels, HELP["en"]), [])

    def test_every_file_with_marked_strings_is_listed(self):
        marked = set()
        for top in ("core", "plugin"):
            for folder, _, names in os.walk(os.path.join(ROOT, top)):
                for name in names:
                    path = os.path.join(folder, name)
                    if not name.endswith((".cpp", ".h")) or path.endswith("core/request/text.h"): continue
                    with open(path, encoding="utf-8") as f:
                        if re.search(r"\bN?_\(\s*\"", f.read()): marked.add(os.path.relpath(path, ROOT))
        with open(os.path.join(PO, "POTFILES.in"), encoding="utf-8") as f: listed = set(f.read().split())
        self.assertEqual(marked, listed)

    def test_the_template_is_what_the_code_says(self):
        with tempfile.TemporaryDirectory() as folder:
            fresh = os.path.join(folder, "fresh.pot")
            subprocess.run(["xgettext", *KEYWORDS, "-o", fresh, "-f", os.path.join(PO, "POTFILES.in")], cwd=ROOT, check=True)
            missing = set(entries(fresh)) ^ set(entries(os.path.join(PO, "geometry-transfer.pot")))
        self.assertFalse(missing, "run: ninja -C build geometry-transfer-pot geometry-transfer-update-po")


class Catalogs(unittest.TestCase):
    def each(self):
        for language in languages():
            with self.subTest(language): yield language, os.path.join(PO, language + ".po")

    def test_each_compiles_and_is_complete(self):
        for _, path in self.each():
            done = subprocess.run(["msgfmt", "--check", "--statistics", "-o", os.devnull, path], capture_output=True, text=True,
                                  env=dict(os.environ, LC_ALL="C"))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("untranslated", done.stderr)
            self.assertNotIn("fuzzy", done.stderr)
            self.assertEqual(set(entries(path)), set(entries(os.path.join(PO, "geometry-transfer.pot"))))

    def test_placeholders_are_the_same(self):
        for _, path in self.each():
            for said, translated in entries(path).items():
                places = [sorted(set(re.findall(r"\{\d*\}", text))) for text in (said, translated)]
                self.assertEqual(places[0], places[1], said)
                self.assertEqual(translated.count("{"), translated.count("}"), said)

    def test_mnemonics_stay_and_stay_apart(self):
        for language, path in self.each():
            labels = {a: b for a, b in entries(path).items() if is_label(a)}
            for said, translated in labels.items(): self.assertIsNotNone(mnemonic(translated), said)
            self.assertEqual(clashes([b for a, b in labels.items() if not a.endswith("...")], HELP[language]), [])

    def test_sentences_end_alike(self):
        for _, path in self.each():
            for said, translated in entries(path).items():
                self.assertEqual(said[-1] in ".", translated[-1] in ".\u3002", said)
                self.assertFalse(translated != translated.strip(), said)


class Spoken(unittest.TestCase):
    def test_the_command_line_speaks_german(self):
        """Reads from an installed tree: PREFIX/bin beside PREFIX/share/locale."""
        with tempfile.TemporaryDirectory() as prefix:
            os.makedirs(os.path.join(prefix, "bin"))
            program = os.path.join(prefix, "bin", "geometry-transfer")
            with open(os.environ["GEOMETRY_TRANSFER"], "rb") as f, open(program, "wb") as to: to.write(f.read())
            os.chmod(program, 0o755)
            for language in languages():
                messages = os.path.join(prefix, "share", "locale", language, "LC_MESSAGES")
                os.makedirs(messages)
                subprocess.run(["msgfmt", "-o", os.path.join(messages, "geometry-transfer.mo"), os.path.join(PO, language + ".po")],
                               check=True)
            for language, word in (("de", "werden gebraucht"), ("fr", "n\u00e9cessaires"), ("ja", "\u5fc5\u8981"), ("zh_CN", "\u9700\u8981")):
                with self.subTest(language):
                    env = dict(os.environ, LANGUAGE=language, LC_ALL="de_DE.UTF-8")
                    done = subprocess.run([program], capture_output=True, text=True, env=env, encoding="utf-8")
                    self.assertEqual(done.returncode, 2)
                    self.assertIn(word, done.stderr)
            done = subprocess.run([program], capture_output=True, text=True, env=dict(os.environ, LANGUAGE="de", LC_ALL="C"))
            self.assertIn("are needed", done.stderr)


if __name__ == "__main__":
    tap.main()
