"""What the growing models of all families have in common: small weights, operators, and how they are widened."""

import torch


def widen_rows(weight, m):
    return weight if m is None else torch.cat([weight, m @ weight], 0)


def widen_columns(weight, m):
    return weight if m is None else torch.cat([weight, weight @ m.t()], 1)


class Growing:
    """Operators, and small weights `[…, L1]`: layers in the last axis, each with its own coefficients, as in the released code."""

    def __init__(self, values, shapes):
        """`shapes` gives a layer's weights their small shape by module kind; those of one dimension need none."""
        self.small = {name[6:]: value for name, value in values.items() if name.startswith("small.")}
        self.hidden = self.small["embeddings.word.weight"].shape[1]
        self.width = {n[6:]: torch.nn.Parameter(v) for n, v in values.items() if n.startswith("width.")}
        self.depth = {
            n[6:]: [torch.nn.Parameter(row) for row in v] for n, v in values.items() if n.startswith("depth.")
        }
        for name in self.depth:
            kind, part = name.split(".")
            stack = self.small[name]
            if part == "weight" and kind in shapes:
                stack = stack.view(-1, *shapes[kind])
            self.small[name] = torch.stack(list(stack), -1)
        self.layers = len(next(iter(self.depth.values())))

    def parameters(self):
        return [*self.width.values(), *(row for rows in self.depth.values() for row in rows)]

    def blend(self, kind, layer, part="weight"):
        return torch.sum(self.small[f"{kind}.{part}"] * self.depth[f"{kind}.{part}"][layer], -1)
