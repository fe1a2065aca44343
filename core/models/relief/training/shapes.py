"""Shapes of surface geometry: height fields with the selection that a person would draw round them.

Each function draws b shapes on an n x n grid that spans [-1, 1] and returns
  height (b, n, n)  relative to the surface, in units of half the grid's side; negative is below it
  mask   (b, n, n)  0 or 1, the shape and a little bare material round it
The first six come from the surface model's training (../../surface/training/geometry.py).
"""
import importlib.util
import math
import os

import torch
import torch.nn.functional as F

_path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../surface/training/geometry.py")
_spec = importlib.util.spec_from_file_location("surface_geometry", _path)
surface = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(surface)

grid, uniform, fractal_noise = surface._grid, surface._u, surface.fractal_noise


def blisters(b, n, g):
    h, m = surface.droplets(b, n, g, "cpu")
    bumps = 1 + 0.15 * fractal_noise(b, n, g, "cpu", octaves=4, base=8)
    return torch.tanh(h * 6) / 6 * uniform(b, 0.3, 0.8, g, "cpu") * bumps, m


def gouges(b, n, g):
    """Furrows with raised rims."""
    x, y = grid(b, n, "cpu")
    h, mask = torch.zeros(b, n, n), torch.zeros(b, n, n)
    wobble = fractal_noise(b, n, g, "cpu", octaves=5, base=6) * 0.02
    for _ in range(2):
        a = torch.rand(b, 1, generator=g) * 2 * math.pi
        c = (torch.rand(b, 2, generator=g) - 0.5) * 0.8
        half = 0.2 + 0.35 * torch.rand(b, 1, generator=g)
        start = c - torch.cat([a.cos(), a.sin()], 1) * half
        end = c + torch.cat([(a + 0.4).cos(), (a + 0.4).sin()], 1) * half
        d, arc = surface._segment_distance(x + wobble, y - wobble, torch.stack([start, c, end], 1))
        r = d / (uniform(b, 0.02, 0.06, g, "cpu") * (1 - (2 * arc - 1) ** 2).clamp_min(0.05))
        h = h - torch.exp(-(r**2)) * 0.05 + torch.exp(-(((r - 1.5) / 0.5) ** 2)) * 0.015
        mask = torch.maximum(mask, (r < 2.6).float())
    return h, mask


def wrinkles(b, n, g):
    x, y = grid(b, n, "cpu")
    c = (torch.rand(b, 2, generator=g) - 0.5) * 0.5
    a = uniform(b, 0, math.pi, g, "cpu")
    x, y = x - c[:, 0, None, None], y - c[:, 1, None, None]
    along = x * a.cos() + y * a.sin() + fractal_noise(b, n, g, "cpu", octaves=3, base=3) * 0.12
    envelope = torch.exp(-(x**2 + y**2) / uniform(b, 0.05, 0.25, g, "cpu"))
    height = torch.sin(along * uniform(b, 12, 34, g, "cpu")) * envelope * uniform(b, 0.015, 0.05, g, "cpu")
    return height, (envelope > 0.12).float()


def nets(b, n, g):
    """Nets of cracks: the borders of Voronoi cells."""
    x, y = grid(b, n, "cpu")
    x = x + fractal_noise(b, n, g, "cpu", octaves=5, base=6) * 0.05
    y = y + fractal_noise(b, n, g, "cpu", octaves=5, base=6) * 0.05
    reach = uniform(b, 0.35, 1.0, g, "cpu")
    px, py = (torch.rand(b, 40, generator=g) * 2 - 1) * 1.1, (torch.rand(b, 40, generator=g) * 2 - 1) * 1.1
    nearest, second = torch.full_like(x, 9.0), torch.full_like(x, 9.0)
    for i in range(40):
        d = torch.sqrt((x - px[:, i, None, None]) ** 2 + (y - py[:, i, None, None]) ** 2)
        second = torch.minimum(second, torch.maximum(nearest, d))
        nearest = torch.minimum(nearest, d)
    width = uniform(b, 0.006, 0.022, g, "cpu")
    depth = torch.sigmoid((width - (second - nearest)) / (0.3 * width + 0.002))
    r = torch.sqrt(x**2 + y**2) + fractal_noise(b, n, g, "cpu", octaves=3, base=3) * 0.2
    inside = torch.sigmoid((reach - r) / 0.05)
    return -depth * inside * uniform(b, 0.02, 0.06, g, "cpu"), (r < reach + 0.05).float()


def flakes(b, n, g):
    """Peeling paint: chips whose edge curls up."""
    h, m = surface.chips(b, n, g, "cpu")
    mean = F.avg_pool2d(F.pad(h[:, None], (3, 3, 3, 3), mode="replicate"), 7, 1)[:, 0]
    return h + (h - mean).clamp_min(0) * uniform(b, 0.0, 1.5, g, "cpu"), m


def hairlines(b, n, g):
    """Thin cracks as people trace them over a whole photograph: one or two pixels wide, in a band."""
    x, y = grid(b, n, "cpu")
    x = x + fractal_noise(b, n, g, "cpu", octaves=6, base=6) * 0.06
    y = y + fractal_noise(b, n, g, "cpu", octaves=6, base=6) * 0.06
    h, mask = torch.zeros(b, n, n), torch.zeros(b, n, n)
    pixel = 2 / n
    width = uniform(b, 0.6 * pixel, 2.2 * pixel, g, "cpu")
    reach = uniform(b, 4 * pixel, 9 * pixel, g, "cpu")
    for k in range(3):
        there = 1.0 if k == 0 else (torch.rand(b, 1, 1, generator=g) < 0.5).float()
        a = torch.rand(b, 1, generator=g) * 2 * math.pi
        p = [(torch.rand(b, 2, generator=g) - 0.5) * 1.2 - torch.cat([a.cos(), a.sin()], 1) * 0.7]
        for _ in range(10):
            a = a + (torch.rand(b, 1, generator=g) - 0.5) * 0.9
            p.append(p[-1] + 0.17 * torch.cat([a.cos(), a.sin()], 1))
        d, arc = surface._segment_distance(x, y, torch.stack(p, 1))
        thick = width * (0.6 + 0.4 * torch.sin(arc * 17 + k)) * (1 if k == 0 else 0.8)
        h = torch.maximum(h, torch.sigmoid((thick - d) / (0.3 * thick + 0.35 * pixel)) * there)
        mask = torch.maximum(mask, (d < reach).float() * there)
    return -h * uniform(b, 0.02, 0.06, g, "cpu"), mask


def _on_cpu(function):
    def draw(b, n, g):
        return function(b, n, g, "cpu")

    draw.__name__ = function.__name__
    return draw


# The eleven kinds of the physical cases, in their order; hairlines are for training alone.
KINDS = [_on_cpu(k) for k in surface.KINDS] + [blisters, gouges, wrinkles, nets, flakes, hairlines]
NAMES = [k.__name__ for k in KINDS]
CASES = len(KINDS) - 1
