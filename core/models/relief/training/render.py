"""Render one geometry on two materials, in linear light: a light that casts shadows, ambient occlusion, gloss, the material's own
micro relief, refraction in droplets, substrates laid bare, dark floors of deep cracks, and a camera for the source.

The same geometry rendered on material A is the source, on material B the truth of a transfer onto bare B.
"""
import math

import torch
import torch.nn.functional as F

from shapes import CASES, KINDS, NAMES, fractal_noise, uniform

WET = NAMES.index("droplets")
LAYERED = [NAMES.index(k) for k in ("chips", "flakes")]
METAL = [NAMES.index(k) for k in ("scratches", "gouges")]
DEEP = [NAMES.index(k) for k in ("crack", "nets", "hairlines")]
HOLES = [NAMES.index("hole")]


def to_linear(x):
    return torch.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def to_display(x):
    x = x.clamp(0, 1)
    return torch.where(x <= 0.0031308, x * 12.92, 1.055 * x.clamp_min(1e-8) ** (1 / 2.4) - 0.055)


def gaussian(x, sigma):
    r = max(1, int(round(3 * sigma)))
    k = torch.exp(-torch.arange(-r, r + 1).float() ** 2 / (2 * sigma * sigma))
    k = (k / k.sum()).to(x)
    c = x.shape[1]
    x = F.conv2d(F.pad(x, (r, r, 0, 0), mode="reflect"), k.view(1, 1, 1, -1).expand(c, 1, 1, -1), groups=c)
    return F.conv2d(F.pad(x, (0, 0, r, r), mode="reflect"), k.view(1, 1, -1, 1).expand(c, 1, -1, 1), groups=c)


def chance(b, share, g):
    return (torch.rand(b, 1, 1, generator=g) < share).float()


def draw_geometry(b, n, g, kinds=None, extras=False):
    """-> height, mask (b, n, n), kind (b), and the parameters of light and matter, each (b, 1, 1).

    kinds: indices to choose from; None: the eleven of the cases. extras: also dark floors and bared metal, for training."""
    choice = torch.tensor(kinds if kinds is not None else list(range(CASES)))
    idx = choice[torch.randint(len(choice), (b,), generator=g)]
    h, m = torch.zeros(b, n, n), torch.zeros(b, n, n)
    for k in idx.unique().tolist():
        rows = (idx == k).nonzero()[:, 0]
        h[rows], m[rows] = KINDS[k](len(rows), n, g)
    of = lambda names: sum((idx == k).float() for k in names)[:, None, None]
    laid = of(LAYERED)
    p = dict(
        azimuth=uniform(b, 0, 2 * math.pi, g, "cpu"), elevation=uniform(b, 0.35, 1.2, g, "cpu"),
        occlusion=uniform(b, 0.4, 1.0, g, "cpu"), gain=uniform(b, 0.6, 1.7, g, "cpu"), ambient=uniform(b, 0.25, 0.6, g, "cpu"),
        cool=uniform(b, -0.12, 0.15, g, "cpu"), gloss=uniform(b, 0, 1, g, "cpu") ** 3, sharp=uniform(b, 8, 80, g, "cpu"),
        micro=uniform(b, 0, 0.6, g, "cpu"), own=chance(b, 0.5, g) * laid, under=uniform(b, 0.4, 1.4, g, "cpu"),
        bend=uniform(b, 0.02, 0.1, g, "cpu"), wet=of([WET]), laid=laid,
        floor=torch.zeros(b, 1, 1), floor_tone=torch.zeros(b, 1, 1), metal=torch.zeros(b, 1, 1), metal_tone=torch.zeros(b, 1, 1))
    if extras:
        p["floor"] = chance(b, 0.5, g) * (of(DEEP) * uniform(b, 0.5, 1.0, g, "cpu")).maximum(of(HOLES) * uniform(b, 0.85, 1.0, g, "cpu"))
        p["floor_tone"] = uniform(b, 0.05, 0.22, g, "cpu") ** 2
        p["metal"] = chance(b, 0.5, g) * of(METAL) * uniform(b, 0.4, 1.0, g, "cpu")
        p["metal_tone"] = uniform(b, 0.1, 0.85, g, "cpu")
    return h, m, idx, p


