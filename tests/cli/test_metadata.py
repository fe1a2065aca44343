# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata of the target: colour, resolution, EXIF and XMP are kept, orientation is applied once. Also files that
are damaged, or made to take very long."""
import signal
import struct
import subprocess
import time

import cv2
import numpy as np

import tap
from command import PROGRAM, Case, end_by, wait_for_memory
from layouts import chunk, png, read_png
from test_limits import zeros
from test_limits import png as png_of

GAMMA = chunk(b"gAMA", struct.pack(">I", 45455))
PRIMARIES = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
RESOLUTION = chunk(b"pHYs", struct.pack(">IIB", 11811, 5906, 1))
XMP = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta tiff:Orientation=\"6\"/>")


def exif(orientation, order=">"):
    return (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


class Metadata(Case):
    def setUp(self):
        super().setUp()
        self.rgb = np.ascontiguousarray(self.target[..., ::-1])

    def store(self, name, data):
        with open(self.path(name), "wb") as f: f.write(data)

    def result(self, **other):
        self.ok(self.instant(**other))
        with open(self.path(other.get("output", "result.png")), "rb") as f: return f.read()

    def test_what_a_png_says_lives_on(self):
        colour = chunk(b"cICP", b"\x01\x0d\0\1")
        self.store("said.png", png(self.rgb, before=GAMMA + PRIMARIES + colour + RESOLUTION + XMP + chunk(b"eXIf", exif(1))))
        pixels, chunks = read_png(self.result(target="said.png"))
        plain, none = read_png(self.result())
        self.assertTrue((pixels == plain).all(), "these chunks say sRGB")
        self.assertEqual(set(chunks) - set(none), {"gAMA", "cHRM", "cICP", "pHYs", "iTXt", "eXIf"})
        for part in (GAMMA, PRIMARIES, colour, RESOLUTION): self.assertEqual(chunks[part[4:8].decode()], [part[8:-4]])
        self.assertEqual(chunks["iTXt"][0].split(b"\0")[-1], b'<x:xmpmeta tiff:Orientation="1"/>')
        self.assertEqual(chunks["eXIf"], [exif(1)])

    def test_gamma_and_primaries_give_the_colours_their_meaning(self):
        plain, _ = read_png(self.result())
        for said in (chunk(b"gAMA", struct.pack(">I", 100000)), chunk(b"cICP", b"\x0c\x0d\0\1")):
            self.store("said.png", png(self.rgb, before=said))
            pixels, chunks = read_png(self.result(target="said.png"))
            self.assertTrue((pixels != plain).any())
            self.assertTrue((pixels == self.rgb)[:, 140:].all())
            self.assertEqual(chunks[said[4:8].decode()], [said[8:-4]])
            # An sRGB chunk or a profile overrides gAMA; cICP overrides both.
            self.store("said.png", png(self.rgb, before=chunk(b"sRGB", b"\0") + said))
            again, _ = read_png(self.result(target="said.png"))
            self.assertEqual((again == plain).all(), said[4:8] == b"gAMA")

    def test_a_linear_target_gives_the_result_of_its_srgb_twin(self):
        linear = np.round(self.rgb / 255 * 65535).astype(np.uint16)
        light = linear / 65535
        twin = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        self.store("linear.png", png(linear, before=chunk(b"gAMA", struct.pack(">I", 100000))))
        self.store("twin.png", png(np.round(twin * 65535).astype(np.uint16)))
        got = read_png(self.result(target="linear.png"))[0] / 65535
        wanted = read_png(self.result(target="twin.png"))[0] / 65535
        wanted = np.where(wanted <= 0.04045, wanted / 12.92, ((wanted + 0.055) / 1.055) ** 2.4)
        self.assertGreater(np.abs(got - light).max(), 0.2, "the geometry is there")
        self.assertLess(np.abs(got - wanted).max(), 0.01)

    def test_orientation_is_applied_once_in_every_role(self):
        expected = self.result()
        for order in "<>":
            for role, name in (("target", "target.png"), ("source", "source.png"), ("mask", "mask.png")):
                pixels = self.read(name)
                pixels = np.ascontiguousarray(pixels[..., None] if pixels.ndim == 2 else pixels[..., ::-1])
                stored = np.rot90(pixels)  # orientation 6: shown after a quarter turn to the right
                self.store("turned.png", png(np.ascontiguousarray(stored), before=chunk(b"eXIf", exif(6, order))))
                got = self.result(**{role: "turned.png"})
                self.assertTrue((read_png(got)[0] == read_png(expected)[0]).all(), role)
                if role == "target": self.assertEqual(read_png(got)[1]["eXIf"], [exif(1, order)])

    def test_a_jpegs_resolution_and_exif(self):
        data = cv2.imencode(".jpg", self.target)[1].tobytes()
        block = b"Exif\0\0" + exif(1)
        said = b"\xff\xd8\xff\xe0" + struct.pack(">H5sHBHHBB", 16, b"JFIF\0", 0x101, 1, 300, 150, 0, 0) + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
        self.store("said.jpg", said + data[20:])
        out = self.result(target="said.jpg", output="result.jpg")
        self.assertEqual(struct.unpack(">BHH", out[13:18]), (1, 300, 150))
        self.assertIn(block, out)
        _, chunks = read_png(self.result(target="said.jpg"))
        self.assertEqual(struct.unpack(">IIB", chunks["pHYs"][0]), (11811, 5906, 1))
        self.assertEqual(chunks["eXIf"], [exif(1)])

    def test_damaged_jpegs_do_not_pass_as_whole(self):
        data = cv2.imencode(".jpg", self.target, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
        scan = data.index(b"\xff\xda")
        half = data[:scan + (len(data) - scan) // 2]
        hole = bytearray(data)
        hole[len(half):len(half) + 40] = bytes(40)
        for name, bad, word in (("half.jpg", half, "cut off"), ("half-end.jpg", half + b"\xff\xd9", "damaged"), ("hole.jpg", bytes(hole), "damaged")):
            self.store(name, bad)
            self.refused(self.instant(target=name), name, word)
        progressive = cv2.imencode(".jpg", self.target, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
        last = progressive.rindex(b"\xff\xda")
        self.store("early.jpg", progressive[:last])  # cut between two scans: a softer picture
        self.refused(self.instant(target="early.jpg"), "early.jpg", "cut off")

    def test_scans_of_a_jpeg_are_counted(self):
        data = cv2.imencode(".jpg", np.zeros((2000, 2000, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
        first, second = [i for i in range(len(data) - 1) if data[i:i + 2] == b"\xff\xda"][:2]
        self.store("scans.jpg", data[:first] + data[first:second] * 3000 + data[second:])
        begin = time.monotonic()
        self.refused(self.instant(target="scans.jpg"), "scans.jpg", "100 scans")
        self.assertLess(time.monotonic() - begin, 30)  # takes 1 s; all scans would take minutes

    def test_a_signal_ends_decoding(self):
        self.store("large.png", png_of(24000, 24000, zeros(24001 * 24000)))
        child = subprocess.Popen([PROGRAM, *self.files(target="large.png"), "--preset", "instant"], stderr=subprocess.PIPE, text=True)
        wait_for_memory(child, 100000)  # kB: the pixels are being decoded
        with open(f"/proc/{child.pid}/maps") as f: self.assertNotIn("libgeometry-transfer-image", f.read(), "it decodes no more")
        said, seconds = end_by(child, signal.SIGTERM)
        self.assertEqual(child.returncode, 130, said)
        self.assertLess(seconds, 1)


if __name__ == "__main__":
    tap.main()
