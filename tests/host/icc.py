# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes small ICC profiles, version 4, so that no profile file is needed."""
import struct

D50 = (0.9642, 1.0, 0.8249)


def fixed(value): return struct.pack(">i", round(value * 65536))


def xyz(values): return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))


def text(words):
    data = words.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(data), 28) + data


def curve(*parameters):
    """One parameter: a power. Five: sRGB's type, a power above a straight piece."""
    kind = {1: 0, 5: 3}[len(parameters)]
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(map(fixed, parameters))


def profile(space, tags):
    head = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += name + struct.pack(">II", head + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    size = head + len(body)
    header = struct.pack(">I4sI4s4s4s12s4s", size, b"", 0x04200000, b"mntr", space, b"XYZ ", bytes(12), b"acsp")
    header += bytes(28) + b"".join(map(fixed, D50))
    return header + bytes(128 - len(header)) + table + body


def rgb(name, red, green, blue, trc):
    """Colorants as XYZ adapted to D50."""
    return profile(b"RGB ", [(b"desc", text(name)), (b"cprt", text("none")), (b"wtpt", xyz(D50)), (b"rXYZ", xyz(red)),
                             (b"gXYZ", xyz(green)), (b"bXYZ", xyz(blue)), (b"rTRC", trc), (b"gTRC", trc), (b"bTRC", trc)])


def srgb():
    return rgb("sRGB", (0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410),
               curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))


def wide():
    """The primaries and the curve of Adobe RGB (1998)."""
    return rgb("wide", (0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), curve(563 / 256))


def grey(power):
    return profile(b"GRAY", [(b"desc", text("grey")), (b"cprt", text("none")), (b"wtpt", xyz(D50)), (b"kTRC", curve(power))])
