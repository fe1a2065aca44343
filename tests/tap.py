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
    """Runs the calling script's tests; a name as last argument picks some."""
    result = Tap()
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    print(f"TAP version 13", flush=True)
    suite.run(result)
    print(f"1..{result.count}", flush=True)
    sys.exit(not result.good)
