# SPDX-License-Identifier: GPL-3.0-or-later
"""Reference prototype of Harmonizing Attention on any diffusers UNet2DConditionModel + AutoencoderKL (CPU or GPU).

Streams are rows of one batch. For the row that asks, `key_rows` says which rows' keys and values it reads:
  inversion   src:[src]  tar:[tar]  geo:[geo,tar]          (Texture-aligning Attention)
  generation  src:[src]  tar:[tar]  out:[out,geo|src,tar]  (Geometry-preserving Attention)
"""
import math, torch, torch.nn.functional as F


def sdpa(q, k, v, bias=None):
    if q.is_cuda: return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    a = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if bias is not None: a = a + bias
    return a.softmax(-1) @ v


class Routed:
    """Attention processor for attn1: row r reads keys/values of rows key_rows[r], concatenated along tokens."""
    def __init__(self, ctl, name): self.ctl, self.name = ctl, name

    def __call__(self, attn, x, encoder_hidden_states=None, attention_mask=None, temb=None, **kw):
        b, n, c = x.shape
        ctx = x if encoder_hidden_states is None else encoder_hidden_states
        h = attn.heads
        q = attn.to_q(x).view(b, n, h, -1).transpose(1, 2)
        k = attn.to_k(ctx).view(b, ctx.shape[1], h, -1).transpose(1, 2)
        v = attn.to_v(ctx).view(b, ctx.shape[1], h, -1).transpose(1, 2)
        R = self.ctl.key_rows
        if encoder_hidden_states is not None or R is None:
            o = sdpa(q, k, v)
        else:
            outs = []
            for r in range(b):
                refs = R[r]
                kk = torch.cat([k[j] for j, _ in refs], 1)[None]
                vv = torch.cat([v[j] for j, _ in refs], 1)[None]
                bias = self.ctl.bias(refs, n, q.dtype, q.device, h) if any(w is not None for _, w in refs) else None
                outs.append(sdpa(q[r][None], kk, vv, bias))
            o = torch.cat(outs)
        o = o.transpose(1, 2).reshape(b, n, -1)
        return attn.to_out[1](attn.to_out[0](o))


class Control:
    def __init__(self, unet):
        self.key_rows = None; self.masks = {}
        procs = {}
        for n in unet.attn_processors: procs[n] = Routed(self, n)
        unet.set_attn_processor(procs)

    def bias(self, refs, n, dtype, dev, heads):
        """Additive logit per key token: log of a weight map (1,1,H,W) pooled to the layer's resolution, or a number."""
        side = None; parts = []
        for j, w in refs:
            if w is None: parts.append(torch.zeros(n, dtype=dtype, device=dev))
            elif isinstance(w, (int, float)): parts.append(torch.full((n,), float(w), dtype=dtype, device=dev))
            else:
                H, W = w.shape[-2:]; s = math.sqrt(n / (H * W)); m = F.adaptive_avg_pool2d(w.float(), (round(H * s), round(W * s))).flatten()
                parts.append(torch.log(m.clamp_min(1e-4)).to(dtype).to(dev))
        return torch.cat(parts)[None, None, None, :]


def affine(img, mask, scale=1.0, angle=0.0, dx=0.0, dy=0.0):
    """Move the source (1,3,H,W) and its mask about the mask's centroid: scale, rotate (radians), shift in [-1,1] units."""
    th = torch.tensor([[math.cos(angle) / scale, -math.sin(angle) / scale, -dx], [math.sin(angle) / scale, math.cos(angle) / scale, -dy]])[None].to(img)
    grid = F.affine_grid(th, img.shape, align_corners=False)
    return F.grid_sample(img, grid, padding_mode="reflection", align_corners=False), F.grid_sample(mask, grid, align_corners=False)


def mean_in(x, m): return (x * m).sum((2, 3), keepdim=True) / m.sum((2, 3), keepdim=True).clamp_min(1)


