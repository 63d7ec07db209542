import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { HandoffFacts } from '../../../src/handoff/facts';
import { projectFiles } from '../../../src/handoff/project';
import { jobName, yamlText } from '../../../src/handoff/quote';
import { sharding } from '../../../src/handoff/sharding';
import { launchers } from '../../../src/protocol/handoff';
import { causalText, facts, images, large, maskedText } from './facts';

const goldens = fileURLToPath(new URL('../../fixtures/handoff', import.meta.url));

/** What is written of some facts, by the name of the file; without programs, which are the same for all. */
const written = (given: HandoffFacts): Map<string, string> =>
  new Map(projectFiles(given).map(({ name, text }) => [name, text]));

const vit = { ...facts({}).model, modelClass: 'ViTForImageClassification', companions: [] };
const bert = { ...facts({}).model, modelClass: 'BertForMaskedLM' };
const kinds = {
  causal: facts({ data: causalText }),
  masked: facts({ data: maskedText, model: bert, objective: 'masked language modeling' }),
  images: facts({ data: images, model: vit, objective: 'image classification' }),
};
const optimizer = { updates: 300, files: ['optimizer.safetensors'] };
const projects: Readonly<Record<string, HandoffFacts>> = {
  ...kinds,
  'with-moments': facts({ model: { ...facts({}).model, optimizer } }),
  ...Object.fromEntries(launchers.map(to => [`small-${to}`, facts({ to })])),
  ...Object.fromEntries(launchers.map(to => [`large-${to}`, large({ to })])),
  'slurm-asked': large({
    to: 'slurm',
    slurm: { partition: 'gpu', time: '2-00', account: 'lab.a' },
  }),
};

/** LIGO_WRITE_GOLDENS=1 writes them anew, to be read before they are committed. */
function compare(name: string, text: string): void {
  const path = join(goldens, name);
  if (process.env['LIGO_WRITE_GOLDENS']) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  assert.ok(existsSync(path), `${path} is missing`);
  assert.equal(text, readFileSync(path, 'utf8'), name);
}

describe('a project for PyTorch', () => {
  for (const [name, given] of Object.entries(projects)) {
    it(`of ${name} is what it was`, () => {
      for (const [file, text] of written(given)) {
        if (!file.endsWith('.py')) compare(`${name}/${file}`, text);
      }
    });
  }

  it('has one train.py for all kinds of model, and one data.py for text', () => {
    const [causal, masked, ofImages] = Object.values(kinds).map(written);
    assert.equal(causal!.get('train.py'), masked!.get('train.py'));
    assert.equal(causal!.get('train.py'), ofImages!.get('train.py'));
    assert.equal(causal!.get('data.py'), masked!.get('data.py'));
    assert.match(ofImages!.get('data.py')!, /PIL/);
  });

  it('has no names but its own in anything that is run', () => {
    const plain = facts({});
    const hostile = facts({
      model: { ...plain.model, path: '/m/$(touch x)', name: "it's `x`\n#SBATCH --wrap=x" },
      data: { ...causalText, path: '/d/"; rm -rf ~', heldOut: 'x | `y`\n# z' },
    });
    for (const to of launchers) {
      const asked = written({ ...hostile, to });
      for (const [name, text] of written({ ...plain, to })) {
        const same = text.replaceAll('train-grown', 'train-it-s-x-sbatch-wrap-x');
        if (/\.(py|sh|sbatch)$/.test(name) || ['accelerate.yaml', 'trainjob.yaml'].includes(name)) {
          assert.equal(asked.get(name), same, name);
        }
      }
      assert.match(asked.get('README.md')!, /^\| `held-out.jsonl` \| what is scored: x y # z \|$/m);
    }
  });

  it('keeps paths as they are where it names them', () => {
    const path = '/m/a "b" \'c\' $(d) \\ é 😀\n- e: f';
    const given = facts({ to: 'skypilot', model: { ...facts({}).model, path } });
    const files = written(given);
    const settings = JSON.parse(files.get('handoff.json')!) as { model: { path: string } };
    assert.equal(settings.model.path, path);
    const line = files
      .get('skypilot.yaml')!
      .split('\n')
      .find(text => text.includes('~/model: '))!;
    assert.equal(line, '  ~/model: "/m/a \\"b\\" \'c\' $(d) \\\\ \\u00e9 \\U0001f600\\n- e: f"');
  });

  it('has scripts that bash reads', { skip: process.platform === 'win32' }, () => {
    for (const given of [facts({}), large({})]) {
      for (const to of ['torchrun', 'slurm'] as const) {
        for (const [name, input] of written({ ...given, to })) {
          if (!/\.(sh|sbatch)$/.test(name)) continue;
          const { status, stderr } = spawnSync('bash', ['-n'], { input, encoding: 'utf8' });
          assert.equal(status, 0, `${name}: ${stderr}`);
        }
      }
    }
  });
});

describe('quoting', () => {
  it('makes a YAML scalar of one line in ASCII of any text', () => {
    assert.equal(yamlText('a: b # c'), '"a: b # c"');
    assert.equal(yamlText('\u0085\u2028\x7f\ud800'), '"\\u0085\\u2028\\u007f\\ud800"');
  });

  it('makes a name that every scheduler takes of any name', () => {
    assert.equal(jobName('Größe 1.5B_x'), 'train-gro-e-1-5b-x');
    assert.equal(jobName('模型'), 'train-on');
    assert.equal(jobName('-'.repeat(60)), 'train-on');
    for (const name of ['a'.repeat(80), `${'a'.repeat(39)}-b`, 'x\n;y']) {
      assert.match(jobName(name), /^[a-z0-9]([a-z0-9-]{0,46})[a-z0-9]$/);
    }
  });
});

describe('sharding', () => {
  const of = (parameters: number, gpus: number, nodes = 1) =>
    sharding({
      model: { ...facts({}).model, parameters },
      machines: { gpus, nodes, gpuBytes: 80e9 },
    });

  it('holds whole models where they fit, else shards', () => {
    assert.deepEqual(
      [of(1e9, 1).kind, of(1e9, 8).kind, of(7e9, 8).kind],
      ['single', 'ddp', 'fsdp'],
    );
    // 20 bytes a parameter within 48 GB.
    assert.deepEqual([of(2.4e9, 2).kind, of(2.41e9, 2).kind], ['ddp', 'fsdp']);
  });

  it('says where even that does not fit', () => {
    assert.deepEqual(
      [of(3.01e9, 1).fits, of(3.01e9, 2).fits, of(70e9, 8).fits],
      [false, true, false],
    );
    assert.match(of(70e9, 8).why, /140 GB at 16 bytes, which is still too much/);
    assert.equal(of(70e9, 8, 4).fits, true);
  });
});
