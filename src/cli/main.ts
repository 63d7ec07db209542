import { listenForInterruption } from './interruption';
import { endQuietlyWithTheReader } from './pipe';
import { runCommandLine } from './program';

const interruption = listenForInterruption(process);
endQuietlyWithTheReader(process.stdout, interruption);
process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
  now: Date.now,
  script: process.argv[1]!,
});
