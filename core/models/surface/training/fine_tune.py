# SPDX-License-Identifier: GPL-3.0-or-later
"""fine_tune.py MODEL TRAIN.pt VALIDATION.pt OUT [--noise T] [--seconds S] [--rate R] [--solve]: trains the way up of MODEL's UNet to
turn edits into truths.

TRAIN.pt and VALIDATION.pt come from pairs.py. The output starts from the edit's latents after one step of inversion to time T and
reads the kept keys of edit and target, as a preset with one step does. The loss is the squared error of its clean latents to those
of the truth, in the selection. A second part holds the network to its first weights where it inverts: on plain textures, noisy at
any time or clean at T, and on the edits themselves. Otherwise the same weights move the inversion too, and the gain is lost. The
way down and the streams that are read stay those of the first weights while it trains.

Writes OUT.tsv, the curve: step, crops seen, seconds, loss of the edits, change where it inverts, and on the validation
  ratio     error of the result to the truth / error of the edit, in the selection; below 1 is a gain
  best      that ratio at the best strength of the correction, and that strength
and OUT.safetensors, the UNet's weights in the shipped layout. --solve first sets the last convolution by least squares. OUT.kept,
which is made first, is used again by a later run with the same data and T.
"""
import argparse
import os
import time

import torch
from safetensors.torch import save_file

from streams import Streams

BATCH, PLAIN, KEEP, EVERY = 4, 48, 0.5, 25


def rows(d, i):
    return {k: v[i] for k, v in d.items()} if isinstance(d, dict) else [v[i] for v in d]


class Kept:
    """What the way up needs of each crop, computed once with the first weights, as fp16."""

    @torch.no_grad()
    def __init__(self, net, d, t):
        self.d, self.t, parts = d, t, []
        half = lambda x: x.half()
        for i in range(0, len(d["edit"]), BATCH):
            z, read = net.start(rows(d, slice(i, i + BATCH)), t)
            states = net.encoder(z, t, read)
            up = {k: [half(r[k]) for r in read] for k in read[0] if k.startswith("up_blocks")}
            parts.append((z, [half(s) for s in states], up))
        self.z = torch.cat([p[0] for p in parts])
        self.states = [torch.cat(s) for s in zip(*[p[1] for p in parts])]
        self.read = [{k: torch.cat([p[2][k][j] for p in parts]) for k in parts[0][2]} for j in (0, 1)]

    def result(self, net, i, last=True):
        states = [s[i].float() for s in self.states]
        read = [{k: v[i].float() for k, v in r.items()} for r in self.read]
        v = net.decoder(states, self.t, read, last)
        return net.clean(v, self.z[i], self.t) if last else v


class Plain:
    """Plain textures, half of them noisy at random times, half clean at T, with what the first weights say about them."""

    @torch.no_grad()
    def __init__(self, net, z, t, g):
        z = z[torch.randperm(len(z), generator=g)[:PLAIN]]
        self.times = torch.where(torch.arange(len(z)) % 2 == 0, torch.randint(1, 1000, (len(z),), generator=g), torch.tensor(t))
        a = net.alphas[self.times].view(-1, 1, 1, 1)
        noisy = (torch.arange(len(z)) % 2 == 0).view(-1, 1, 1, 1)
        z = torch.where(noisy, a.sqrt() * z + (1 - a).sqrt() * torch.randn(z.shape, generator=g), z)
        self.states, self.v = [], []
        for i in range(0, len(z), BATCH):
            states = net.encoder(z[i:i + BATCH], self.times[i:i + BATCH])
            self.v.append(net.decoder(states, self.times[i:i + BATCH]))
            self.states.append([s.half() for s in states])
        self.states, self.v = [torch.cat(s) for s in zip(*self.states)], torch.cat(self.v)

    def result(self, net, i, last=True):
        return net.decoder([s[i].float() for s in self.states], self.times[i], last=last)


class Inverted:
    """Edits in their inversion at T, which read themselves and the target, with what the first weights say about them."""

    @torch.no_grad()
    def __init__(self, net, d, t):
        self.t, parts = t, []
        for i in range(0, len(d["edit"]), BATCH):
            x = rows(d, slice(i, i + BATCH))
            read = (None, net.inverted(x["target"], t)[1])
            states = net.encoder(x["edit"], t, read)
            up = {k: v.half() for k, v in read[1].items() if k.startswith("up_blocks")}
            parts.append(([s.half() for s in states], up, net.decoder(states, t, read)))
        self.states = [torch.cat(s) for s in zip(*[p[0] for p in parts])]
        self.of_target = {k: torch.cat([p[1][k] for p in parts]) for k in parts[0][1]}
        self.v = torch.cat([p[2] for p in parts])

    def result(self, net, i, last=True):
        read = (None, {k: v[i].float() for k, v in self.of_target.items()})
        return net.decoder([s[i].float() for s in self.states], self.t, read, last)


def still(net, kept, g):
    """The mean squared change of the velocity since the first weights, on one random row of each of `kept`."""
    i = [torch.randint(len(k.v), (1,), generator=g) for k in kept]
    return sum(((k.result(net, j) - k.v[j]) ** 2).mean() for k, j in zip(kept, i)) / len(kept)


def error(x, d):
    return (((x - d["truth"]) ** 2) * d["mask"]).sum((1, 2, 3))


