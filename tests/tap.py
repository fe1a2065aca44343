# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints unittest results as TAP, so that meson counts each case."""
import sys
import unittest


class Tap(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.count, self.good = 0, True

    def line(self, ok, test, note=""):
        self.count += 1
        self.good &= ok
        print(f"{'ok' if ok else 'not ok'} {self.count} - {test.id().removeprefix('__main__.')}{note}", flush=True)

    def bad(self, test, error):
        self.line(False, test)
        text = self._exc_info_to_string(error, test)
        print("\n".join("# " + row for row in text.splitlines()), flush=True)

    def addSuccess(self, test): self.line(True, test)
    def addSkip(self, test, reason): self.line(True, test, f" # SKIP {reason}")
    def addFailure(self, test, error): self.bad(test, error)
    def addError(self, test, error): self.bad(test, error)

    def addSubTest(self, test, subtest, error):
        if error is not None: self.bad(subtest, error)


def main():
    """Runs the calling script's tests, or only those that its arguments name: CLASS or CLASS.TEST."""
    result, script = Tap(), sys.modules["__main__"]
    names = [a for a in sys.argv[1:] if hasattr(script, a.split(".")[0])]
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(names, script) if names else loader.loadTestsFromModule(script)
    print("TAP version 13", flush=True)
    suite.run(result)
    print(f"1..{result.count}", flush=True)
    sys.exit(not result.good)
