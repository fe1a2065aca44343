# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs full GIMP on a virtual screen (Xvfb), with keys and mouse. Script-Fu's server answers questions about its
state."""
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import cv2
import numpy as np

import gimp

TOOLS = ("Xvfb", "openbox", "xdotool", "import")
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]
PROGRAM = gimp.CONSOLE.replace("-console", "")


class Screen:
    """artefacts: the folder for screenshots. `size` in pixels. Further arguments go to GIMP's environment."""

    def __init__(self, artefacts, job, size=(1400, 1000), **more):
        self.gimp = gimp.Gimp()
        self.size = size
        gimp.make_scene(self.gimp.folder)
        os.makedirs(artefacts, exist_ok=True)
        self.artefacts, self.started = artefacts, []
        read, write = os.pipe()
        self.start(["Xvfb", "-displayfd", str(write), "-screen", "0", "%dx%dx24" % size, "-nolisten", "tcp"], pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as pipe: self.display = ":" + pipe.readline().strip()
        self.environment = self.gimp.environment(DISPLAY=self.display, NO_AT_BRIDGE="1", GDK_BACKEND="x11", GTK_MODULES="", **more)
        self.start(["openbox"], env=self.environment)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        try: self.program(job)
        except BaseException:
            self.close()
            raise

    def program(self, job):
        path = self.gimp.path
        with open(path("job.scm"), "w") as f: f.write(f'(define FOLDER "{self.gimp.folder}")\n' + job)
        loads = [os.path.join(gimp.SCRIPTS, "geometry-transfer-batch.scm"), os.path.join(gimp.HERE, f"lib-{gimp.VERSION[0]}.scm"),
                 os.path.join(gimp.HERE, "common.scm")]
        self.libraries = "(begin " + " ".join(f'(load "{p}")' for p in loads) + f' (define FOLDER "{self.gimp.folder}"))'
        if gimp.TWO:
            server = f'(plug-in-script-fu-server RUN-NONINTERACTIVE "127.0.0.1" {self.port} "")'
            line = ["-b", server]
        else:
            server = f'(plug-in-script-fu-server #:run-mode RUN-NONINTERACTIVE #:ip "127.0.0.1" #:port {self.port} #:logfile "")'
            line = ["--batch-interpreter", "plug-in-script-fu-eval", "-b", server]
        self.log = open(path("gimp.log"), "w+", errors="replace")
        self.start([PROGRAM, "-n", "-s", "-f", "-g", path("gimprc"), *line], env=self.environment, stdout=self.log, stderr=self.log)
        self.server = gimp.until("Script-Fu's server", self.connect, 300)
        self.ask(self.libraries)
        self.ask(job)

    def start(self, command, **options):
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL,
                   "process_group": 0, **options}
        self.started.append(subprocess.Popen(command, **options))

    def close(self):
        for process in reversed(self.started):
            os.killpg(process.pid, signal.SIGKILL)  # ends GIMP's plug-ins, too
            process.wait()
        self.gimp.close()

    def connect(self):
        try: return socket.create_connection(("127.0.0.1", self.port))
        except OSError: return None

    def ask(self, scheme, seconds=60):
        """The value of an expression as text."""
        self.server.settimeout(seconds)
        data = scheme.encode()
        self.server.sendall(b"G" + len(data).to_bytes(2, "big") + data)
        head = self.receive(4)
        answer = self.receive(int.from_bytes(head[2:4], "big")).decode(errors="replace")
        assert head[1] == 0, f"{scheme}: {answer}"
        return answer

    def receive(self, count):
        got = b""
        while len(got) < count:
            part = self.server.recv(count - len(got))
            assert part, "GIMP is gone"
            got += part
        return got

    def xdo(self, *words):
        return subprocess.run(["xdotool", *map(str, words)], env=self.environment, capture_output=True, text=True).stdout.strip()

    def windows(self, name):
        return self.xdo("search", "--onlyvisible", "--name", name).split()

    def window(self, name, seconds=60):
        """Waits for the window and gives it the keyboard."""
        found = gimp.until("a window " + name, lambda: self.windows(name), seconds)[-1]
        self.xdo("windowactivate", "--sync", found)
        return found

    def gone(self, name, seconds=60):
        gimp.until(f"window {name} to go", lambda: not self.windows(name), seconds)

    def key(self, *keys):
        for key in keys:
            self.xdo("key", key)
            time.sleep(0.25)

    def geometry(self, window):
        said = dict(re.findall(r"(\w+)=(-?\d+)", self.xdo("getwindowgeometry", "--shell", window)))
        return tuple(int(said[k]) for k in ("X", "Y", "WIDTH", "HEIGHT"))

    def drag(self, window, start, end, steps=12, button=1):
        # Relative to the window, because xdotool counts the frame twice in a window's place.
        to = lambda i: self.xdo("mousemove", "--window", window, *(a + (b - a) * i // steps for a, b in zip(start, end)))
        to(0)
        self.xdo("mousedown", button)
        for i in range(1, steps + 1): to(i)
        self.xdo("mouseup", button)

    def wheel(self, window, at, notches, *held):
        """Turns the wheel up over a point of the window while keys are held."""
        self.xdo("mousemove", "--window", window, *at)
        for key in held: self.xdo("keydown", key)
        for _ in range(notches): self.xdo("click", 4)
        for key in held: self.xdo("keyup", key)

    def shot(self, name, window="root"):
        path = os.path.join(self.artefacts, f"{gimp.VERSION}-{name}.png")
        subprocess.run(["import", "-silent", "-window", window, path], env=self.environment, check=True, capture_output=True)
        return cv2.imread(path, cv2.IMREAD_COLOR).astype(int)

    def settled(self, name, window, area, unlike=None, seconds=30):
        """The first screenshot that equals the one before, and differs from `unlike`, in `area` (a pair of slices)."""
        shots = [self.shot(name, window)]

        def same():
            shots.append(self.shot(name, window))
            last, now = (shot[area] for shot in shots[-2:])
            differs = unlike is None or now.shape != unlike[area].shape or np.abs(now - unlike[area]).max() > 20
            return differs and last.shape == now.shape and (last == now).all()
        gimp.until(f"the screen to change ({name})", same, seconds)
        return shots[-1]
