"""train.py SHARDS OUT SECONDS [--start FILE] [--threads N]: trains the relief network on the shards that draw.py writes.

Each step composes the layers of 16 crops on their targets and compares with the truth. OUT.pt is the exponential mean of the
weights, written every 250 steps; OUT.state.pt continues a killed run; OUT.tsv is the curve."""
import argparse
import glob
import os
import random
import time

import numpy as np
import torch
import torch.nn.functional as F

import network
from render import gaussian

SIDE, BATCH, RATE = 160, 16, 1e-3


class Shards:
    """The newest shards in memory; the folder is looked at again from time to time."""

    def __init__(self, folder, most=220):
        self.folder, self.most, self.known, self.data = folder, most, {}, []

    def look(self):
        files = [(os.path.getmtime(f), f) for f in glob.glob(self.folder + "/[0-9]*_*.npz")]
        for when, f in sorted(files)[-self.most:]:
            if self.known.get(f) != when:
                try:
                    z = np.load(f)
                    self.data.append({k: torch.from_numpy(z[k]) for k in z.files})
                    self.known[f] = when
                except Exception:
                    continue
        self.data = self.data[-self.most:]

    def batch(self):
        shard = random.choice(self.data)
        rows = torch.randperm(len(shard["mask"]))[:BATCH]
        n, parts = shard["mask"].shape[-1], []
        for r in rows.tolist():
            one = {k: v[r] for k, v in shard.items()}
            if n > SIDE:  # a cut round some pixel of the selection
                yy, xx = torch.nonzero(one["mask"] > 127, as_tuple=True)
                j = random.randrange(len(yy))
                top, left = (min(max(0, int(c[j]) - random.randrange(40, SIDE - 40)), n - SIDE) for c in (yy, xx))
                one = {k: v[..., top:top + SIDE, left:left + SIDE] for k, v in one.items()}
            parts.append(one)
        x = {k: torch.stack([p[k] for p in parts]).float() for k in parts[0]}
        x.pop("shift", None)
        x = {k: (v / 255 if v.dim() == 4 else v[:, None] / 255) for k, v in x.items()}
        x["mask"] = (x["mask"] > 0.5).float()
        if random.random() < 0.5:
            x = {k: v.flip(-1) for k, v in x.items()}
        if random.random() < 0.5:
            x = {k: v.transpose(-1, -2) for k, v in x.items()}
        order = torch.randperm(3)  # another colour of the light and the materials
        return {k: (v[:, order] if v.shape[1] == 3 else v).contiguous() for k, v in x.items()}


def losses(net, x):
    shade, light, own = network.layers(net, x["source"], x["mask"])
    out = network.compose(x["target"], x["source"], shade, light, own)
    weight = gaussian(F.max_pool2d(x["mask"], 9, 1, 4), 2.0) + 0.02
    area = weight.sum((1, 2, 3)) * 3
    e = out - x["truth"]
    each = lambda v: (v * weight[..., :v.shape[-2], :v.shape[-1]]).sum((1, 2, 3)) / area
    mean = lambda v: each(v).mean()
    pixels = mean((e * e + 1e-4).sqrt() - 0.01)
    edges = mean((e[..., :, 1:] - e[..., :, :-1]).abs()) + mean((e[..., 1:, :] - e[..., :-1, :]).abs())
    # Faint geometries count as much as strong ones: decibels, as the judges measure.
    decibels = 10 * torch.log10(each(e * e) + 3e-5).mean()
    # A crack keeps all of its depth, where a squared error would settle for less when it is unsure. Only clear darkness
    # counts.
    log = lambda v: torch.log(network.luma(v.clamp(0, 1)) + 0.02)
    have, want = log(out) - log(x["target"]), log(x["truth"]) - log(x["target"])
    dark = weight * (want < -0.25)
    power = (want * want * dark).sum((1, 2, 3))
    gain = (have * want * dark).sum((1, 2, 3)) / power.clamp_min(1e-3)
    trust = power / (power + 0.002 * weight.sum((1, 2, 3)))
    contrast = (trust * (gain - 1).clamp(-1, 1) ** 2).mean()
    relative = ((have - want).abs() * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3))
    known = F.l1_loss(own, x["own"], reduction="none")
    loss = pixels + 0.5 * edges + 2.5 * mean(e * e) + 0.005 * decibels + 0.03 * contrast + 0.05 * relative.mean() \
        + 0.15 * mean(known)
    with torch.no_grad():
        psnr = lambda y: (10 * torch.log10(area / (((y.clamp(0, 1) - x["truth"]) ** 2) * weight).sum((1, 2, 3)).clamp_min(1e-6))).mean()
        figures = [loss, psnr(out), psnr(x["target"]), gain[trust > 0.5].mean(), mean(known) * 100]
    return loss, [float(f) for f in figures]


def main():
    a = argparse.ArgumentParser()
    a.add_argument("shards"), a.add_argument("out"), a.add_argument("seconds", type=float)
    a.add_argument("--start"), a.add_argument("--threads", type=int, default=2), a.add_argument("--rate", type=float, default=RATE)
    a = a.parse_args()
    torch.set_num_threads(a.threads), torch.manual_seed(0), random.seed(0)
    net = network.ReliefNet()
    if a.start:
        state = torch.load(a.start)
        net.load_reference(state) if "stem.weight" in state else net.load(state)
    net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), a.rate, weight_decay=1e-4, betas=(0.9, 0.98))
    mean, step, spent, log = {k: v.clone() for k, v in net.state_dict().items()}, 0, 0.0, []
    if os.path.exists(a.out + ".state.pt"):
        s = torch.load(a.out + ".state.pt")
        net.load_state_dict(s["net"]), optimizer.load_state_dict(s["optimizer"])
        mean, step, spent = s["mean"], s["step"], s["spent"]
    shards, begun = Shards(a.shards), time.time() - spent
    while (now := time.time() - begun) < a.seconds:
        if step % 50 == 0:
            shards.look()
        rate = float(a.rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * np.cos(np.pi * now / a.seconds)) + 1e-5)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss, figures = losses(net, shards.batch())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
        for k, v in net.state_dict().items():
            mean[k].lerp_(v, 1 - min(0.998, (step + 20) / (step + 60)))
        log.append(figures)
        if step % 50 == 0:
            line = "\t".join(f"{v:.4g}" for v in [step, step * BATCH, now, len(shards.data), *np.nanmean(log[-50:], 0)])
            print(line, flush=True)
            with open(a.out + ".tsv", "a") as f:
                f.write(line + "\n")
        if step % 250 == 0:
            torch.save(mean, a.out + ".pt")
            torch.save(dict(net=net.state_dict(), optimizer=optimizer.state_dict(), mean=mean, step=step, spent=now), a.out + ".state.tmp")
            os.replace(a.out + ".state.tmp", a.out + ".state.pt")
    torch.save(mean, a.out + ".pt")


if __name__ == "__main__":
    main()
