import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { listCheckpoint, openCheckpoint } from '../../../src/checkpoint/checkpoint';
import { UnsupportedError } from '../../../src/errors';
import { inspect } from '../../../src/inspect/inspect';
import { openModel } from '../../../src/run/open/model';
import { summarizeFound } from '../../../src/worker/describe';
import { remedyText } from '../../support/remedyText';
import { assertUserError, f32, put, safetensors, temporaryFolder } from './files';

const layer = 'model.layers.0.self_attn.q_proj';

/** How each kind calls its tensors, what config.json says, what is said of it, what helps. */
const kinds: readonly (readonly [readonly string[], object, RegExp, RegExp])[] = [
  [[`${layer}.qweight`, `${layer}.g_idx`], { quant_method: 'gptq' }, /by GPTQ/, /quantised from/],
  [[`${layer}.qweight`], { quant_method: 'awq' }, /by AWQ/, /quantised from/],
  [
    [`${layer}.weight`, `${layer}.weight.quant_state.bitsandbytes__nf4`],
    { quant_method: 'bitsandbytes' },
    /bitsandbytes to 4 bits/,
    /model\.dequantize/,
  ],
  [[`${layer}.weight`, `${layer}.SCB`], {}, /bitsandbytes to 8 bits/, /model\.dequantize/],
  [[`${layer}.weight`, `${layer}.weight_scale_inv`], {}, /blocks of FP8/, /FineGrainedFP8Config/],
  [[`${layer}.weight_packed`], {}, /compressed-tensors/, /CompressedTensorsConfig/],
  [[`${layer}.W_q`], {}, /by HQQ/, /quantised from/],
  [[`${layer}.weight`, `${layer}.scales`, `${layer}.biases`], {}, /by MLX/, /mlx_lm\.convert/],
];

for (const [names, quantization_config, says, helps] of kinds) {
  test(`tensors called like ${names.join(', ')} are quantised: ${says.source}`, async t => {
    const folder = await temporaryFolder(t);
    const header = Object.fromEntries(names.map((name, index) => [name, f32(4 * index, 1)]));
    await put(folder, 'model.safetensors', safetensors(header, 4 * names.length));
    await put(folder, 'config.json', JSON.stringify({ model_type: 'llama', quantization_config }));
    const error = await assertUserError(openCheckpoint(folder), UnsupportedError, says);
    assert.match(error.message, /can be listed, but not grown, because/);
    assert.match(remedyText(error.remedy), helps);
    const listed = await listCheckpoint(folder);
    assert.deepEqual([...listed.tensors.keys()], names);
    await listed.close();
    assert.equal((await inspect(folder)).state, 'unsupported');
    // What plans and growths open it with, and what the editor's list shows.
    await assertUserError(openModel(folder), UnsupportedError, says);
    const found = await summarizeFound(join(folder, 'model.safetensors'));
    assert.equal(found.kind, 'unsupported');
    assert.match(found.problem!.message, says);
  });
}

test('a request to quantise whole weights when they are loaded keeps nothing from being used', async t => {
  const folder = await temporaryFolder(t);
  const names = [`${layer}.weight`, `${layer}.bias`, 'model.scales'];
  const header = Object.fromEntries(names.map((name, index) => [name, f32(4 * index, 1)]));
  await put(folder, 'model.safetensors', safetensors(header, 12));
  const quantization_config = { quant_method: 'gptq' };
  await put(folder, 'config.json', JSON.stringify({ model_type: 'llama', quantization_config }));
  const checkpoint = await openCheckpoint(folder);
  assert.equal(checkpoint.tensors.size, 3);
  await checkpoint.close();
});
