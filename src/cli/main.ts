import { listenForInterruption } from './interruption';
import { stopWithoutOutput } from './pipe';
import { runCommandLine } from './program';

// On Windows a program that is named without its folder would come from the current one first.
process.env['NoDefaultCurrentDirectoryInExePath'] = '1';
const interruption = listenForInterruption(process);
stopWithoutOutput(process, interruption);
const code = await runCommandLine(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
  now: Date.now,
  script: process.argv[1]!,
});
// Output that could not be written has set it already.
process.exitCode ??= code;
