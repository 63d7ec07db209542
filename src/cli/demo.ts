import { join, resolve } from 'node:path';
import { demonstrate, repositoryRoot } from './demonstration';
import { exitCodes, reportFailure } from './failure';
import { listenForInterruption } from './interruption';
import { afterWriting, requireOutput, stopWithoutOutput } from './pipe';

const interruption = listenForInterruption(process);
stopWithoutOutput(process, interruption);
const host = {
  stdout: process.stdout,
  stderr: process.stderr,
  written: () => afterWriting(process.stdout),
  signal: interruption.signal,
  now: Date.now,
  script: process.argv[1]!,
};
try {
  const [folder] = process.argv.slice(2);
  const out = folder === undefined ? join(repositoryRoot(), 'out', 'demo') : resolve(folder);
  await demonstrate(host, { out, steps: 100 });
  await requireOutput(host);
  process.exitCode = exitCodes.done;
} catch (error) {
  process.exitCode = reportFailure(host, error, { json: false, verbose: false });
}
