import { fork } from 'node:child_process';
import type { Command } from 'commander';
import {
  engineNames,
  optionalEngines,
  type EngineSurvey,
  type OptionalEngine,
  type SelfTestResult,
} from '../../protocol/engines';
import { describeSurvey } from '../../protocol/engineText';
import { exitCodes } from '../failure';
import { printError, printLine, type Host } from '../host';
import { addEngineFolderOption, addOption, addOutputOptions, takes } from '../options';
import type { OutputOptions } from '../options';
import { commandLine } from '../../remedy/commandLine';
import { worded } from '../../remedy/worded';

interface DoctorOptions extends OutputOptions {
  readonly selfTest?: boolean;
  readonly install?: OptionalEngine;
  readonly engineFolder?: string;
}

/** The argument of the process that tests one engine. */
const childCommand = 'self-test-engine';

/** `ligo doctor`: what this machine computes with, what is missing, and getting it. */
export function addDoctorCommand(
  program: Command,
  host: Host,
  finish: (exitCode: number) => void,
): void {
  const command = program
    .command('doctor')
    .description('say what this machine computes with, and install what is missing')
    .option('--self-test', 'take a few tiny steps on every engine that is ready');
  const engines = takes.word(optionalEngines);
  const names = optionalEngines.join(', ');
  addOption(command, '--install <engine>', `install an optional engine: ${names}`, engines);
  addEngineFolderOption(command);
  addOutputOptions(command).action(async (options: DoctorOptions) => {
    if (options.install) await install(host, options.install, options);
    const agree = await examine(host, options);
    if (!agree) finish(exitCodes.failed);
  });
  program
    .command(`${childCommand} <engine>`, { hidden: true })
    .option('--engine-folder <folder>')
    .action(async (engine: string, { engineFolder }: DoctorOptions) => {
      const [{ testInChild }, { openSurveyed }] = await Promise.all([
        import('../../selfTest/selfTest'),
        import('../../engine/open'),
      ]);
      const name = takes.word(engineNames)('engine')(engine);
      await testInChild(name, openSurveyed(engineFolder));
    });
}

/** Tells what was found; false when an engine failed its test. */
async function examine(host: Host, options: DoctorOptions): Promise<boolean> {
  const { engineFolder: folder } = options;
  const { surveyEngines } = await import('../../engine/survey');
  const found = await surveyEngines(folder === undefined ? {} : { folder });
  const survey = worded<EngineSurvey>(found, commandLine);
  const ready = survey.engines.filter(({ state }) => state === 'ready').map(({ name }) => name);
  const tests = options.selfTest ? await test(host, ready, folder) : undefined;
  printLine(
    host,
    options.json
      ? JSON.stringify({ ...survey, ...(tests && { selfTest: tests }) })
      : describeSurvey(survey, tests),
  );
  return tests?.every(({ outcome }) => outcome === 'agrees') ?? true;
}

async function test(
  host: Host,
  names: readonly (typeof engineNames)[number][],
  folder: string | undefined,
) {
  const { selfTest } = await import('../../selfTest/selfTest');
  const more = folder === undefined ? [] : ['--engine-folder', folder];
  const results = await selfTest(names, {
    start: name =>
      fork(host.script, [childCommand, name, ...more], {
        execArgv: [],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      }),
    signal: host.signal,
  });
  return worded<readonly SelfTestResult[]>(results, commandLine);
}

async function install(
  host: Host,
  engine: OptionalEngine,
  { engineFolder: given, json }: DoctorOptions,
): Promise<void> {
  const [{ engineFolder }, { installEngine }, { findNpm }] = await Promise.all([
    import('../../engine/folder'),
    import('../../engine/install'),
    import('../../engine/npm'),
  ]);
  const folder = engineFolder(given);
  // What --json prints to standard output is one object.
  const tell = (text: string): void => (json ? printError(host, text) : printLine(host, text));
  tell(`Installing ${engine} into ${folder} …`);
  await installEngine(engine, {
    folder,
    npm: findNpm(),
    signal: host.signal,
    onLine: line => tell(`  ${line}`),
  });
  tell(`Installed ${engine}.\n`);
}
