"""One LiGO step as the released code computes it, in plain PyTorch: every grown matrix and table is
built, logits are computed at every position, autograd finds all gradients, torch.optim.AdamW
updates. A peer for `npm run bench -- --peer "python3 test/bench/peer.py"`; docs/speed.md says what
a peer is given and what it prints.
"""

import argparse
import json
import resource
import struct
import time

import torch
import torch.nn.functional as F

WIDTHS = {"q": "query", "k": "key", "v": "value"}


def read_safetensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(bytearray(data[slice(*entry["data_offsets"])]), dtype=torch.float32).view(entry["shape"])
        for name, entry in header.items()
    }


def widen_rows(weight, m):
    return weight if m is None else torch.cat([weight, m @ weight], 0)


def widen_columns(weight, m):
    return weight if m is None else torch.cat([weight, weight @ m.t()], 1)


class Model:
    def __init__(self, values, heads):
        self.heads = heads
        self.small = {name[6:]: value for name, value in values.items() if name.startswith("small.")}
        self.layers = values["depth.q.weight"].shape[0]
        self.hidden = self.small["embeddings.word.weight"].shape[1]
        # Layers lie in the last axis and every layer has its own coefficients, as in the released code.
        for kind in ("q", "k", "v", "o", "fc1", "fc2", "ln1", "ln2"):
            for part in ("weight", "bias"):
                stack = self.small[f"{kind}.{part}"]
                if part == "weight" and not kind.startswith("ln"):
                    ffn = stack.shape[1] // self.hidden
                    shape = (self.hidden, ffn) if kind == "fc2" else (ffn, self.hidden)
                    stack = stack.view(-1, *shape)
                self.small[f"{kind}.{part}"] = torch.stack(list(stack), -1)
        self.width = {n[6:]: torch.nn.Parameter(v) for n, v in values.items() if n.startswith("width.")}
        self.depth = {
            n[6:]: [torch.nn.Parameter(row) for row in v] for n, v in values.items() if n.startswith("depth.")
        }

    def parameters(self):
        return [*self.width.values(), *(row for rows in self.depth.values() for row in rows)]

    def blend(self, kind, layer, part):
        return torch.sum(self.small[f"{kind}.{part}"] * self.depth[f"{kind}.{part}"][layer], -1)

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


def user_seconds():
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", required=True)
    parser.add_argument("--heads", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    values = read_safetensors(options.values)
    ids = values.pop("batch.input_ids").long()
    labels = torch.full_like(ids, -100)
    labels[values.pop("batch.positions").long()] = values.pop("batch.targets").long()
    ids, labels = ids.view(options.batch, -1), labels.view(options.batch, -1)
    model = Model(values, options.heads)
    del values
    parameters = model.parameters()
    optimizer = torch.optim.AdamW(parameters, lr=2e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    seconds, processor_seconds, losses = [], [], []
    for _ in range(options.steps + 1):
        started, processor_started = time.perf_counter(), user_seconds()
        loss = model.loss(ids, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - started)
        processor_seconds.append(user_seconds() - processor_started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    times = {"seconds": seconds[1:], "processorSeconds": processor_seconds[1:]}
    print(json.dumps({**times, "losses": losses, "peakResidentBytes": peak}))


main()
