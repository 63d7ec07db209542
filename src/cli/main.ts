import { fixedEnvironment } from '../programs';
import { listenForInterruption } from './interruption';
import { afterWriting, stopWithoutOutput } from './pipe';
import { runCommandLine } from './program';

// Whoever made the current folder chooses no program: libraries of ours look for some by name.
Object.assign(process.env, fixedEnvironment(process.env));
const interruption = listenForInterruption(process);
stopWithoutOutput(process, interruption);
process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  written: () => afterWriting(process.stdout),
  signal: interruption.signal,
  now: Date.now,
  script: process.argv[1]!,
});
