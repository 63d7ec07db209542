import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { missingCudaLibraries, tensorFlowLibraries } from '../../../src/engine/cudaLibraries';
import { reportEngines, type Installed } from '../../../src/engine/reports';
import type { EngineName, EngineReport, Machine } from '../../../src/protocol/engines';
import { temporaryFolder } from '../run/support';
import { intelGraphics, machine, nothing, rtx4070 } from './machines';
import { commandLine } from '../../../src/remedy/commandLine';
import { worded } from '../../../src/remedy/worded';

const report = (
  name: EngineName,
  on: Machine,
  installed: Partial<Installed> = {},
): EngineReport => {
  const found = reportEngines(on, { ...nothing, ...installed }).find(each => each.name === name);
  assert.ok(found, `no report of ${name}`);
  return worded<EngineReport>(found, commandLine);
};

describe('the report of an engine', () => {
  it('is ready for the CPU everywhere', () => {
    for (const platform of ['linux', 'darwin', 'win32']) {
      const { state, kind, device } = report('cpu', machine({ platform }));
      assert.deepEqual([state, kind, device], ['ready', 'cpu', 'CPU, 16 threads']);
    }
  });

  it('names the missing Vulkan loader and the package that brings it', () => {
    const vulkan = { drivers: ['intel_icd.x86_64.json'] };
    const found = report('webgpu', machine({ adapters: [intelGraphics], vulkan }));
    assert.equal(found.state, 'unusable');
    assert.match(found.note, /libvulkan\.so\.1/);
    assert.match(found.remedy ?? '', /libvulkan1/);
  });

  it('names the missing Vulkan driver of the card that is there, not of another', () => {
    const vulkan = { loader: '/usr/lib/libvulkan.so.1', drivers: ['intel_icd.x86_64.json'] };
    const found = report('webgpu', machine({ adapters: [rtx4070], vulkan }));
    assert.equal(found.state, 'unusable');
    assert.equal(found.note, 'no Vulkan driver for NVIDIA GeForce RTX 4070');
    assert.match(found.remedy ?? '', /NVIDIA/);
  });

  it('calls a software adapter what it is', () => {
    const vulkan = { loader: '/x/libvulkan.so.1', drivers: ['vk_swiftshader_icd.json'] };
    const found = report('webgpu', machine({ vulkan }));
    assert.deepEqual(
      [found.state, found.kind, found.device],
      ['ready', 'software', 'SwiftShader (software)'],
    );
  });

  it('says how CUDA is installed where an NVIDIA card is, and that none is where none is', () => {
    const card = report('cuda', machine({ adapters: [rtx4070] }));
    assert.deepEqual(
      [card.state, card.remedy],
      ['notInstalled', 'Run `ligo doctor --install cuda`.'],
    );
    assert.match(card.note, /driver 550\.54/);
    const none = report('cuda', machine({ adapters: [intelGraphics] }));
    assert.deepEqual([none.state, none.note], ['unusable', 'no NVIDIA GPU found']);
    assert.equal(none.remedy, undefined);
  });

  it('names the parts of CUDA that the provider would miss', () => {
    const missingCuda = ['CUDA 12 (libcudart.so.12)', 'cuDNN 9 (libcudnn.so.9)'];
    const found = report('cuda', machine({ adapters: [rtx4070] }), {
      engines: ['cuda'],
      missingCuda,
    });
    assert.equal(found.state, 'unusable');
    assert.match(found.note, /libcudart\.so\.12.*libcudnn\.so\.9/);
    assert.match(found.remedy ?? '', /LD_LIBRARY_PATH/);
  });

  it('gives the memory of a card, and of the machine where the CPU computes', () => {
    const card = report('cuda', machine({ adapters: [rtx4070] }), { engines: ['cuda'] });
    assert.equal(card.memoryBytes, rtx4070.memoryBytes);
    assert.equal(card.freeMemoryBytes, rtx4070.freeMemoryBytes);
    const shared = report('webgpu', machine({ adapters: [intelGraphics] }));
    assert.equal(shared.memoryBytes, undefined);
    assert.equal(report('cpu', machine()).memoryBytes, 32 * 2 ** 30);
  });

  it('offers CUDA and TensorFlow for GPUs only where they exist', () => {
    const mac = machine({ platform: 'darwin', architecture: 'arm64' });
    assert.match(report('cuda', mac).note, /Linux x64 only/);
    assert.match(report('tfjs-gpu', mac).note, /Linux x64 and Windows x64 only/);
    const windows = machine({ platform: 'win32', adapters: [rtx4070] });
    assert.equal(report('tfjs-gpu', windows).state, 'notInstalled');
  });

  it('does not take TensorFlow.js for installed whose download failed', () => {
    const found = report('tfjs-node', machine(), { incomplete: ['tfjs-node'] });
    assert.deepEqual(
      [found.state, found.remedy],
      ['unusable', 'Run `ligo doctor --install tfjs-node`.'],
    );
    assert.match(found.note, /the download failed/);
  });

  it('tells the TensorFlow that TensorFlow.js was built with, and the CUDA that one takes', () => {
    const adapters = [rtx4070];
    const built = {
      'tfjs-gpu': { tensorFlow: '2.21.0', from: 'a', cuda: { cuda: '12.5.1', cudnn: '9' } },
      'tfjs-node': { tensorFlow: '2.20.0', from: 'b' },
    };
    const engines = ['tfjs-gpu', 'tfjs-node'] as const;
    const note = (name: EngineName, more = {}) =>
      report(name, machine({ adapters }), { engines, built, ...more }).note;
    assert.equal(note('tfjs-gpu'), 'TensorFlow 2.21.0: takes CUDA 12.5.1 and cuDNN 9');
    assert.equal(note('tfjs-node'), 'TensorFlow 2.20.0, slower than the CPU engine');
    assert.equal(
      note('tfjs-gpu', { built: {} }),
      'TensorFlow 2.9.1: takes CUDA 11.2 and cuDNN 8.1',
    );
    const missingTensorFlowCuda = ['cuDNN 9 (libcudnn.so.9)'];
    assert.equal(note('tfjs-gpu', { missingTensorFlowCuda }), 'missing: cuDNN 9 (libcudnn.so.9)');
    const unknown = { 'tfjs-gpu': { tensorFlow: '2.21.0', from: 'a' } };
    assert.equal(note('tfjs-gpu', { built: unknown }), 'TensorFlow 2.21.0');
  });

  it('names the libraries of the CUDA that a TensorFlow was built for', async () => {
    const files = (cuda: string, cudnn: string) =>
      tensorFlowLibraries({ cuda, cudnn }).map(({ file }) => file);
    assert.ok(files('11.2', '8.1').includes('libcudart.so.11.0'));
    assert.ok(files('11.8', '8.6').includes('libcudnn.so.8'));
    assert.deepEqual(files('12.5.1', '9').slice(0, 2), ['libcudart.so.12', 'libcublas.so.12']);
    assert.deepEqual(files('99.0', '9'), []);
    const folder = temporaryFolder();
    for (const file of files('12.5.1', '99')) writeFileSync(join(folder, file), '');
    const needed = tensorFlowLibraries({ cuda: '12.5.1', cudnn: '99' });
    assert.deepEqual(await missingCudaLibraries(needed, { LD_LIBRARY_PATH: folder }), []);
    rmSync(join(folder, 'libcudnn.so.99'));
    assert.deepEqual(await missingCudaLibraries(needed, { LD_LIBRARY_PATH: folder }), [
      'cuDNN 99 (libcudnn.so.99)',
    ]);
  });

  it('knows DirectML on Windows alone', () => {
    const windows = machine({ platform: 'win32', adapters: [intelGraphics] });
    assert.equal(report('dml', windows).state, 'ready');
    assert.ok(!reportEngines(machine(), nothing).some(({ name }) => name === 'dml'));
  });
});
