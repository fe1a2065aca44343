#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""summary.py JUNIT_XML...: what meson's results add up to, in a line; exit code 1 when a case failed or none ran."""
import sys
import xml.etree.ElementTree

passed = failed = skipped = 0
for path in sys.argv[1:]:
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("result") in ("skipped", "suppressed"):
            skipped += 1
        else:
            passed += 1
print((f"{skipped} skipped\n" if skipped else "") + f"{passed} passed, {failed} failed")
sys.exit(failed > 0 or passed == 0)
