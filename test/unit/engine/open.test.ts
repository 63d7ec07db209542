import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseEngine } from '../../../src/engine/choose';
import type { Engine } from '../../../src/engine';
import { openEngine, type OpenParts } from '../../../src/engine/open';
import type { OpenNamed } from '../../../src/engine/openers';
import { reportEngines, type Installed } from '../../../src/engine/reports';
import { UserError } from '../../../src/errors';
import type { EngineChoice, EngineName, Machine } from '../../../src/protocol/engines';
import { failure } from '../../support/userError';
import { intelGraphics, machine, nothing, rtx4070 } from './machines';
import { remedyText } from '../../support/remedyText';

/** An engine that only says what it is. */
const engineNamed = (name: string, device: string): Engine => ({
  description: { name, device },
  compile: () => Promise.reject(new Error('not in this test')),
  dispose: () => Promise.resolve(),
});

/** Engines of a machine, of which some do not start; and what was tried. */
function parts(
  on: Machine,
  { installed = {}, broken = {} }: { installed?: Partial<Installed>; broken?: Broken } = {},
): OpenParts & { readonly tried: EngineName[]; surveys: number } {
  const tried: EngineName[] = [];
  const engines = reportEngines(on, { ...nothing, ...installed });
  const open: OpenNamed = (name, { device }) => {
    tried.push(name);
    const error = broken[name];
    return error ? Promise.reject(error) : Promise.resolve(engineNamed(name, device));
  };
  const result = {
    tried,
    surveys: 0,
    open,
    survey: () => {
      result.surveys++;
      const survey = { machine: on, engines, choice: chooseEngine(engines), folder: '/engines' };
      return Promise.resolve(survey);
    },
  };
  return result;
}

type Broken = Partial<Record<EngineName, Error>>;
const noAdapter = new UserError('WebGPU found no graphics adapter.', 'Install a driver.');

/** Checks what a person is told. */
async function refused(job: Promise<unknown>, says: RegExp, remedy: RegExp): Promise<void> {
  const error = await failure(job, UserError, says);
  assert.match(remedyText(error.remedy), remedy);
}

const open = (engine: EngineChoice, given: OpenParts) => openEngine({ engine }, given);

describe('opening an engine', () => {
  it('does not examine the machine for its CPU', async () => {
    const given = parts(machine({ adapters: [rtx4070] }));
    const { engine, reason } = await openEngine({ engine: 'cpu', threads: 3 }, given);
    assert.equal(engine.description.name, 'cpu');
    assert.equal(reason, 'CPU, 3 threads, as asked for');
    assert.equal(given.surveys, 0);
  });

  it('gives auto the best engine, with the memory of its card', async () => {
    const given = parts(machine({ adapters: [rtx4070] }), { installed: { engines: ['cuda'] } });
    const { engine, reason, memory, adapter } = await open('auto', given);
    assert.equal(engine.description.name, 'cuda');
    assert.equal(reason, 'CUDA on NVIDIA GeForce RTX 4070, 12 GB');
    assert.deepEqual(memory, { bytes: rtx4070.freeMemoryBytes, of: rtx4070.name });
    assert.equal(adapter, rtx4070.name);
  });

  it('lets auto take the next best of what does not start, and tells each failure', async () => {
    const given = parts(machine({ adapters: [rtx4070] }), {
      installed: { engines: ['cuda'] },
      broken: { cuda: new UserError('cuBLAS is missing.', 'x'), webgpu: noAdapter },
    });
    const { engine, reason, memory } = await open('auto', given);
    assert.deepEqual(given.tried, ['cuda', 'webgpu', 'cpu']);
    assert.equal(engine.description.name, 'cpu');
    assert.equal(
      reason,
      'CPU, 16 threads: CUDA failed: cuBLAS is missing; WebGPU failed: WebGPU found no graphics adapter',
    );
    assert.equal(memory.of, 'main memory');
  });

  it('tells the threads that were asked for, also where auto takes the CPU', async () => {
    const { reason } = await openEngine({ engine: 'auto', threads: 2 }, parts(machine()));
    assert.equal(reason, 'CPU, 2 threads: no GPU found');
  });

  it('never lets another engine stand in for a named one', async () => {
    const given = parts(machine({ adapters: [intelGraphics] }), { broken: { webgpu: noAdapter } });
    await assert.rejects(open('webgpu', given), noAdapter);
    assert.deepEqual(given.tried, ['webgpu']);
  });

  it('says what WebGPU lacks where the survey knows: the Vulkan loader', async () => {
    const on = machine({
      adapters: [intelGraphics],
      vulkan: { drivers: ['intel_icd.x86_64.json'] },
    });
    await refused(
      open('webgpu', parts(on, { broken: { webgpu: noAdapter } })),
      /WebGPU cannot run here: no Vulkan loader/,
      /libvulkan1/,
    );
  });

  it('opens a named engine that runs although the survey doubts it', async () => {
    const { engine } = await open('webgpu', parts(machine()));
    assert.equal(engine.description.name, 'webgpu');
  });

  it('says how the CUDA provider is installed where it is missing', async () => {
    const given = parts(machine({ adapters: [rtx4070] }));
    await refused(open('cuda', given), /CUDA is not installed/, /ligo doctor --install cuda/);
    assert.deepEqual(given.tried, []);
  });

  it('says which libraries an installed CUDA provider lacks', async () => {
    const given = parts(machine({ adapters: [rtx4070] }), {
      installed: { engines: ['cuda'], missingCuda: ['cuDNN 9 (libcudnn.so.9)'] },
      broken: { cuda: new Error('libcudnn.so.9: cannot open shared object file') },
    });
    await refused(open('cuda', given), /CUDA cannot run here: missing: cuDNN 9/, /LD_LIBRARY_PATH/);
  });

  it('says how TensorFlow.js is installed where neither of its builds is', async () => {
    await refused(
      open('tfjs', parts(machine({ adapters: [rtx4070] }))),
      /TensorFlow\.js is not installed/,
      /ligo doctor --install tfjs-gpu/,
    );
    await refused(
      open('tfjs', parts(machine())),
      /TensorFlow\.js is not installed/,
      /ligo doctor --install tfjs-node/,
    );
  });

  it('takes TensorFlow.js for GPUs before the one for CPUs', async () => {
    const both: Partial<Installed> = { engines: ['tfjs-gpu', 'tfjs-node'] };
    const onCard = parts(machine({ adapters: [rtx4070] }), { installed: both });
    await open('tfjs', onCard);
    assert.deepEqual(onCard.tried, ['tfjs-gpu']);
    const without = parts(machine(), { installed: both });
    await open('tfjs', without);
    assert.deepEqual(without.tried, ['tfjs-node']);
  });

  it('knows that DirectML is a part of Windows', async () => {
    await refused(open('dml', parts(machine())), /Windows only/, /webgpu/);
  });
});
