// Reads hostile inputs, made of whole ones by chance, with everything that reads files:
//   npm run fuzz -- [--count n] [--seed n] [--target name] [--from n] [--jobs n]
// Each input is the same for the same seed and number. Whatever fails is kept in out/fuzz, with the
// command that repeats it; so does what hangs, takes over 2 s of processor time or over 500 MB.
import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '0' },
    target: { type: 'string' },
    from: { type: 'string', default: '0' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const save = `${root}out/fuzz`;
mkdirSync(save, { recursive: true });

/** Shares of all inputs, for the targets in test/fuzz/targets. */
const shares = {
  ...{ safetensors: 15, pytorch: 12, gguf: 8, index: 7, config: 10, tokenizer: 1, operators: 7 },
  ...{ receipts: 6, runs: 6, idx: 4, images: 2, jsonl: 1 },
  ...{ tfjs: 4, numpy: 4, flax: 4, llama2c: 1, onnx: 3, hdf5: 3, keras: 2, ggufParts: 2 },
};
/** Inputs that one process reads, so that what it leaves behind does not add up. */
const chunk = 2000;
/** Milliseconds without an answer after which a process hangs, however busy the machine is. */
const hangs = 60_000;

/** Reads some inputs in a process of its own; gives what failed. */
function readSome(target, from, count) {
  return new Promise(resolve => {
    const child = fork(
      `${root}test/fuzz/child.ts`,
      [target, values.seed, String(from), String(count), save],
      { execArgv: ['--import', 'tsx', '--max-old-space-size=256'] },
    );
    const failures = [];
    let at;
    let result;
    let watch;
    const alive = () => {
      clearTimeout(watch);
      watch = setTimeout(() => {
        failures.push({ index: at ?? from, what: `no answer for ${hangs / 1000} s` });
        child.kill('SIGKILL');
      }, hangs);
    };
    alive();
    child.on('message', told => {
      alive();
      if (told.at !== undefined) at = told.at;
      if (told.failure) failures.push(told.failure);
      if (told.done) result = told.done;
    });
    child.on('exit', (code, signal) => {
      clearTimeout(watch);
      if (!result && failures.length === 0) {
        failures.push({ index: at ?? from, what: `the process ended (${signal ?? code})` });
      }
      resolve({ failures, at, ...result });
    });
  });
}

const names = values.target === undefined ? Object.keys(shares) : [values.target];
for (const name of names) {
  if (name in shares) continue;
  console.error(`--target is "${name}"; there are ${Object.keys(shares).join(', ')}.`);
  process.exit(2);
}
const total = names.reduce((sum, name) => sum + shares[name], 0);
const jobs = Math.max(1, Number(values.jobs) || 1);
const results = new Map(
  names.map(name => [
    name,
    { count: 0, left: 0, refused: 0, accepted: 0, bytes: 0, longest: 0, seconds: 0 },
  ]),
);
let failed = 0;

/** What is still to read: pieces of a target, each for a process of its own. */
const pieces = names.flatMap(name => {
  const count = Math.max(1, Math.round((Number(values.count) * shares[name]) / total));
  const begin = Number(values.from);
  const firsts = Array.from({ length: Math.ceil(count / chunk) }, (_, i) => begin + i * chunk);
  Object.assign(results.get(name), { count, left: firsts.length });
  return firsts.map(from => ({ name, from, end: Math.min(from + chunk, begin + count) }));
});

/** Reads a piece; behind an input that killed the process the next one goes on. */
async function readPiece({ name, from, end }) {
  const result = results.get(name);
  const started = performance.now();
  while (from < end) {
    const some = await readSome(name, from, end - from);
    for (const { index, what } of some.failures) {
      failed++;
      console.error(`✖ ${name} ${index}: ${what}`);
      console.error(
        `  npm run fuzz -- --target ${name} --seed ${values.seed} --from ${index} --count 1`,
      );
    }
    result.refused += some.ours ?? 0;
    result.accepted += some.accepted ?? 0;
    result.bytes = Math.max(result.bytes, some.bytes ?? 0);
    result.longest = Math.max(result.longest, some.seconds ?? 0);
    // It could not even begin: no input is to blame.
    if (some.ours === undefined && some.at === undefined) break;
    from = some.ours === undefined ? some.at + 1 : end;
  }
  result.seconds += (performance.now() - started) / 1000;
  result.left--;
  if (result.left === 0) report(name, result);
}

function report(name, { count, refused, accepted, bytes, longest, seconds }) {
  console.log(
    `${name}: ${count} inputs, ${refused} refused, ${accepted} accepted, at most ${longest.toFixed(1)} s of processor time for one and ${Math.round(bytes / 1e6)} MB, ${seconds.toFixed(0)} s`,
  );
}

async function work() {
  for (let piece = pieces.shift(); piece; piece = pieces.shift()) await readPiece(piece);
}
await Promise.all(Array.from({ length: jobs }, work));
if (failed > 0) {
  console.error(`${failed} failed; they are kept in out/fuzz.`);
  process.exit(1);
}
