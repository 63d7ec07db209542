import { Command, CommanderError } from 'commander';
import manifest from '../../package.json';
import { UsageError } from '../errors';
import { addApplyCommand } from './commands/apply';
import { addDiffCommand } from './commands/diff';
import { addConvertCommand } from './commands/convert';
import { addDoctorCommand } from './commands/doctor';
import { addCompareCommand } from './commands/compare';
import { addEvaluateCommand } from './commands/evaluate';
import { addGrowCommand } from './commands/grow';
import { addHandoffCommand } from './commands/handoff';
import { addJobCommand } from './commands/job';
import { addInspectCommand } from './commands/inspect';
import { addPlanCommand } from './commands/plan';
import { addTrainCommand } from './commands/train';
import { exitCodes, reportFailure } from './failure';
import { fetchNamed } from './hub';
import type { Host } from './host';
import { requireOutput } from './pipe';

/** Runs the command line; gives the exit code and never throws. */
export async function runCommandLine(args: readonly string[], host: Host): Promise<number> {
  let exitCode: number = exitCodes.done;
  const finish = (code: number): void => {
    exitCode = code;
  };
  try {
    await commandLine(host, finish).parseAsync([...args], { from: 'user' });
    await requireOutput(host);
    return exitCode;
  } catch (error) {
    const style = { json: args.includes('--json'), verbose: args.includes('--verbose') };
    const isHelp = error instanceof CommanderError && error.exitCode === 0;
    if (!isHelp) {
      return reportFailure(host, error instanceof CommanderError ? usage(error) : error, style);
    }
    // Help and version were printed; there is nothing to explain.
    try {
      await requireOutput(host);
      return exitCodes.done;
    } catch (lost) {
      return reportFailure(host, lost, style);
    }
  }
}

function commandLine(host: Host, finish: (exitCode: number) => void): Command {
  const program = new Command('ligo')
    .description('Grow a pretrained transformer into a larger one by learned linear operators.')
    .version(manifest.version)
    .exitOverride()
    .configureOutput({
      writeOut: text => void host.stdout.write(text),
      writeErr: text => void host.stderr.write(text),
      // Usage errors are told in one place, like all others.
      outputError: () => undefined,
    })
    .hook('preAction', (_, command) => fetchNamed(command, host));
  addInspectCommand(program, host);
  addDiffCommand(program, host);
  addPlanCommand(program, host, finish);
  addGrowCommand(program, host);
  addApplyCommand(program, host);
  addTrainCommand(program, host);
  addCompareCommand(program, host);
  addEvaluateCommand(program, host);
  addConvertCommand(program, host);
  addHandoffCommand(program, host);
  addJobCommand(program, host);
  addDoctorCommand(program, host, finish);
  return program;
}

function usage({ code, message }: CommanderError): UsageError {
  if (code === 'commander.help') {
    return new UsageError('No command is named.', 'See ligo --help for the commands.');
  }
  const text = message.replace(/^error: /, '').replace(/\.?$/, '.');
  return new UsageError(
    text.charAt(0).toUpperCase() + text.slice(1).replace('\n', ' '),
    'See --help of the command for its arguments.',
  );
}
