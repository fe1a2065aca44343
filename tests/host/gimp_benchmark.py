# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of real GIMP, as medians. None of them is a test.
  - from the menu's key to the dialog's window, and to its painted preview
  - GIMP's start with and without the plug-in, in turns, so that a busy machine affects both

  meson test -C build --benchmark gimp-2.10 -v"""
import os
import statistics
import tempfile
import time

import gimp
import screen
import test_gui

DIALOGS, STARTS = int(os.environ.get("GT_DIALOGS", 7)), int(os.environ.get("GT_STARTS", 7))


def soon(answer, seconds=60):
    """Like gimp.until, but polls without a pause."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if got := answer(): return got
    raise AssertionError("waited in vain")


def dialogs():
    with tempfile.TemporaryDirectory() as artefacts:
        s = screen.Screen(artefacts, test_gui.OPEN)
        try:
            s.window(test_gui.IMAGE, 90)
            windows, previews = [], []
            for _ in range(DIALOGS):
                s.window(test_gui.IMAGE)
                s.key("alt+r", "m")
                start = time.monotonic()
                s.xdo("key", "g")
                window = soon(lambda: s.windows(test_gui.DIALOG))[-1]
                windows.append(time.monotonic() - start)
                soon(lambda: s.shot("opening", window)[test_gui.PREVIEW].std() > 3)
                previews.append(time.monotonic() - start)
                s.xdo("windowactivate", "--sync", window)
                s.key("Escape")
                s.gone(test_gui.DIALOG)
            return windows, previews
        finally: s.close()


def starts():
    """Seconds of whole sessions that do nothing, with and without the plug-in. The first session of each is left
    out, because it asks all plug-ins."""
    sessions = {}
    for name in ("with", "without"):
        sessions[name] = gimp.Gimp()
        if name == "without":
            with open(sessions[name].path("gimprc")) as f: rc = f.read()
            with open(sessions[name].path("gimprc"), "w") as f: f.write(rc.replace(gimp.PLUGIN + ":", ""))
    times = {name: [] for name in sessions}
    try:
        for _ in range(STARTS + 1):
            for name, session in sessions.items():
                start = time.monotonic()
                session.run('(display "")')
                times[name].append(time.monotonic() - start)
    finally:
        for session in sessions.values(): session.close()
    return times


def show(what, times):
    print(f"{what:48} {statistics.median(times):6.2f} s   ({min(times):.2f} to {max(times):.2f}, {len(times)} times)", flush=True)


if __name__ == "__main__":
    windows, previews = dialogs()
    show(f"GIMP {gimp.VERSION}: key to window, the first", windows[:1])
    show(f"GIMP {gimp.VERSION}: key to window", windows[1:])
    show(f"GIMP {gimp.VERSION}: key to painted preview", previews[1:])
    for name, times in starts().items():
        show(f"GIMP {gimp.VERSION}: start {name} it, fresh profile", times[:1])
        show(f"GIMP {gimp.VERSION}: start {name} it", times[1:])
