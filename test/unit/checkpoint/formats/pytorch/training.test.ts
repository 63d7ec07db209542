import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { UnsupportedError } from '../../../../../src/errors';
import { assertUserError } from '../../files';
import { torchFile } from './fixtures';

/** Training checkpoints of several programs, and what is said of them. */
const checkpoints: readonly (readonly [file: string, notes: readonly RegExp[]])[] = [
  [
    'nanogpt.pt',
    [
      /holds as "model", without the "_orig_mod\." before all of its names\. "optimizer" holds tensors too, which are not read\. It also holds "model_args", "iter_num", "best_val_loss", "config"\.$/,
    ],
  ],
  [
    'lightning.ckpt',
    [
      /holds as "state_dict", without the "model\." before all of its names\. "callbacks", "optimizer_states" hold tensors too, which are not read\. It also holds "epoch", "global_step", "pytorch-lightning_version", "loops", "lr_schedulers", "hyper_parameters"\.$/,
    ],
  ],
  [
    'timm.pth.tar',
    [
      /holds as "state_dict"\. "optimizer", "state_dict_ema" hold tensors too, which are not read\. It also holds "epoch", "arch", "args", "metric"\.$/,
    ],
  ],
  [
    'tutorial.tar',
    [
      /holds as "model_state_dict"\. "optimizer_state_dict" holds tensors too, which are not read\./,
    ],
  ],
  [
    'ddp.pt',
    [/holds as "net", without the "module\." before .* It also holds "history", "counts"/],
  ],
  ['only.pt', [/holds as "encoder"\. It also holds "epoch"\.$/]],
  ['flat.pt', [/besides tensors among them is not read: "epoch"\.$/]],
];

for (const [file, notes] of checkpoints) {
  test(`the model is found in ${file}, and what else it holds is told`, async () => {
    const found = await openCheckpoint(torchFile(`training/${file}`));
    const expected = await openCheckpoint(torchFile('training/expected.safetensors'));
    assert.deepEqual([...found.tensors.keys()].sort(), [...expected.tensors.keys()].sort());
    for (const name of expected.tensors.keys()) {
      assert.deepEqual(await found.readFloat32(name), await expected.readFloat32(name));
    }
    assert.equal(found.notes.length, notes.length);
    for (const [i, { message }] of found.notes.entries()) assert.match(message, notes[i]!);
    await found.close();
    await expected.close();
  });
}

test('of several models that nothing tells apart all are listed', async () => {
  const found = await openCheckpoint(torchFile('training/pair.pt'));
  const names = ['0.weight', '0.bias', '1.weight', '1.bias'];
  assert.deepEqual(
    new Set(found.tensors.keys()),
    new Set(['generator.', 'discriminator.'].flatMap(model => names.map(name => model + name))),
  );
  const [note] = found.notes;
  assert.match(note!.message, /holds tensors as "generator", "discriminator"; all of these are/);
  assert.match(note!.message, /"optimizer" holds tensors too, which are not read\.$/);
  await found.close();
});

/** What is no model, and what is said of it. */
const others: readonly (readonly [file: string, says: RegExp])[] = [
  ['training/optimizer.pt', /holds the state of an optimizer, not a model/],
  ['training/scheduler.pt', /holds the state of a learning rate schedule, not a model/],
  ['training/scaler.pt', /holds the state of a scaler of gradients, not a model/],
  ['training/rng_state.pth', /holds the states of random number generators, not a model/],
  [
    'training/training_args.bin',
    /settings of a training \("transformers\.training_args\.TrainingArguments"\), not a model/,
  ],
  ['strange/whole-model.pt', /a whole model as a Python object \("__main__\.Net"\)/],
  ['strange/tensor.pt', /a single tensor without a name/],
  ['strange/list.pt', /holds a list, not the tensors of a model/],
  ['strange/no-tensors.pt', /holds no tensors by name/],
  ['strange/quantised.pt', /tensor "w" is a quantised tensor \(torch\._utils\._rebuild_qtensor\)/],
  ['strange/sparse.pt', /tensor "w" is a sparse tensor/],
  ['strange/meta.pt', /tensor "w" is a tensor without values/],
  ['strange/complex128.pt', /tensor "w" has the element type complex128/],
  ['strange/conjugated.pt', /tensor "w" is a view of complex numbers with other signs/],
  ['strange/expanded.pt', /tensor "w" of shape \[1099511627776\] repeats few elements/],
  ['strange/torchscript.pt', /is a TorchScript archive/],
  ['strange/protocol0.pt', /protocol 0 of pickle, which torch\.load does not read either/],
];

for (const [file, says] of others) {
  test(`${file} is refused with what it is`, async () => {
    await assertUserError(openCheckpoint(torchFile(file)), UnsupportedError, says);
  });
}
