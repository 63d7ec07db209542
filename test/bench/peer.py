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

from peers.bert import Bert
from peers.llama import Llama

MODELS = {"bert": Bert, "llama": Llama}


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


def user_seconds():
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=tuple(MODELS), default="bert")
    parser.add_argument("--values", required=True)
    for size in ("heads", "hidden", "ffn"):
        parser.add_argument(f"--{size}", type=int, required=True)
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
    model = MODELS[options.model](values, options.heads, options.hidden, options.ffn)
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
