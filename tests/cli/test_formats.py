# SPDX-License-Identifier: GPL-3.0-or-later
"""Every layout of PNG, JPEG and TIFF as target, source and mask is read exactly or refused by name. Exactly means:
the result has the same bytes as with the same picture as a plain PNG. The cases are the rows of the table in
docs/formats.md; GT_UPDATE=1 writes the table."""
import os

import cv2
import numpy as np

import tap
from command import Case
from layouts import chunk, jpeg_header, png, read_png, scaled, tiff

ROLES = ("target", "source", "mask")
DOCUMENT = os.path.join(os.environ["SOURCE"], "docs", "formats.md")


def with_alpha(colours, alpha): return np.dstack([colours, alpha.astype(colours.dtype)])


class Picture:
    """One picture in the variants that the layouts need. `alpha`: only 0 and full where it varies."""

    def __init__(self, rgb, alpha):
        self.rgb8, self.alpha8 = rgb, alpha
        self.gray8 = rgb[..., 1:2].copy()
        self.rgb16, self.gray16 = (a.astype(np.uint16) * 257 for a in (rgb, self.gray8))
        if not (rgb == rgb[..., :1]).all():  # a mask stays gray
            self.rgb16, self.gray16 = self.rgb16 // 257 * 256 + 77, self.gray16 // 257 * 256 + 77
        self.alpha16 = alpha.astype(np.uint16) * 257

    def get(self, what, bits):
        narrow = bits <= 8
        colours = {"gray": self.gray8 if narrow else self.gray16, "rgb": self.rgb8 if narrow else self.rgb16}[what.split("+")[0]]
        if bits < 8: colours = colours >> (8 - bits)
        return with_alpha(colours, self.alpha8 if narrow else self.alpha16) if "+" in what else colours

    def premultiplied(self, what, bits):
        pixels = self.get(what + "+alpha", bits).copy()
        pixels[..., :-1][pixels[..., -1] == 0] = 0
        return pixels


def key_of(picture, what, bits):
    """A picture with a transparent key, and the same picture with alpha. The key is the value of the first pixel."""
    pixels = picture.get(what, bits)
    opaque = (pixels != pixels[0, 0]).any(2)
    full = 255 if bits == 8 else 65535
    return pixels, chunk(b"tRNS", pixels[0, 0].astype(">u2").tobytes()), with_alpha(pixels, opaque * full)


def palette_of(picture, bits):
    """Indices into a palette of colours, and the colours."""
    count = 1 << bits
    palette = np.linspace(0, 255, count).round().astype(np.uint8)[:, None] * np.ones((1, 3), np.uint8)
    if not (picture.rgb8 == picture.rgb8[..., :1]).all(): palette[:, 2] = palette[:, 2] // 2
    return picture.gray8 >> (8 - bits), palette


def png_layouts(p):
    for bits in (1, 2, 4): yield "PNG gray", bits, png(p.get("gray", bits), bits), scaled(p.get("gray", bits), bits)
    for bits in (8, 16):
        for what in ("gray", "gray+alpha", "rgb", "rgb+alpha"):
            yield "PNG " + what, bits, png(p.get(what, bits)), p.get(what, bits)
            yield f"PNG {what}, interlaced", bits, png(p.get(what, bits), interlaced=True), p.get(what, bits)
        for what in ("gray", "rgb"):
            pixels, key, twin = key_of(p, what, bits)
            yield f"PNG {what}, transparent key", bits, png(pixels, before=key), twin
    for bits in (1, 2, 4, 8):
        index, palette = palette_of(p, bits)
        yield "PNG palette", bits, png(index, bits, palette), palette[index[..., 0]]
        clear = np.hstack([palette, np.full((len(palette), 1), 255, np.uint8)])
        clear[0, 3] = 200
        yield "PNG palette with alpha", bits, png(index, bits, clear), clear[index[..., 0]]
    yield "PNG animation", 8, png(p.rgb8, before=chunk(b"acTL", b"\0\0\0\2\0\0\0\0")), "animation"
    yield "PNG HDR (cICP: PQ)", 16, png(p.rgb16, before=chunk(b"cICP", b"\x09\x10\0\1")), "HDR"


def jpeg_layouts(p):
    def jpeg(pixels, *options): return cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 90, *options])[1].tobytes()
    def decoded(data):
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        return pixels[..., None] if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1])
    for name, data in (("JPEG gray", jpeg(p.gray8)), ("JPEG RGB", jpeg(p.rgb8)), ("JPEG RGB, progressive", jpeg(p.rgb8, cv2.IMWRITE_JPEG_PROGRESSIVE, 1))):
        yield name, 8, data, decoded(data)
    data = jpeg(p.rgb8)
    yield "JPEG without its end marker", 8, data[:-2], decoded(data)
    yield "JPEG CMYK", 8, jpeg_header(4), "CMYK"
    yield "JPEG", 12, jpeg_header(1, 12), "12 bits"


