# SPDX-License-Identifier: GPL-3.0-or-later
"""Write tiny random CLIP text encoders and their outputs.

SD 1: like CLIP-L, with quick_gelu. SD 2: like OpenCLIP-H, with gelu. SDXL: a pair, one with projection.
"""
import os, sys, torch
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
torch.set_grad_enabled(False); out = sys.argv[1]
def shake(m, s):
    g = torch.Generator().manual_seed(s)
    for n, p in m.named_parameters():
        if p.ndim > 1: p.copy_(torch.randn(p.shape, generator=g) * (1.0 / p.shape[-1]) ** 0.5 * (0.3 if "embedding" in n else 1))
        elif "norm" in n and n.endswith("weight"): p.copy_(1 + 0.1 * torch.randn(p.shape, generator=g))
        else: p.copy_(0.1 * torch.randn(p.shape, generator=g))
    return m.eval()
V = 200  # tiny vocabulary: BOS 198, EOS 199
base = dict(vocab_size=V, max_position_embeddings=77, bos_token_id=198, eos_token_id=199, pad_token_id=1)
sets = {"sd15": [("text_encoder", CLIPTextModel, dict(base, hidden_size=24, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4, hidden_act="quick_gelu"), [198] + [199] * 76)],
        "sd21": [("text_encoder", CLIPTextModel, dict(base, hidden_size=40, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4, hidden_act="gelu"), [198, 199] + [0] * 75)],
        "sdxl": [("text_encoder", CLIPTextModel, dict(base, hidden_size=24, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4, hidden_act="quick_gelu", projection_dim=40), [198] + [199] * 76),
                 ("text_encoder_2", CLIPTextModelWithProjection, dict(base, hidden_size=40, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4, hidden_act="gelu", projection_dim=40), [198, 199] + [0] * 75)]}
for fam, encs in sets.items():
    G = {}
    for i, (name, cls, cfg, ids) in enumerate(encs):
        m = shake(cls(CLIPTextConfig(**cfg)), 11 + i); d = f"{out}/{fam}/{name}"; m.save_pretrained(d)
        x = torch.tensor([ids]); o = m(x, output_hidden_states=True)
        G[name + ".input_ids"] = x; G[name + ".last_hidden_state"] = o.last_hidden_state; G[name + ".penultimate"] = o.hidden_states[-2]
        G[name + ".pooled"] = o.text_embeds if cls is CLIPTextModelWithProjection else o.pooler_output
        y = torch.tensor([[198, 5, 17, 42, 199] + [1] * 72]); o = m(y, output_hidden_states=True)
        G[name + ".prompt_ids"] = y; G[name + ".prompt_last_hidden_state"] = o.last_hidden_state; G[name + ".prompt_pooled"] = o.text_embeds if cls is CLIPTextModelWithProjection else o.pooler_output
    save_file({k: v.contiguous() for k, v in G.items()}, f"{out}/{fam}/golden_text.safetensors"); print(fam, {k: tuple(v.shape) for k, v in G.items()})
