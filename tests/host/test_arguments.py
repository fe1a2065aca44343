# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls the procedure in real GIMP with random arguments. Each call works or is refused in words, a refusal changes
nothing, and the next call works. The calls are the same every time; GT_CALLS=1000 GT_SEED=7 makes more and
others."""
import os
import random
import re
import subprocess
import unittest

import gimp
import tap

CALLS = int(os.environ.get("GT_CALLS", 30))
SEED = int(os.environ.get("GT_SEED", 1))
WORDS = ["", " ", "instant", "INSTANT", "custom", "/", "/dev/zero", "/proc/self/mem", "/nonexistent/model.safetensors", "..", "%s%n%p",
         "{0} {9}", "a\nb\tc", 'say "yes" \\', "Öl & Wasser <b>", "绘图", "\u202e", "x" * 5000, "1e999", "nan", "-0", "0x10", "1,5"]


def table():
    """Parameter -> what the command line's help says of it ("0 .. 1", "true|false", "TEXT"). The command line reads
    the same table."""
    printed = subprocess.run([os.environ["GT_CLI"], "--help"], capture_output=True, text=True, check=True).stdout
    return dict(re.findall(r"^  --([a-z-]+) (.+?),? default.*$", printed, re.M)) | {"model": "TEXT"}


def literal(value):
    """The value as Scheme reads it."""
    if isinstance(value, bool): return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value != value: return "(- 1e999 1e999)"
    if isinstance(value, (int, float)): return repr(value).replace("inf", "1e999").replace("e+", "e")
    # Script-Fu's reader has a limit for literals.
    parts = [value[i:i + 500].replace("\\", "\\\\").replace('"', '\\"') for i in range(0, len(value), 500)]
    return f'"{parts[0]}"' if len(parts) == 1 else "(string-append " + " ".join(f'"{part}"' for part in parts) + ")"


class Chance(random.Random):
    """Draws mostly valid values, sometimes invalid ones, seldom values of another type."""

    def number(self, low, high):
        odd = [low, high, low - 1, high + 1, 0, -0.0, 0.5, 1e-320, 1e300, -1e300, 2**31, -2**31 - 1, 2**63, float("inf"), float("nan")]
        return self.choice(odd) if self.random() < 0.25 else self.uniform(low, high)

    def value(self, spec):
        if self.random() < 0.05: return self.choice([self.choice(WORDS), self.number(-10, 10), True])
        if " .. " in spec:
            low, high = map(float, spec.split(" .. "))
            value = self.number(low, high)
            return round(value) if high > 2 and abs(value) < 2**31 and self.random() < 0.7 else value
        choices = spec.split("|")
        if choices == ["true", "false"]: return self.random() < 0.5
        return self.choice(choices) if len(choices) > 1 and self.random() < 0.8 else self.choice(WORDS)

    def references(self):
        part = lambda: " ".join(self.choice(["{target}", "{source}", "0", "-1", "7000", "99999999999999999999", "1.5", "geometry",
                                             "texture", "0.5", "nan", "1e9", ""] + WORDS) for _ in range(self.randint(0, 4)))
        good = "{source} " + self.choice(["", "geometry", "texture", "texture 0.5"])
        return self.choice([good, "; ".join(part() for _ in range(self.randint(0, 5))), "1 geometry;" * 3000])

    def call(self, names):
        settings = {name: self.value(names[name]) for name in self.sample(sorted(names), self.randint(0, 8))}
        if self.random() < 0.25: settings["references"] = self.references()
        # Most calls run without the model; those with it run a fraction of a second.
        settings["preset"] = "instant"
        if self.random() < 0.3:
            settings["preset"] = "custom" if self.random() < 0.7 else settings["preset"]
            if self.random() < 0.7: settings["correction"] = 0
            else: settings.update({"steps": self.choice([0, 1, 2]), "iterations": 1, "working-size": 0.25, "device": "cpu"})
        if self.random() < 0.1: settings["preset"] = self.choice(WORDS)
        if settings["preset"] == "": settings["preset"] = " "
        return settings


class Arguments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gimp = gimp.Gimp()
        gimp.make_scene(cls.gimp.folder)
        chance, names = Chance(SEED), table()
        cls.names = names
        assert len(names) > 35, names
        cls.calls = [{"preset": "instant"}] + [chance.call(names) for _ in range(CALLS)] + [{"preset": "instant"}]
        job = ""
        for number, settings in enumerate(cls.calls):
            words = " ".join(f'"{name}" {cls.text(value)}' for name, value in settings.items())
            job += f"""(odd-case "{number}" (scene 0 0) (lambda (image) '()) (lambda (image)
              (geometry-transfer image (target-of image) (source-of image) (list {words})))
              (lambda (image) (say "result" (statistics (active image)))))\n"""
        cls.cases, cls.printed = cls.gimp.job(job)

    @classmethod
    def fits(cls, settings):
        """True if the plug-in is called. Script-Fu itself refuses values of another type, and GIMP 3 those out of
        range."""
        for name, value in settings.items():
            spec = cls.names.get(name, "TEXT")
            number = " .. " in spec or spec == "true|false"
            if isinstance(value, str) == number: return False
            if number and " .. " in spec and not gimp.TWO:
                low, high = map(float, spec.split(" .. "))
                if not low <= value <= high: return False
        return True

    @staticmethod
    def text(value):
        """Returns a literal in which {target} and {source} are replaced by those layers' numbers."""
        if not isinstance(value, str) or ("{target}" not in value and "{source}" not in value): return literal(value)
        parts = re.split(r"\{(target|source)\}", value)
        return "(string-append " + " ".join(f"(number->string ({p}-of image))" if i % 2 else literal(p) for i, p in enumerate(parts)) + ")"

    @classmethod
    def tearDownClass(cls): cls.gimp.close()

    def test_each_works_or_is_refused_in_words(self):
        works = 0
        for number, settings in enumerate(self.calls):
            with self.subTest(settings):
                case = self.cases.get(str(number))
                self.assertIsNotNone(case, self.printed[-2000:])
                self.assertEqual(case.get("finished"), "yes", case.errors)
                self.assertEqual(case["selected-after"], case["selected"])
                if case["answer"] == "works":
                    works += 1
                    self.assertEqual((case["added"], case["dirty"]), ("1", "yes"), case.errors)
                    self.assertNotRegex(case["result"], "(?i)nan|inf")
                else:
                    self.assertEqual((case["answer"], case["added"], case["dirty"]), ("refused", "0", "no"))
                    self.assertEqual(case["after"], case["before"])
                    if self.fits(settings): self.assertTrue(case.errors, "refused without a word")
                    self.assertLess(max(map(len, case.errors), default=0), 2000)
        print("#", f"{len(self.calls)} calls, {works} worked", flush=True)
        # Both outcomes must occur, or the test shows nothing.
        self.assertGreater(works, len(self.calls) // 10)
        self.assertLess(works, len(self.calls))

    def test_the_last_call_is_as_the_first(self):
        self.assertEqual(self.cases[str(len(self.calls) - 1)].get("result"), self.cases["0"]["result"])

    def test_the_plug_in_never_died(self):
        self.assertNotRegex(self.printed, r"(?i)crashed|unexpectedly|\(geometry-transfer:\d+\): .*CRITICAL|Segmentation|terminate called")


if __name__ == "__main__":
    tap.main()
