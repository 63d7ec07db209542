// Reads hostile inputs, made of whole ones by chance, with everything that reads files:
//   npm run fuzz -- [--count n] [--seed n] [--target name] [--from n]
// Each input is the same for the same seed and number. Whatever fails is kept in out/fuzz, with the
// command that repeats it; so does what hangs, takes over 2 s of processor time or over 500 MB.
import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '0' },
    target: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const save = `${root}out/fuzz`;
mkdirSync(save, { recursive: true });

/** Shares of all inputs, for the targets in test/fuzz/targets.ts. */
const shares = {
  ...{ safetensors: 15, pytorch: 12, gguf: 8, index: 7, config: 10, tokenizer: 1, operators: 7 },
  ...{ receipts: 6, runs: 6, idx: 4, images: 2, jsonl: 3 },
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
const total = names.reduce((sum, name) => sum + shares[name], 0);
let failed = 0;
for (const name of names) {
  const count = Math.max(1, Math.round((Number(values.count) * shares[name]) / total));
  const begin = Number(values.from);
  let [refused, accepted, bytes, longest] = [0, 0, 0, 0];
  const started = performance.now();
  for (let from = begin; from < begin + count;) {
    const some = await readSome(name, from, Math.min(chunk, begin + count - from));
    for (const { index, what } of some.failures) {
      failed++;
      console.error(`✖ ${name} ${index}: ${what}`);
      console.error(
        `  npm run fuzz -- --target ${name} --seed ${values.seed} --from ${index} --count 1`,
      );
    }
    refused += some.ours ?? 0;
    accepted += some.accepted ?? 0;
    bytes = Math.max(bytes, some.bytes ?? 0);
    longest = Math.max(longest, some.seconds ?? 0);
    // It could not even begin: no input is to blame.
    if (some.ours === undefined && some.at === undefined) break;
    // After a process that died the next one goes on behind the input that killed it.
    from = some.ours === undefined ? some.at + 1 : from + chunk;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${name}: ${count} inputs, ${refused} refused, ${accepted} accepted, at most ${longest.toFixed(1)} s of processor time for one and ${Math.round(bytes / 1e6)} MB, ${seconds} s`,
  );
}
if (failed > 0) {
  console.error(`${failed} failed; they are kept in out/fuzz.`);
  process.exit(1);
}
