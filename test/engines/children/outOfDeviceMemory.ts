// Runs a program on WebGPU with less memory than it takes, and prints how that ended, as JSON. The
// software adapter's memory is the process's, so a limit on the process is one on the device.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { openWebGpu } from '../../../src/engine';
import { UserError } from '../../../src/errors';
import { remedyText } from '../../support/remedyText';
import * as g from '../../../src/graph';

const pageBytes = 4096;
const engine = await openWebGpu();
const one = g.input('one', [1]);
const parts = Array.from({ length: 12 }, (_, i) => g.exp(g.add(g.expand(one, [125_000_000]), i)));
const all = parts.reduce((product, part) => g.mul(product, part), parts.reduce(g.add));
const executable = await engine.compile({
  feeds: [one],
  frozen: [],
  state: [],
  outputs: { largest: g.reduceMax(all) },
});
// A buffer takes 500 MB: when the next one does not fit, there is enough left for everything else.
const mapped = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0]) * pageBytes;
execFileSync('prlimit', ['--pid', `${process.pid}`, `--as=${mapped + 800e6}`]);
try {
  const { largest } = await executable.run({ one: Float32Array.of(-30) });
  process.stdout.write(JSON.stringify({ largest: largest![0] }));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stdout.write(
    JSON.stringify({ name: error.name, message: error.message, remedy: remedyText(error.remedy) }),
  );
}
