#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""summary.py JUNIT_XML...: prints the failed cases with the end of their suite's output, and one line that sums up
all results.
Exit code 1 if a case failed or none ran."""
import sys
import xml.etree.ElementTree

passed = failed = skipped = 0
for path in sys.argv[1:]:
    for suite in xml.etree.ElementTree.parse(path).iter("testsuite"):
        bad, printed = [], []
        for case in suite.iter("testcase"):
            faults = case.findall("failure") + case.findall("error")
            if faults:
                bad.append(case.get("name"))
                printed += [fault.text or "" for fault in faults]
            elif case.find("skipped") is not None or case.get("result") in ("skipped", "suppressed"):
                skipped += 1
            else:
                passed += 1
        failed += len(bad)
        if bad:
            print(f"failed in {suite.get('name')}: {', '.join(bad)}")
            printed += [suite.findtext(stream, "") for stream in ("system-out", "system-err")]
            for line in "\n".join(printed).strip().splitlines()[-15:]: print("    " + line[:500])
print((f"{skipped} skipped\n" if skipped else "") + f"{passed} passed, {failed} failed")
sys.exit(failed > 0 or passed == 0)