def figures(x, d):
    """-> ratio, ratio at the best strength, that strength."""
    edit, moved, wanted = error(d["edit"], d).sum(), x - d["edit"], d["truth"] - d["edit"]
    share = ((moved * wanted * d["mask"]).sum() / (moved * moved * d["mask"]).sum()).clamp(0, 2)
    at = lambda c: float(error(d["edit"] + c * moved, d).sum() / edit)
    return at(1), at(share), float(share)


@torch.no_grad()
def validate(result, d):
    return figures(torch.cat([result(slice(i, i + BATCH)) for i in range(0, len(d["edit"]), BATCH)]), d)


@torch.no_grad()
def solve(net, kept, held, ridge=0.02):
    """Sets the last convolution so that the squared error is least, on the edits of `kept` and on all that is `held`."""
    conv, t = net.unet.conv_out, kept.t
    a, normal, right, total = net.alphas[t], 0, 0, 0
    patches = lambda h: torch.cat([torch.nn.functional.unfold(h, 3, padding=1), torch.ones(len(h), 1, h.shape[2] * h.shape[3])], 1)
    weight = torch.cat([conv.weight.flatten(1), conv.bias[:, None]], 1)

    def add(h, v, w):
        nonlocal normal, right, total
        x, w = patches(h), w.flatten(2)
        left = v.flatten(2) - weight @ x
        normal, right = normal + ((x * w) @ x.mT).sum(0), right + ((x * w) @ left.mT).sum(0)
        total += float(w.sum())

    for i in range(0, len(kept.z), BATCH):
        i = slice(i, i + BATCH)
        d = rows(kept.d, i)
        add(kept.result(net, i, last=False), (a.sqrt() * kept.z[i] - d["truth"]) / (1 - a).sqrt(), d["mask"])
    for same in held:
        for i in range(0, len(same.v), BATCH):
            i = slice(i, i + BATCH)
            add(same.result(net, i, last=False), same.v[i], torch.full_like(same.v[i][:, :1], KEEP))
    change = torch.linalg.solve(normal + ridge * normal.diagonal().mean() * torch.eye(len(normal)), right).T
    conv.weight += change[:, :-1].reshape(conv.weight.shape)
    conv.bias += change[:, -1]


def save(net, out):
    """Writes the weights as fp16 in the layout of MODEL/unet/diffusion_pytorch_model.safetensors."""
    save_file({k: v.half().contiguous() for k, v in net.unet.state_dict().items()}, out + ".part")
    os.replace(out + ".part", out + ".safetensors")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("model"), a.add_argument("train"), a.add_argument("validation"), a.add_argument("out")
    a.add_argument("--noise", type=int, default=250), a.add_argument("--seconds", type=float, default=1800)
    a.add_argument("--rate", type=float, default=1e-4), a.add_argument("--solve", action="store_true")
    a = a.parse_args()
    torch.set_num_threads(1), torch.manual_seed(0)
    g = torch.Generator().manual_seed(1)
    net = Streams(a.model)
    net.unet.requires_grad_(False)
    load = lambda f: {k: v for k, v in torch.load(f).items() if k in ("edit", "target", "truth", "mask")}
    train, validation = load(a.train), load(a.validation)
    begun = time.time()

    def write(*values):
        line = "\t".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in values)
        print(line, flush=True)
        with open(a.out + ".tsv", "a") as f:
            f.write(line + "\n")

    write("# time", a.noise, "whole method, first weights", *validate(lambda i: net.output(rows(validation, i), a.noise), validation))
    if not os.path.exists(a.out + ".kept"):
        torch.save([Kept(net, validation, a.noise), Kept(net, train, a.noise), Plain(net, train["target"], a.noise, g),
                    Inverted(net, rows(train, slice(0, None, 2)), a.noise)], a.out + ".kept")
    seen_later, kept, *held = torch.load(a.out + ".kept", weights_only=False)
    write("step", "crops", "seconds", "edits", "change", "ratio", "best", "strength")
    look = lambda: validate(lambda i: seen_later.result(net, i), validation)
    write(0, 0, time.time() - begun, 0.0, 0.0, *look())
    if a.solve:
        solve(net, kept, held)
        write("# after least squares", *look())
        write("# time", a.noise, "whole method", *validate(lambda i: net.output(rows(validation, i), a.noise), validation))
    for p in net.trained():
        p.requires_grad_(True)
    optimizer = torch.optim.AdamW(net.trained(), a.rate, weight_decay=0.01)
    scale, step, log = float(error(train["edit"], train).mean()), 0, []
    begun = time.time()
    while (now := time.time() - begun) < a.seconds:
        for group in optimizer.param_groups:
            group["lr"] = a.rate * min(1, (step + 1) / 20) * max(0.02, 1 - now / a.seconds)
        i = torch.randint(len(train["edit"]), (BATCH,), generator=g)
        edits = error(kept.result(net, i), rows(train, i)).mean() / scale
        same = still(net, held, g)
        optimizer.zero_grad()
        (edits + KEEP * same).backward()
        torch.nn.utils.clip_grad_norm_(net.trained(), 1.0)
        optimizer.step()
        step += 1
        log.append((float(edits), float(same)))
        if step % EVERY == 0:
            edits, same = torch.tensor(log[-EVERY:]).mean(0).tolist()
            write(step, step * BATCH, now, edits, same, *look())
            save(net, a.out)
    save(net, a.out)
    write("# time", a.noise, "whole method, last weights", *validate(lambda i: net.output(rows(validation, i), a.noise), validation))


if __name__ == "__main__":
    main()
