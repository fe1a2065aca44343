# SPDX-License-Identifier: GPL-3.0-or-later
"""The method's streams on diffusers' UNet2DConditionModel, one step of inversion and one of generation, as core/diffusion does.

    target    reads itself
    geometry  reads itself and the target     Texture-aligning Attention
    output    reads the geometry and the target that were kept; starts from the geometry's noisy latents

The network is run in two parts, so that training can keep what does not change: `encoder` (the way down and the middle), whose
weights stay, and `decoder` (the way up), which is trained. All latents are (b, 4, h, w); `t` is a time of the schedule.
"""
import os

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel


class Reading:
    """Attention processor: self-attention reads the normed hidden states of the streams in `control.read`, None being its own.
    It records its own in `control.kept`."""

    def __init__(self, control, name):
        self.control, self.name = control, name

    def __call__(self, attn, x, encoder_hidden_states=None, attention_mask=None, temb=None, **kw):
        c, context = self.control, encoder_hidden_states
        if context is None:
            c.kept[self.name] = x.detach()
            context = torch.cat([x if kept is None else kept[self.name] for kept in c.read], 1)
        heads = lambda y: y.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
        out = torch.nn.functional.scaled_dot_product_attention(heads(attn.to_q(x)), heads(attn.to_k(context)), heads(attn.to_v(context)))
        return attn.to_out[0](out.transpose(1, 2).flatten(2))


class Streams:
    def __init__(self, model):
        self.unet = UNet2DConditionModel.from_pretrained(os.path.join(model, "unet"), torch_dtype=torch.float32).eval()
        self.alphas = DDIMScheduler.from_pretrained(os.path.join(model, "scheduler")).alphas_cumprod
        self.read, self.kept = [None], {}
        self.unet.set_attn_processor({name: Reading(self, name) for name in self.unet.attn_processors})

    def trained(self):
        """The parameters of the way up."""
        parts = (self.unet.up_blocks, self.unet.conv_norm_out, self.unet.conv_out)
        return [p for part in parts for p in part.parameters()]

    def _context(self, z):
        return torch.zeros(len(z), 1, self.unet.config.cross_attention_dim)

    def _time(self, t, b):
        u = self.unet
        return u.time_embedding(u.time_proj(torch.as_tensor(t).expand(b)).float())

    def encoder(self, z, t, read=(None,)):
        """-> hidden states that the way up needs: the middle's last, the others first."""
        self.read, self.kept = read, {}
        u, emb, context = self.unet, self._time(t, len(z)), self._context(z)
        x = u.conv_in(z)
        states = [x]
        for block in u.down_blocks:
            more = dict(encoder_hidden_states=context) if getattr(block, "has_cross_attention", False) else {}
            x, new = block(hidden_states=x, temb=emb, **more)
            states += new
        return states + [u.mid_block(x, emb, encoder_hidden_states=context)]

    def decoder(self, states, t, read=(None,), last=True):
        """-> the predicted v; last=False: the input of the last convolution."""
        self.read = read
        u, b = self.unet, len(states[0])
        emb, context, states, x = self._time(t, b), self._context(states[0]), list(states[:-1]), states[-1]
        for block in u.up_blocks:
            skips, states = states[-len(block.resnets):], states[:-len(block.resnets)]
            more = dict(encoder_hidden_states=context) if getattr(block, "has_cross_attention", False) else {}
            x = block(hidden_states=x, temb=emb, res_hidden_states_tuple=tuple(skips), **more)
        x = u.conv_act(u.conv_norm_out(x))
        return u.conv_out(x) if last else x

    def noise(self, v, z, t):
        a = self.alphas[t].view(-1, 1, 1, 1)
        return a.sqrt() * v + (1 - a).sqrt() * z

    def clean(self, v, z, t):
        a = self.alphas[t].view(-1, 1, 1, 1)
        return a.sqrt() * z - (1 - a).sqrt() * v

    def inverted(self, z, t, read=(None,)):
        """One explicit step of inversion from clean latents -> noisy latents, kept hidden states of all attention sites."""
        v = self.decoder(self.encoder(z, t, read), t, read)
        a = self.alphas[t]
        return a.sqrt() * z + (1 - a).sqrt() * self.noise(v, z, t), self.kept

    def start(self, d, t):
        """Inverts target and edit -> the output's noisy latents, and what it reads: [geometry's, target's]."""
        target, of_target = self.inverted(d["target"], t)
        geometry, of_geometry = self.inverted(d["edit"], t, (None, of_target))
        return d["mask"] * geometry + (1 - d["mask"]) * target, [of_geometry, of_target]

    def output(self, d, t):
        """The whole method with one step each way -> clean latents of the result inside the selection."""
        z, read = self.start(d, t)
        return self.clean(self.decoder(self.encoder(z, t, read), t, read), z, t)
