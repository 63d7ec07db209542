"""A Llama that grows, every matrix built and logits at every position."""

import torch
import torch.nn.functional as F

from .small import Growing, widen_columns, widen_rows


def widen_heads(weight, m, size):
    """C ⊗ I over rows: whole heads are blended."""
    inputs = weight.shape[1]
    return widen_rows(weight.reshape(-1, size * inputs), m).view(-1, inputs)


def widen_read_values(weight, m, size, group):
    """Columns of o: each unit of a value stands once for every head that shares it."""
    out = weight.shape[0]
    units = weight.view(out, -1, group, size).transpose(1, 2).reshape(out * group, -1)
    return widen_columns(units, m).view(out, group, -1, size).transpose(1, 2).reshape(out, -1)


def rotated(x, cosines, sines):
    first, second = x.chunk(2, -1)
    return x * cosines + torch.cat([-second, first], -1) * sines


class Llama(Growing):
    def __init__(self, values, heads, hidden, ffn, group=2, size=32):
        shared = hidden // group
        shapes = {"q": (hidden, hidden), "k": (shared, hidden), "v": (shared, hidden), "o": (hidden, hidden)}
        super().__init__(values, {**shapes, "gate": (ffn, hidden), "fc1": (ffn, hidden), "fc2": (hidden, ffn)})
        self.heads, self.group, self.size = heads, group, size

    def norm(self, x, weight):
        weight = widen_rows(weight, self.width["residual"])
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight

    def split(self, x):
        return x.view(*x.shape[:2], -1, self.size).transpose(1, 2)

    def layer(self, x, index, mask, angles):
        residual = self.width["residual"]
        query, key, value, ffn = (self.width[f"{space}.{index}"] for space in ("query", "key", "value", "ffn"))
        read = {kind: widen_columns(self.blend(kind, index), residual) for kind in ("q", "k", "v", "gate", "fc1")}
        normalised = self.norm(x, self.blend("ln1", index))
        queries = self.split(F.linear(normalised, widen_heads(read["q"], query, self.size)))
        keys = self.split(F.linear(normalised, widen_heads(read["k"], key, self.size)))
        values = self.split(F.linear(normalised, widen_rows(read["v"], value)))
        queries, keys = rotated(queries, *angles), rotated(keys, *angles)
        keys, values = (shared.repeat_interleave(self.group, 1) for shared in (keys, values))
        scores = torch.matmul(queries, keys.transpose(-1, -2)) / self.size**0.5 + mask
        context = torch.matmul(torch.softmax(scores, -1), values).transpose(1, 2).reshape(x.shape)
        o = widen_read_values(self.blend("o", index), value, self.size, self.group)
        x = x + F.linear(context, widen_rows(o, residual))
        normalised = self.norm(x, self.blend("ln2", index))
        gate, up = (F.linear(normalised, widen_rows(read[kind], ffn)) for kind in ("gate", "fc1"))
        down = widen_rows(widen_columns(self.blend("fc2", index), ffn), residual)
        return x + F.linear(F.silu(gate) * up, down)

    def loss(self, ids, labels):
        residual = self.width["residual"]
        x = F.embedding(ids, widen_columns(self.small["embeddings.word.weight"], residual))
        length = ids.shape[1]
        mask = torch.full((length, length), float("-inf")).triu(1)
        frequencies = 1.0 / 10000.0 ** (torch.arange(0, self.size, 2) / self.size)
        turns = torch.outer(torch.arange(length), frequencies).repeat(1, 2)
        for index in range(self.layers):
            x = self.layer(x, index, mask, (turns.cos(), turns.sin()))
        x = self.norm(x, self.small["final.norm.weight"])
        logits = F.linear(x, widen_columns(self.small["head.decoder.weight"], residual))
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))
