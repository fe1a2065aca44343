#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw cases with a truth: one procedural geometry on material A (source) and on material B (truth); the bare B is the target.

    make_cases.py TEXTURES OUT [--cases 24] [--seed 1] [--side 320] [--kinds crack,hole,...,net] [--zoom 1]

TEXTURES is a folder of pictures (searched below); a random crop of two of them makes a case. Debian's ufoai-textures has enough:
apt-get download ufoai-textures && dpkg -x ufoai-textures_*.deb ufo. --zoom draws the same geometries smaller or larger on the same
crops: their share of the canvas goes with its square. The geometries and their shading are
those the shipped model was trained with (core/models/surface/training/geometry.py), in NumPy. Writes OUT/NN-KIND/{source,target,
truth,mask,texture,second,relit}.png (texture: another crop of the target's material; second: the source's geometry and light on a third
material; relit: the source under another light) and OUT/cases.json with the textures each case took. Needs Debian's python3-opencv and python3-numpy.
"""
import argparse, glob, json, os
import cv2, numpy as np


class Draw:
    """One random geometry on a side x side grid over [-1, 1]."""

    def __init__(self, side, random):
        self.n, self.r = side, random
        self.y, self.x = np.meshgrid(*[np.linspace(-1, 1, side)] * 2, indexing="ij")

    def u(self, low, high):
        return self.r.uniform(low, high)

    def noise(self, octaves, base, persistence=0.55):
        total = np.zeros((self.n, self.n))
        amplitudes = [persistence ** o for o in range(octaves)]
        for o, a in enumerate(amplitudes):
            side = base * 2 ** o
            total += a * cv2.resize(self.r.standard_normal((side, side)), (self.n, self.n), interpolation=cv2.INTER_CUBIC)
        return total / sum(amplitudes)

    def polyline(self, x, y, points):
        """Distance to the line through the points, and the place of the nearest point along it ([0, 1])."""
        best, arc = np.full_like(x, 1e9), np.zeros_like(x)
        for i, (a, b) in enumerate(zip(points, points[1:])):
            d = b - a
            t = np.clip(((x - a[0]) * d[0] + (y - a[1]) * d[1]) / max(d @ d, 1e-9), 0, 1)
            q = (x - a[0] - t * d[0]) ** 2 + (y - a[1] - t * d[1]) ** 2
            arc = np.where(q < best, (i + t) / (len(points) - 1), arc)
            best = np.minimum(q, best)
        return np.sqrt(best), arc

    def crack(self, segments=14):
        h, mask = np.zeros_like(self.x), np.zeros_like(self.x)
        x, y = self.x + self.noise(6, 8) * 0.03, self.y + self.noise(6, 8) * 0.03
        angle = self.u(0, 2 * np.pi)
        start, width = self.r.uniform(-0.35, 0.35, 2) - 0.55 * np.array([np.cos(angle), np.sin(angle)]), self.u(0.008, 0.035)
        for branch in range(3):
            points, a = [start], angle + (branch > 0) * self.u(-0.9, 0.9)
            for _ in range(segments):
                a += self.u(-0.55, 0.55)
                points.append(points[-1] + (1.3 if branch == 0 else 0.6) / segments * np.array([np.cos(a), np.sin(a)]))
            d, arc = self.polyline(x, y, points)
            w = width * (0.35 + (1 - abs(2 * arc - 1)) * 0.9) * (1 if branch == 0 else 0.6)
            if branch == 0 or self.u(0, 1) < 0.6:
                h = np.maximum(h, 1 / (1 + np.exp(np.clip(-(w - d) / (0.25 * w + 0.004), -50, 50))))
                mask = np.maximum(mask, d < w * 2.2 + 0.03)
            start = points[segments // 3 * (1 if branch == 0 else 2)]
        return -h * self.u(0.03, 0.08), mask

    def centred(self):
        c = self.r.uniform(-0.3, 0.3, 2)
        return self.x - c[0], self.y - c[1]

    def hole(self):
        x, y = self.centred()
        r0, aspect = self.u(0.15, 0.42), self.u(0.75, 1.3)
        r = np.sqrt((x * aspect) ** 2 + (y / aspect) ** 2) / r0 + self.noise(4, 3) * self.u(0, 0.22)
        pit = 1 / (1 + np.exp(np.clip(-(1 - r) / self.u(0.02, 0.12), -50, 50)))
        return -pit * self.u(0.08, 0.3) + np.exp(-((r - 1.12) / 0.12) ** 2) * self.u(-0.05, 0.35) * 0.04, r < 1.3

    def dent(self):
        x, y = self.centred()
        r = np.hypot(x, y) / self.u(0.2, 0.5) + self.noise(2, 3) * 0.15
        return (-1 if self.u(0, 1) < 0.6 else 1) * np.exp(-(r * 1.6) ** 2) * self.u(0.06, 0.2), r < 1.15

    def scratches(self):
        h, mask, base = np.zeros_like(self.x), np.zeros_like(self.x), self.u(0, np.pi)
        for _ in range(5):
            a, c, half = base + self.u(-0.35, 0.35), self.r.uniform(-0.45, 0.45, 2), self.u(0.15, 0.5)
            along, across = np.array([np.cos(a), np.sin(a)]) * half, np.array([-np.sin(a), np.cos(a)]) * self.u(-0.075, 0.075)
            d, arc = self.polyline(self.x, self.y, [c - along, c + across, c + along])
            w = self.u(0.006, 0.018) * np.maximum(1 - (2 * arc - 1) ** 2, 0.05)
            h = np.maximum(h, 1 / (1 + np.exp(np.clip(-(w - d) / 0.005, -50, 50))))
            mask = np.maximum(mask, d < 0.045)
        return -h * self.u(0.01, 0.03), mask

    def droplets(self):
        h, mask = np.zeros_like(self.x), np.zeros_like(self.x)
        for i in range(7):
            c, r0, aspect = self.r.uniform(-0.55, 0.55, 2), self.u(0.05, 0.26 if i < 2 else 0.13), self.u(0.8, 1.25)
            r2 = (((self.x - c[0]) * aspect) ** 2 + ((self.y - c[1]) / aspect) ** 2) / r0 ** 2
            h = np.maximum(h, np.sqrt(np.maximum(1 - r2, 0)) * r0 * 0.6)
            mask = np.maximum(mask, r2 < 1.35)
        return h, mask

    def chips(self):
        x, y = self.centred()
        f = self.noise(6, 3) * 1.3 + (self.u(0.25, 0.5) - np.hypot(x, y)) * 3
        v = 1 / (1 + np.exp(np.clip(-f / 0.06, -50, 50)))
        return -v * self.u(0.015, 0.04), cv2.dilate((f > -0.15).astype(np.uint8), np.ones((9, 9), np.uint8))

    def net(self):
        """Cracks between the cells of a random net, like dried mud or old paint, within a round patch."""
        x, y = self.centred()
        x, y = x + self.noise(4, 6) * 0.05, y + self.noise(4, 6) * 0.05
        seeds, best = self.r.uniform(-0.8, 0.8, (round(self.u(40, 160)), 2)), np.full(x.shape + (2,), 1e9)
        for a, b in seeds:
            d = np.hypot(x - a, y - b)
            best[..., 1] = np.minimum(best[..., 1], np.maximum(best[..., 0], d))
            best[..., 0] = np.minimum(best[..., 0], d)
        r, width = np.hypot(x, y) / self.u(0.3, 0.55), self.u(0.004, 0.014)
        line = 1 / (1 + np.exp(np.clip(-(width * 0.5 - (best[..., 1] - best[..., 0]) / 2) / (0.3 * width), -50, 50)))
        return -line * np.clip((1 - r) * 4, 0, 1) * self.u(0.02, 0.06), r < 1.1

    def light(self):
        return dict(azimuth=self.u(0, 2 * np.pi), elevation=self.u(0.45, 1.1), occlusion=self.u(0.35, 0.9), gain=self.u(0.7, 1.5),
                    specular=self.u(0.2, 0.8), under=self.u(0.45, 1.35))


KINDS = ("crack", "hole", "dent", "scratches", "droplets", "chips")
MORE = ("net",)  # drawn only if named


def placed(field, side):
    """A square field in the middle of a side x side canvas, cropped or continued."""
    n = field.shape[0]
    cut, pad = max(0, n - side) // 2, max(0, side - n)
    field = field[cut:cut + side, cut:cut + side] if n > side else field
    return np.pad(field, (pad // 2, pad - pad // 2)) if pad else field


def render(albedo, h, kind, light, scale=None):
    """albedo (n, n, 3) in [0, 1] with the geometry on it, under one distant light. Heights are in halves of `scale`
    pixels (n)."""
    n = albedo.shape[0]
    scale = scale or n
    p = np.pad(h, 1, mode="edge")
    steep = scale / 2 * 0.9 * light["gain"]
    gx, gy = (p[1:-1, 2:] - p[1:-1, :-2]) / 2 * steep, (p[2:, 1:-1] - p[:-2, 1:-1]) / 2 * steep
    inverse = 1 / np.sqrt(gx * gx + gy * gy + 1)
    lx, ly = np.cos(light["azimuth"]) * np.cos(light["elevation"]), np.sin(light["azimuth"]) * np.cos(light["elevation"])
    lz = np.sin(light["elevation"])
    shade = np.clip(0.35 + 0.65 * np.maximum((-gx * lx - gy * ly + lz) * inverse, 0) / lz, 0, 1.7)
    depth = np.maximum(-h, 0)
    reach = max(3, round(15 * scale / n) // 2 * 2 + 1)
    blurred = cv2.blur(depth, (reach, reach), borderType=cv2.BORDER_REPLICATE)
    occluded = 1 - light["occlusion"] * (1 - np.exp(-(0.6 * depth + 0.4 * blurred) * 18))
    base = albedo
    if kind == "droplets":  # droplets bend the view like a lens
        j, i = np.meshgrid(np.arange(n), np.arange(n))
        bend = 0.05 * (scale - 1) / 2
        base = cv2.remap(albedo, (j - gx * bend).astype(np.float32), (i - gy * bend).astype(np.float32), cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_REFLECT_101)
    if kind == "chips":  # chips lay an under-layer bare, of the same hue at another lightness
        bare = (1 / (1 + np.exp(np.clip(-(depth - 0.008) / 0.002, -50, 50))))[..., None]
        flat = base.mean((0, 1))
        base = base * (1 - bare) + (flat + (base - flat) * 0.5) * light["under"] * bare
    out = base * (shade * occluded)[..., None]
    if kind == "droplets":
        half = (-gx * lx - gy * ly + lz + 1) * inverse / np.sqrt(lx * lx + ly * ly + (lz + 1) ** 2)
        out = out + (light["specular"] * (h > 0.002) * np.clip(half, 0, 1) ** 60)[..., None]
    return np.clip(out, 0, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("textures")
    parser.add_argument("out")
    parser.add_argument("--cases", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", type=int, default=320)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--zoom", type=float, default=1)
    o = parser.parse_args()
    kinds, patch = o.kinds.split(","), round(o.side * o.zoom)
    if set(kinds) - set(KINDS + MORE):
        parser.error(f"--kinds are of {', '.join(KINDS + MORE)}")
    files = sorted(f for e in ("png", "jpg", "jpeg", "tga", "webp") for f in glob.glob(os.path.join(o.textures, "**", "*." + e), recursive=True))
    index = []

    def texture():
        for _ in range(1000):
            name = files[random.integers(len(files))]
            picture = cv2.imread(name)
            if picture is None or min(picture.shape[:2]) < o.side:
                continue
            y, x = (random.integers(s - o.side + 1) for s in picture.shape[:2])
            crop = picture[y:y + o.side, x:x + o.side].astype(np.float32) / 255
            if 0.08 < crop.mean() < 0.92 and crop.std((0, 1)).max() > 0.015:  # the crop shows something
                other = [(at + (s - o.side + 1) // 2) % (s - o.side + 1) for at, s in zip((y, x), picture.shape[:2])]
                again = picture[other[0]:other[0] + o.side, other[1]:other[1] + o.side].astype(np.float32) / 255
                return os.path.relpath(name, o.textures), crop, again
        raise SystemExit(f"no usable picture of {o.side} x {o.side} or more below {o.textures}")

    for i in range(o.cases):
        # Each case has its own generator, so it does not depend on other cases, and its crops not on the zoom.
        random = np.random.default_rng((o.seed, i))
        kind, draw = kinds[i % len(kinds)], Draw(patch, random)
        (a, source, _), (b, target, again) = texture(), texture()
        light = draw.light()
        h, mask = (placed(np.asarray(f, float), o.side) for f in getattr(draw, kind)())
        folder = os.path.join(o.out, f"{i:02d}-{kind}")
        os.makedirs(folder, exist_ok=True)
        _, third, _ = texture()
        pictures = dict(source=render(source, h, kind, light, patch), target=target, truth=render(target, h, kind, light, patch),
                        mask=mask, texture=again, second=render(third, h, kind, light, patch),
                        relit=render(source, h, kind, draw.light(), patch))
        for name, picture in pictures.items():
            cv2.imwrite(os.path.join(folder, name + ".png"), (picture * 255).round().astype(np.uint8))
        index.append(dict(case=os.path.basename(folder), kind=kind, mask_share=round(float(np.mean(mask)), 4), source=a, target=b))
    json.dump(index, open(os.path.join(o.out, "cases.json"), "w"), indent=1)


if __name__ == "__main__":
    main()
