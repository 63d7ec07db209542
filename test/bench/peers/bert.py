"""A BERT that grows, every matrix built and logits at every position."""

import torch
import torch.nn.functional as F

from .small import Growing, widen_columns, widen_rows

WIDTHS = {"q": "query", "k": "key", "v": "value"}


class Bert(Growing):
    def __init__(self, values, heads, hidden, ffn):
        square = {kind: (hidden, hidden) for kind in "qkvo"}
        super().__init__(values, {**square, "fc1": (ffn, hidden), "fc2": (hidden, ffn)})
        self.heads = heads

    def linear(self, x, kind, layer, inner, out):
        weight = widen_rows(widen_columns(self.blend(kind, layer, "weight"), inner), out)
        return F.linear(x, weight, widen_rows(self.blend(kind, layer, "bias"), out))

    def norm(self, x, kind, layer):
        residual = self.width["residual"]
        weight = widen_rows(self.blend(kind, layer, "weight"), residual)
        bias = widen_rows(self.blend(kind, layer, "bias"), residual)
        return F.layer_norm(x, weight.shape, weight, bias, 1e-12)

    def outer_norm(self, x, name, m):
        weight, bias = (widen_rows(self.small[f"{name}.norm.{part}"], m) for part in ("weight", "bias"))
        return F.layer_norm(x, weight.shape, weight, bias, 1e-12)

    def split(self, x):
        return x.view(*x.shape[:2], self.heads, -1).permute(0, 2, 1, 3)

    def layer(self, x, index):
        residual = self.width["residual"]
        value, ffn = self.width[f"value.{index}"], self.width[f"ffn.{index}"]
        queries, keys, values = (
            self.split(self.linear(x, kind, index, residual, self.width[f"{name}.{index}"]))
            for kind, name in WIDTHS.items()
        )
        scores = torch.matmul(queries, keys.transpose(-1, -2)) / queries.shape[-1] ** 0.5
        context = torch.matmul(torch.softmax(scores, -1), values).permute(0, 2, 1, 3).contiguous()
        attended = self.linear(context.view(x.shape), "o", index, value, residual)
        x = self.norm(attended + x, "ln1", index)
        inner = F.gelu(self.linear(x, "fc1", index, residual, ffn))
        return self.norm(self.linear(inner, "fc2", index, ffn, residual) + x, "ln2", index)

    def loss(self, ids, labels):
        residual, head = self.width["residual"], self.width["head"]
        word, position, kind = (
            widen_columns(self.small[f"embeddings.{name}.weight"], residual)
            for name in ("word", "position", "tokenType")
        )
        x = F.embedding(ids, word) + F.embedding(torch.zeros_like(ids), kind)
        x = x + F.embedding(torch.arange(ids.shape[1])[None], position)
        x = self.outer_norm(x, "embeddings", residual)
        for index in range(self.layers):
            x = self.layer(x, index)
        transform = widen_rows(widen_columns(self.small["head.transform.weight"], residual), head)
        x = F.gelu(F.linear(x, transform, widen_rows(self.small["head.transform.bias"], head)))
        x = self.outer_norm(x, "head", head)
        logits = F.linear(x, widen_columns(self.small["head.decoder.weight"], head), self.small["head.decoder.bias"])
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))