def colour_adjust(src, tar, msrc, mtar, strength=1.0):
    return src + strength * (mean_in(tar, mtar) - mean_in(src, msrc))


class Pipe:
    def __init__(self, unet, vae, acp, prediction="v_prediction", ctx=None):
        self.unet, self.vae, self.acp, self.pred = unet, vae, acp.double(), prediction
        self.ctl = Control(unet); self.ctx = ctx

    def eps(self, z, t):
        al = self.acp[t].to(z)
        ctx = self.ctx.expand(z.shape[0], -1, -1).to(z) if self.ctx is not None else torch.zeros(z.shape[0], 1, self.unet.config.cross_attention_dim).to(z)
        o = self.unet(z, torch.tensor(t, device=z.device), ctx).sample
        return al.sqrt() * o + (1 - al).sqrt() * z if self.pred == "v_prediction" else o

    def move(self, z, e, t_from, t_to):
        a, b = self.acp[t_from].to(z) if t_from >= 0 else torch.tensor(1.0).to(z), self.acp[t_to].to(z) if t_to >= 0 else torch.tensor(1.0).to(z)
        x0 = (z - (1 - a).sqrt() * e) / a.sqrt()
        return b.sqrt() * x0 + (1 - b).sqrt() * e

    @torch.no_grad()
    def encode(self, x): return self.vae.encode(x * 2 - 1).latent_dist.mean * self.vae.config.scaling_factor

    @torch.no_grad()
    def decode(self, z): return (self.vae.decode(z / self.vae.config.scaling_factor).sample + 1) / 2

    @torch.no_grad()
    def run(self, src, tar, msrc, mgeo=None, geo=None, steps=20, iters=3, strength=1.0, ta=True, gp=("src", "tar", "out"), t_max=1000,
            blend_soft=0, geo_canvas="source", mask_keys=False, gp_until=0.0, adain=False):
        """src,tar 1,3,H,W in [0,1]; masks 1,1,H,W. geo defaults to src at place (no affine)."""
        mgeo = msrc if mgeo is None else mgeo
        g = src if geo is None else geo
        g = colour_adjust(g, tar, mgeo, mgeo, strength).clamp(0, 1)
        if geo_canvas == "paste": g = g * mgeo + tar * (1 - mgeo)
        zs, zt, zg = self.encode(src), self.encode(tar), self.encode(g)
        ts = [round(i * t_max / steps) + 1 for i in range(steps)]; ts = [min(t, 999) for t in ts]
        m = F.adaptive_avg_pool2d(mgeo, zs.shape[-2:])
        m = F.max_pool2d(m, 3, 1, 1) if blend_soft < 0 else m
        z = torch.cat([zs, zt, zg]); prev = -1; traj = [z]
        for t in ts:                                   # implicit (fixed-point) DDIM inversion
            zk = z
            self.ctl.key_rows = [[(0, None)], [(1, None)], [(2, None), (1, None)] if ta else [(2, None)]]
            for _ in range(iters):
                zk = self.move(z, self.eps(zk, t), prev, t)
            z = zk; traj.append(z); prev = t
        out = z[2:] * m + z[1:2] * (1 - m)
        if adain: pass
        rows = {"src": 0, "tar": 1, "geo": 2, "out": 3}
        wm = mgeo if mask_keys else None
        for i in range(steps - 1, -1, -1):
            t = ts[i]; nxt = ts[i - 1] if i else -1
            zz = torch.cat([traj[i + 1], out])
            refs = [(rows[k], (wm if k in ("src", "geo") else None)) for k in gp] if i / steps >= gp_until else [(3, None)]
            self.ctl.key_rows = [[(0, None)], [(1, None)], [(2, None), (1, None)] if ta else [(2, None)], refs]
            e = self.eps(zz, t)[3:]
            out = self.move(out, e, t, nxt)
        return self.decode(out).clamp(0, 1), g, traj
