/** `data.py` for models of images. */
export const imagesPy = String.raw`"""Images with their classes, prepared as the checkpoint is trained on. Which ones is in train.jsonl and held-out.jsonl."""
import gzip, json, os, pathlib

import numpy as np
import torch
from PIL import Image, ImageOps


class Images(torch.utils.data.Dataset):
    """No augmentation: change __getitem__ for it."""

    def __init__(self, facts, folder, part, here):
        self.facts, self.folder = facts, folder
        with open(pathlib.Path(here) / part["list"], encoding="utf-8") as lines:
            self.entries = [json.loads(line) for line in lines]
        self.idx = read_idx(os.path.join(folder, part["idx"])) if part["idx"] else None

    def __len__(self):
        return len(self.entries)

    def __getitem__(self, index):
        where, label = self.entries[index]
        image = Image.fromarray(self.idx[where]) if self.idx is not None else open_image(os.path.join(self.folder, where))
        return {"pixel_values": prepare(image, self.facts), "labels": label}


def read_idx(path):
    with open(path, "rb") as file:
        content = file.read()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    shape = np.frombuffer(content, ">u4", 3, 4)
    return np.frombuffer(content, np.uint8, offset=16).reshape(shape)


def open_image(path):
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode.startswith("I"):  # 16 bits a pixel
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    grey = image.mode in ("1", "L", "LA")
    return image.convert("L" if grey else "RGB")


def prepare(image, facts):
    """Resized, cut, scaled and normalised, as preprocessor_config.json says."""
    if facts["shortest_edge"]:
        edge, (width, height) = facts["shortest_edge"], image.size
        longest = edge * max(width, height) // min(width, height)
        image = resized(image, (edge, longest) if width <= height else (longest, edge), facts)
    elif facts["size"]:
        image = resized(image, tuple(facts["size"]), facts)
    if facts["crop"]:
        (width, height), (wide, high) = image.size, facts["crop"]
        left, top = (width - wide) // 2, (height - high) // 2
        image = image.crop((left, top, left + wide, top + high))
    values = np.asarray(image.convert("L" if facts["channels"] == 1 else "RGB"), np.float64)
    values = values.reshape(image.height, image.width, facts["channels"]) * facts["rescale_factor"]
    if facts["mean"]:
        values = (values - facts["mean"]) / facts["standard_deviation"]
    return torch.from_numpy(values.transpose(2, 0, 1).astype(np.float32))


def resized(image, size, facts):
    return image if image.size == size else image.resize(size, facts["resample"])


def open_data(facts, options, here):
    return Images(facts, options.data, facts["train"], here), Images(facts, options.data, facts["scored"], here)
`;
