import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { openWebGpu, type Engine } from '../../src/engine';
import { DeviceMemoryExecutable } from '../../src/engine/onnxruntime/deviceMemory';
import { DeviceTransfer } from '../../src/engine/onnxruntime/deviceTransfer';
import { ort } from '../../src/engine/onnxruntime/runtime';
import { openSession } from '../../src/engine/onnxruntime/webgpu';
import { explainRun } from '../../src/engine/onnxruntime/webgpuErrors';
import { DeviceError, UserError } from '../../src/errors';
import * as g from '../../src/graph';
import { serializeProgram } from '../../src/graph/onnx/serialize';
import { patience } from '../support/patience';
import { withExecutable } from '../support/programs';
import { failure } from '../support/userError';
import { remedyText } from '../support/remedyText';

const engine = await openWebGpu();
after(() => engine.dispose());

const x = g.input('x', [3]);
const weights = g.input('weights', [3]);
const sum = g.input('sum', [3]);

/** sum ← sum + x · weights. */
const accumulator: g.Program = {
  feeds: [x],
  frozen: [weights],
  state: [{ input: sum, next: g.add(sum, g.mul(x, weights)) }],
  outputs: { largest: g.reduceMax(sum) },
};
const feeds = { x: Float32Array.of(1, 2, 3) };
const kept = { weights: Float32Array.of(1, 10, 100), sum: new Float32Array(3) };

/** Runs a module below test/engines in a process of its own; what it printed. */
function inOwnProcess(script: string, environment: NodeJS.ProcessEnv = {}): string {
  const file = new URL(`children/${script}`, import.meta.url).pathname;
  return execFileSync(process.execPath, ['--import', 'tsx', file], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    timeout: patience,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

describe('WebGPU', () => {
  it('refuses a model with a node that would run on the CPU', async () => {
    const program = { feeds: [x], frozen: [], state: [], outputs: { y: g.sign(x) } };
    const { bytes: plain } = serializeProgram(program);
    await assert.rejects(openSession(plain, 'cpu'), /assigned to the default CPU EP/);
    const { bytes: written } = serializeProgram(program, { dialect: 'webgpu' });
    await (await openSession(written, 'cpu')).release();
  });

  it('uploads frozen inputs and state once, and downloads state only when it is read', async () => {
    const uploads: string[] = [];
    const downloads: string[] = [];
    class CountingTransfer extends DeviceTransfer {
      override upload(...[tensor, data]: Parameters<DeviceTransfer['upload']>) {
        uploads.push(g.inputName(tensor));
        return super.upload(tensor, data);
      }
      override download(...[tensor, value]: Parameters<DeviceTransfer['download']>) {
        downloads.push(g.inputName(tensor));
        return super.download(tensor, value);
      }
    }
    const transfer = new CountingTransfer(ort, openSession);
    const { bytes, ...names } = serializeProgram(accumulator, { dialect: 'webgpu' });
    const session = await openSession(bytes, { 'out.largest': 'cpu', 'next.sum': 'gpu-buffer' });
    const counted: Engine = {
      ...engine,
      compile: () =>
        Promise.resolve(
          new DeviceMemoryExecutable(ort, transfer, session, accumulator, names, explainRun),
        ),
    };
    await withExecutable(counted, accumulator, async executable => {
      executable.load(kept);
      for (let run = 0; run < 10; run++) await executable.run(feeds);
      assert.deepEqual(uploads.toSorted(), ['sum', 'weights']);
      assert.deepEqual(downloads, []);
      assert.deepEqual((await executable.readState())['sum'], Float32Array.of(10, 200, 3000));
      assert.deepEqual(downloads, ['sum']);
    });
    await transfer.dispose();
  });

  it('says that there is no adapter, and what to install', () => {
    const said = inOwnProcess('openWebGpu.ts', {
      VK_ICD_FILENAMES: '/nowhere.json',
      VK_DRIVER_FILES: '/nowhere.json',
    });
    const { name, message, remedy } = JSON.parse(said) as Record<string, string>;
    assert.equal(name, 'UserError');
    assert.match(message!, /^WebGPU found no graphics adapter/);
    assert.match(remedy!, /Vulkan driver.*--engine cpu/);
  });

  it('refuses a tensor that the adapter cannot bind before anything runs', async () => {
    const large = g.expand(g.input('one', [1]), [2_000_000_000]);
    const program: g.Program = {
      feeds: [large.node.inputs[0]!],
      frozen: [],
      state: [],
      outputs: { largest: g.reduceMax(g.exp(large)) },
    };
    await failure(
      engine.compile(program),
      UserError,
      /adapter is too small: the largest tensor of this plan takes 8\.0 GB/,
    );
  });

  // Its memory is the process's, which can be limited; llvmpipe's compiler would not survive that.
  const isSwiftShader = /swiftshader/.test(process.env['VK_ICD_FILENAMES'] ?? '');
  const skip = isSwiftShader ? false : 'only SwiftShader can be given too little memory';
  it('says that the device is out of memory', { skip }, () => {
    const said = inOwnProcess('outOfDeviceMemory.ts');
    const { name, message, remedy } = JSON.parse(said) as Record<string, string>;
    assert.deepEqual([name, message], ['DeviceError', 'The graphics device is out of memory.']);
    assert.match(remedy!, /--batch/);
  });

  // A device cannot be lost on purpose: the session is one that says what Dawn says then.
  it('tells a lost device from other failures', async () => {
    const lost = new Error('Failed to read the buffer: the device is lost.\n - While …');
    const session = { run: () => Promise.reject(lost), release: () => Promise.resolve() };
    const names = { outputNames: new Map(), nextNames: new Map([['sum', 'next.sum']]) };
    const executable = new DeviceMemoryExecutable(
      ort,
      new DeviceTransfer(ort, openSession),
      session as unknown as Awaited<ReturnType<typeof openSession>>,
      accumulator,
      names,
      explainRun,
    );
    executable.load(kept);
    const { remedy } = await failure(
      executable.run(feeds),
      DeviceError,
      /device was lost in the middle of the run/,
    );
    assert.match(remedyText(remedy), /--resume/);
    await executable.dispose();
  });
});
