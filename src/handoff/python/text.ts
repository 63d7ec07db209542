/** `data.py` for models of text. */
export const textPy = String.raw`"""Text as the checkpoint is trained on: stretches of tokens that begin anywhere in the lines of files."""
import json, mmap, os, pathlib, sys

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # workers of the data loader are processes
import numpy as np
import torch
from transformers import AutoTokenizer

LONGEST = 16384  # bytes of a line of plain text that are read at a time


class Text(torch.utils.data.Dataset):
    """What is at an index depends on seed and index alone, so that a training that goes on sees what it would have seen."""

    def __init__(self, facts, options):
        self.facts, self.seed, self.count = facts, options.seed, options.steps * options.batch
        self.tokenizer = AutoTokenizer.from_pretrained(options.model)
        self.files = [open_file(options.data, file) for file in facts["files"]]
        self.ends = np.cumsum([file["train_bytes"] for file in facts["files"]])

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        random = np.random.default_rng([self.seed, index])
        masked = self.facts["masked"]
        length = self.facts["sequence_length"] - (2 if masked and masked["frame"] else 0)
        lines = self.lines(int(random.integers(self.ends[-1])))
        taken = [next(lines)]
        start = int(random.integers(max(1, len(self.tokens(taken)))))
        while len(ids := self.tokens(taken)) < start + length:
            taken += [next(lines) for _ in taken]
        ids = np.array(ids[start : start + length])
        return hide(ids, masked, random) if masked else example(ids, ids)

    def lines(self, position):
        """The line that holds a byte and those after it, from the first one again after the last."""
        number = int(np.searchsorted(self.ends, position, side="right"))
        at = position - (int(self.ends[number - 1]) if number else 0)
        while True:
            text, file = self.files[number], self.facts["files"][number]
            size = file["train_bytes"]
            longest = size if file["records"] else LONGEST
            at = max(text.rfind(b"\n", max(0, at - longest), at) + 1, at - longest, 0)
            while at < size:
                end = text.find(b"\n", at, min(size, at + longest)) + 1 or min(size, at + longest)
                line = text[at:end].decode("utf-8", "ignore")
                yield record_text(line) if file["records"] else line
                at = end
            number, at = (number + 1) % len(self.files), 0

    def tokens(self, lines):
        """Lines joined by their line feeds are one text; otherwise each is, with tokens between them or none."""
        separator = self.facts["separator"]
        encode = lambda text: self.tokenizer(text, add_special_tokens=False, verbose=False).input_ids
        if separator == "newline":
            return encode("".join(lines))
        texts = [line.rstrip("\r\n") for line in lines]
        return [token for text in texts if text for token in encode(text) + separator]


def hide(ids, masked, random):
    """BERT's objective, with masks of its own for every index: which tokens are asked for, and what stands in their place."""
    if masked["frame"]:
        ids = np.array([masked["frame"][0], *ids, masked["frame"][1]])
    labels = np.full_like(ids, -100)
    candidates = np.flatnonzero(~np.isin(ids, masked["special"]))
    chosen = random.permutation(candidates)[: max(1, round(masked["share"] * len(candidates)))]
    labels[chosen] = ids[chosen]
    fate = random.random(len(chosen))
    ids[chosen[fate < masked["replaced_by_mask"]]] = masked["mask"]
    other = chosen[fate >= 1 - masked["replaced_at_random"]]
    ordinary = np.setdiff1d(np.arange(masked["vocabulary"]), masked["special"])
    ids[other] = random.choice(ordinary, len(other))
    return example(ids, labels)


def example(ids, labels):
    return {"input_ids": torch.from_numpy(ids.astype(np.int64)), "labels": torch.from_numpy(labels.astype(np.int64))}


def record_text(line):
    record = json.loads(line) if line.strip() else {"text": ""}
    text = record["text"] if record.get("text") is not None else record["content"]
    return text + "\n"


def open_file(folder, file):
    path = os.path.join(folder, file["name"]) if os.path.isdir(folder) else folder
    if os.path.getsize(path) != file["bytes"]:
        sys.exit(f"{path} is not what was handed over: it had {file['bytes']} bytes.")
    with open(path, "rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)


def open_data(facts, options, here):
    with open(pathlib.Path(here) / facts["scored"], encoding="utf-8") as lines:
        scored = [{name: np.array(ids) for name, ids in json.loads(line).items()} for line in lines]
    return Text(facts, options), [example(each["input_ids"], each.get("labels", each["input_ids"])) for each in scored]
`;