def tiff_layouts(p):
    white, black, rgb, palette, cmyk, ycbcr, lab = 0, 1, 2, 3, 5, 6, 8
    associated, straight, unknown = (1,), (2,), (0,)
    for bits in (1, 2, 4, 8, 16):
        gray = p.get("gray", bits)
        yield "TIFF gray", bits, tiff(gray, black, bits), scaled(gray, bits)
        yield "TIFF gray, min-is-white", bits, tiff(((1 << bits) - 1 - gray.astype(np.int64)).astype(gray.dtype), white, bits), scaled(gray, bits)
    for bits in (8, 16):
        for what, kind in (("gray", black), ("rgb", rgb)):
            both = p.get(what + "+alpha", bits)
            yield f"TIFF {what}+alpha", bits, tiff(both, kind, extra=straight), both
            yield f"TIFF {what}+alpha, associated", bits, tiff(p.premultiplied(what, bits), kind, extra=associated), p.premultiplied(what, bits)
            yield f"TIFF {what}+alpha, kind not said", bits, tiff(both, kind, extra=unknown), both
            yield f"TIFF {what}+alpha, planes", bits, tiff(both, kind, extra=straight, planes=True), both
        pixels = p.get("rgb", bits)
        yield "TIFF RGB", bits, tiff(pixels, rgb), pixels
        yield "TIFF RGB, planes", bits, tiff(pixels, rgb, planes=True), pixels
        yield "TIFF RGB, tiles", bits, tiff(pixels, rgb, tile=48), pixels
        yield "TIFF RGB, planes of tiles", bits, tiff(pixels, rgb, tile=48, planes=True), pixels
        yield "TIFF RGB, deflate", bits, tiff(pixels, rgb, pack=True), pixels
        yield "TIFF RGB, big-endian", bits, tiff(pixels, rgb, order=">"), pixels
        yield "BigTIFF RGB", bits, tiff(pixels, rgb, big=True), pixels
        yield "TIFF CMYK", bits, tiff(p.get("rgb+alpha", bits), cmyk), "CMYK"
        yield "TIFF Lab", bits, tiff(pixels, lab), "Lab"
        yield "TIFF of two pages", bits, tiff(pixels, rgb, pages=2), "2 pages"
        yield "TIFF RGB with two more channels", bits, tiff(np.dstack([pixels, pixels[..., :2]]), rgb, extra=(0, 0)), "5 channels"
        yield "TIFF signed", bits, tiff(pixels, rgb, sample_format=2), "signed"
    for bits in (1, 2, 4, 8):
        index, colours = palette_of(p, bits)
        yield "TIFF palette", bits, tiff(index, palette, bits, palette=colours), colours[index[..., 0]]
    yield "TIFF YCbCr", 8, tiff(p.rgb8, ycbcr), "YCbCr"
    yield "TIFF integers", 32, tiff(p.rgb16.astype(np.uint32), rgb), "32-bit"
    yield "TIFF float", 16, tiff(p.rgb16, rgb, sample_format=3), "16-bit float"
    yield "TIFF float", 32, tiff(p.rgb8.astype(np.float32), rgb, sample_format=3), "32-bit float"


def layouts(picture):
    for maker in (png_layouts, jpeg_layouts, tiff_layouts): yield from maker(picture)


class Formats(Case):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(3)
        noise = rng.integers(-9, 10, (120, 160, 1))
        target = np.clip(np.array([190, 140, 90]) + noise, 0, 255).astype(np.uint8)
        holes = np.full((120, 160, 1), 255, np.uint8)
        holes[:6, :9] = 0
        source = cv2.cvtColor(cv2.imread(self.path("source.png")), cv2.COLOR_BGR2RGB)
        opaque = np.full((128, 128, 1), 255, np.uint8)
        self.pictures = {"target": Picture(target, holes), "source": Picture(source, opaque),
                         "mask": Picture(np.repeat(self.mask[..., None], 3, 2), opaque)}
        self.plain = {}

    def store(self, name, data):
        with open(self.path(name), "wb") as f: f.write(data)
        return name

    def result(self, role, name):
        """The bytes of the result with one file replaced. A source of 1 bit may hold no relief; then returns the
        error."""
        done = self.instant(**{role: name})
        if role == "source" and done.returncode == 1 and name not in done.stderr: return done.stderr
        self.ok(done)
        with open(self.path("result.png"), "rb") as f: data = f.read()
        os.remove(self.path("result.png"))
        return data

    def twin_result(self, role, pixels):
        key = (role, pixels.shape, pixels.tobytes())
        if key not in self.plain: self.plain[key] = self.result(role, self.store("twin.png", png(pixels)))
        return self.plain[key]

    def test_every_layout_in_every_role(self):
        rows = {}
        for role in ROLES:
            for name, bits, data, expected in layouts(self.pictures[role]):
                with self.subTest(name, bits=bits, role=role):
                    self.store("case", data)
                    if isinstance(expected, str):
                        self.refused(self.instant(**{role: "case"}), "case", expected)
                        said = "refused"
                    else:
                        got = self.result(role, "case")
                        self.assertEqual(got, self.twin_result(role, expected))
                        if role == "target":
                            pixels, _ = read_png(got)
                            self.assertEqual((pixels.dtype, pixels.shape), (expected.dtype, expected.shape))
                            self.assertTrue((pixels == expected)[:, 120:].all() and (pixels != expected).any())
                            if expected.shape[2] in (2, 4): self.assertTrue((pixels[..., -1] == expected[..., -1]).all())
                        said = f"exact ({('', 'gray', 'gray+alpha', 'RGB', 'RGBA')[expected.shape[2]]} {expected.dtype.itemsize * 8})" if role == "target" else "exact"
                    rows.setdefault((name, bits), []).append(said)
        table = ["| layout | bits | target (result) | source, texture | mask |", "|---|---|---|---|---|"]
        table += [f"| {name} | {bits} | {' | '.join(said)} |" for (name, bits), said in sorted(rows.items())]
        with open(DOCUMENT, encoding="utf-8") as f: text = f.read()
        begin, end = "<!-- table -->\n", "<!-- end -->\n"
        written = text[:text.index(begin) + len(begin)] + "\n".join(table) + "\n" + text[text.index(end):]
        if os.environ.get("GT_UPDATE"):
            with open(DOCUMENT, "w", encoding="utf-8") as f: f.write(written)
            text = written
        self.assertEqual(text, written, "docs/formats.md is of other results: GT_UPDATE=1 writes its table anew")


if __name__ == "__main__":
    tap.main()