def slopes(h, scale):
    h = F.pad(h[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    return (h[:, 1:-1, 2:] - h[:, 1:-1, :-2]) / 2 * scale, (h[:, 2:, 1:-1] - h[:, :-2, 1:-1]) / 2 * scale


def unit_grid(n):
    yy, xx = torch.meshgrid(torch.linspace(-1, 1, n), torch.linspace(-1, 1, n), indexing="ij")
    return xx, yy


def lit_share(h, p, n, steps=14, reach=0.22):
    """Soft visibility of the light from each pixel: 1 lit, 0 in cast shadow."""
    xx, yy = unit_grid(n)
    out, lx, ly, tan = torch.ones_like(h), p["azimuth"].cos(), p["azimuth"].sin(), p["elevation"].tan()
    for i in range(1, steps + 1):
        t = reach * (i / steps) ** 1.5
        other = F.grid_sample(h[:, None], torch.stack([xx + lx * t, yy + ly * t], -1), align_corners=True, padding_mode="border")[:, 0]
        out = torch.minimum(out, 1 - ((other - h) * p["gain"] * 0.9 - t * tan).div(0.012).clamp(0, 1))
    return F.avg_pool2d(F.pad(out[:, None], (1, 1, 1, 1), mode="replicate"), 3, 1)[:, 0]


def lambert(gx, gy, p):
    """-> diffuse light, and cosine of normal and half vector, for slopes gx, gy."""
    inv = torch.rsqrt(gx * gx + gy * gy + 1)
    lx, ly, lz = p["azimuth"].cos() * p["elevation"].cos(), p["azimuth"].sin() * p["elevation"].cos(), p["elevation"].sin()
    hx, hy, hz = lx, ly, lz + 1
    half = torch.sqrt(hx * hx + hy * hy + hz * hz)
    return ((-gx * lx - gy * ly + lz) * inv).clamp_min(0), ((-gx * hx - gy * hy + hz) * inv / half).clamp(0, 1)


def illuminate(h, p, n, texture):
    """-> ratio (b, 3, n, n) of light with the geometry to light without, highlight (b, n, n), slopes. The texture's own micro
    relief takes part, so the ratio is computed for each material."""
    gx, gy = slopes(h, n / 2 * 0.9)
    gx, gy = gx * p["gain"], gy * p["gain"]
    luma = texture.mean(1)
    mx, my = slopes((luma - gaussian(luma[:, None], 2.0)[:, 0]) * p["micro"], n / 16.0)
    flat, flat_glint = lambert(mx, my, p)
    diffuse, glint = lambert(gx + mx, gy + my, p)
    depth = (-h).clamp_min(0)
    round_about = F.avg_pool2d(F.pad(depth[:, None], (7, 7, 7, 7), mode="replicate"), 15, 1)[:, 0]
    open_sky = 1 - p["occlusion"] * (1 - torch.exp(-(0.6 * depth + 0.4 * round_about) * 20))
    lit, ambient = lit_share(h, p, n), p["ambient"]
    upward = torch.rsqrt(gx * gx + gy * gy + 1) * 0.5 + 0.5
    direct = (1 - ambient) * diffuse * lit / p["elevation"].sin()
    flat_direct = (1 - ambient) * flat / p["elevation"].sin()
    tint = torch.stack([1 - p["cool"], torch.ones_like(p["cool"]), 1 + p["cool"]], 1)
    ratio = (ambient[:, None] * tint * (open_sky * upward)[:, None] + (direct * open_sky.sqrt())[:, None]) / \
        (ambient[:, None] * tint + flat_direct[:, None]).clamp_min(0.05)
    highlight = p["gloss"] * (glint ** p["sharp"] - flat_glint ** p["sharp"]) * lit
    return ratio.clamp(0, 4), highlight, gx, gy


def render(texture, h, p, substrate=None):
    """texture (b, 3, n, n), display values -> (with the geometry on it, linear; share of pixels that show their own matter
    (b, n, n); refraction (b, 2, n, n) in pixels: x, y of the place that is seen, less the pixel's own).

    substrate: what chips lay bare where p["own"] is 1, display values."""
    n = texture.shape[-1]
    ratio, highlight, gx, gy = illuminate(h, p, n, texture)
    base, depth = to_linear(texture), (-h).clamp_min(0)
    xx, yy = unit_grid(n)
    shift = torch.stack([-p["wet"] * gx * p["bend"], -p["wet"] * gy * p["bend"]], 1) * (n - 1) / 2
    own = torch.zeros_like(h)
    if p["wet"].any():
        seen = torch.stack([xx + shift[:, 0] * 2 / (n - 1), yy + shift[:, 1] * 2 / (n - 1)], -1)
        base = F.grid_sample(base, seen, align_corners=True, padding_mode="reflection")
    if p["laid"].any():
        bare = torch.sigmoid((depth - 0.008) / 0.002) * p["laid"]
        flat = base.mean((2, 3), keepdim=True)
        under = (flat + (base - flat) * 0.5) * p["under"][:, None]
        if substrate is not None:
            under = under * (1 - p["own"][:, None]) + to_linear(substrate) * p["own"][:, None]
        base = base * (1 - bare[:, None]) + under * bare[:, None]
        own = torch.maximum(own, bare * p["own"])
    if p["metal"].any():
        bare = torch.sigmoid((depth / depth.amax((1, 2), keepdim=True).clamp_min(1e-6) - 0.35) / 0.08) * p["metal"]
        base = base * (1 - bare[:, None]) + p["metal_tone"][:, None] * bare[:, None]
        own = torch.maximum(own, bare)
    out = base * ratio + highlight[:, None].clamp_min(-0.05)
    if p["wet"].any():
        body = p["wet"] * (h > 0.002).float()
        nz = torch.rsqrt(gx * gx + gy * gy + 1)
        fresnel = 0.02 + 0.98 * (1 - nz) ** 4
        toward = (gx * p["azimuth"].cos() + gy * p["azimuth"].sin()).clamp(-1, 1.2)
        caustic = (1 + 0.6 * toward) * (0.75 + 0.25 * nz)  # light gathers on the far side of a drop
        sun = 2.5 * lambert(gx, gy, p)[1] ** 90
        inside = base * caustic[:, None] * (1 - fresnel)[:, None] + fresnel[:, None] * 0.8 + sun[:, None]
        out = (base * ratio) * (1 - p["wet"][:, None]) + p["wet"][:, None] * (base * ratio * (1 - body[:, None]) + inside * body[:, None]) \
            + highlight[:, None].clamp_min(-0.05) * (1 - p["wet"][:, None])
    if p["floor"].any():
        share = torch.sigmoid((depth / depth.amax((1, 2), keepdim=True).clamp_min(1e-6) - 0.5) / 0.08) * p["floor"]
        out = out * (1 - share[:, None]) + p["floor_tone"][:, None] * share[:, None]
        own = torch.maximum(own, share)
    return out, own, shift


def rough_mask(mask, g):
    """The mask as people select: grown by 0 to 8 pixels, some of them rounded."""
    out = []
    for i in range(mask.shape[0]):
        r = int(torch.randint(0, 9, (1,), generator=g))
        x = mask[i:i + 1, None]
        if r:
            x = F.max_pool2d(x, 2 * r + 1, 1, r)
        if torch.rand(1, generator=g) < 0.5:
            x = (gaussian(x, float(2 + 4 * torch.rand(1, generator=g))) > 0.35).float()
        out.append(x[:, 0])
    return torch.cat(out)


def camera(x, g):
    """Linear light -> display values of a photograph: exposure, uneven light, sharpness, noise."""
    b, _, n, _ = x.shape
    xx, yy = unit_grid(n)
    gradient = 1 + uniform(b, -0.25, 0.25, g, "cpu") * xx + uniform(b, -0.25, 0.25, g, "cpu") * yy
    x = to_display(x * gradient[:, None] * uniform(b, 0.75, 1.25, g, "cpu")[:, None])
    sigma = float(torch.rand(1, generator=g)) * 1.1
    if sigma > 0.35:
        x = gaussian(x, sigma)
    return (x + torch.randn(x.shape, generator=g) * (uniform(b, 0, 1, g, "cpu")[:, None] ** 2) * 0.02).clamp(0, 1)


def crops(pool, b, n, g):
    """Random materials (b, 3, n, n) from the textures (N, 3, 320, 320): placed, turned, their colour and contrast changed."""
    i = torch.randint(pool.shape[0], (b,), generator=g)
    x = torch.empty(b, 3, n, n)
    for j in range(b):
        top, left = torch.randint(0, 320 - n + 1, (2,), generator=g).tolist()
        c = pool[i[j], :, top:top + n, left:left + n].float() / 255
        if torch.rand(1, generator=g) < 0.5:
            c = c.flip(-1)
        x[j] = torch.rot90(c, int(torch.randint(4, (1,), generator=g)), (1, 2))
    gain = 1 + (torch.rand(b, 3, 1, 1, generator=g) - 0.5) * 0.2
    bright = 0.7 + 0.7 * torch.rand(b, 1, 1, 1, generator=g)
    gray = x.mean(1, keepdim=True)
    return ((gray + (x - gray) * 1.4 * torch.rand(b, 1, 1, 1, generator=g)) * gain * bright).clamp(0, 1)


def harder_source(x, g):
    """What photographs have and clean textures lack: strong grain, joints and stains that run on beyond the selection, darkness."""
    b, _, n, _ = x.shape
    grain = torch.randn(b, 1, n, n, generator=g)
    sigma = 0.5 + float(torch.rand(1, generator=g))
    grain = gaussian(grain, sigma) * (2 * math.sqrt(math.pi) * sigma)
    x = x * (1 + grain * (chance(b, 0.4, g) * uniform(b, 0.03, 0.2, g, "cpu"))[:, None])
    xx, yy = unit_grid(n)
    for _ in range(2):
        a, offset = uniform(b, 0, math.pi, g, "cpu"), uniform(b, -0.9, 0.9, g, "cpu")
        d = (xx * a.cos() + yy * a.sin() - offset).abs()
        line = torch.sigmoid((uniform(b, 0.008, 0.05, g, "cpu") - d) / 0.008) * chance(b, 0.15, g)
        x = x * (1 + line * uniform(b, -0.6, 0.5, g, "cpu"))[:, None]
    stain = torch.sigmoid(fractal_noise(b, n, g, "cpu", octaves=4, base=3) * 4) * chance(b, 0.2, g)
    x = x * (1 + stain * uniform(b, -0.25, 0.2, g, "cpu"))[:, None]
    return (x * (1 - chance(b, 0.3, g) * uniform(b, 0.0, 0.6, g, "cpu"))[:, None]).clamp(0, 1)


def draw_pairs(pool, b, n, g, kinds=None, extras=False):
    """-> dict of source, target, truth (b, 3, n, n) display values, mask (b, n, n), and what the renderer knows of the layers:
    own (b, n, n), shift (b, 2, n, n) in pixels. extras: harder sources and own matter, for training."""
    h, m, idx, p = draw_geometry(b, n, g, kinds, extras)
    a, material, substrate = crops(pool, b, n, g), crops(pool, b, n, g), crops(pool, b, n, g)
    if extras:
        a = harder_source(a, g)
    source, own, shift = render(a, h, p, substrate)
    truth = render(material, h, p, substrate)[0]
    return dict(source=camera(source, g), target=material, truth=to_display(truth), mask=rough_mask(m, g), own=own, shift=shift, kind=idx)
