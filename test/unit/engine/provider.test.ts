import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openProvider } from '../../../src/engine/onnxruntime/provider';
import { UserError } from '../../../src/errors';
import { failure } from '../../support/userError';
import { remedyText } from '../../support/remedyText';

// The package of this project has neither library: CUDA's is fetched on request, DirectML's is Windows'.
describe('an execution provider whose library is missing', () => {
  it('CUDA says so, and how to install it', async () => {
    const { remedy } = await failure(openProvider('cuda'), UserError, /^CUDA cannot be used: /);
    assert.match(remedyText(remedy), /ligo doctor --install cuda/);
  });

  it('DirectML says so', { skip: process.platform === 'win32' }, async () => {
    await failure(openProvider('dml'), UserError, /^DirectML cannot be used: .*not found/);
  });

  it('CUDA in a folder without it uses the runtime beside us, and says the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ligo-engines-'));
    try {
      await failure(openProvider('cuda', { folder }), UserError, /^CUDA cannot be used: /);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
