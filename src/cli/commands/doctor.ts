import { fork, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../errors';
import {
  engineNames,
  optionalEngines,
  type EngineName,
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
  readonly tensorflow?: string;
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
  command.option(
    '--tensorflow <path>',
    'build TensorFlow.js with this TensorFlow: a wheel, or the folder of its C library',
  );
  addEngineFolderOption(command);
  addOutputOptions(command).action(async (options: DoctorOptions) => {
    if (options.install) await install(host, options.install, options);
    else if (options.tensorflow !== undefined) throw tensorFlowAlone();
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

async function test(host: Host, names: readonly EngineName[], folder: string | undefined) {
  const { selfTest } = await import('../../selfTest/selfTest');
  const results = await selfTest(names, {
    start: startTest(host, folder),
    signal: host.signal,
  });
  return worded<readonly SelfTestResult[]>(results, commandLine);
}

/** Starts the process that tests an engine, out of a folder of engines. */
const startTest =
  (host: Host, folder: string | undefined) =>
  (name: EngineName): ChildProcess => {
    const more = folder === undefined ? [] : ['--engine-folder', folder];
    return fork(host.script, [childCommand, name, ...more], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
  };

const tensorFlowAlone = (): UsageError =>
  new UsageError(
    '--tensorflow says what to build TensorFlow.js with, and nothing is to be installed.',
    'Give it with --install tfjs-node or --install tfjs-gpu.',
  );

async function install(
  host: Host,
  engine: OptionalEngine,
  { engineFolder: given, json, tensorflow }: DoctorOptions,
): Promise<void> {
  const [{ engineFolder }, { installEngine }, { findNpm }, { testOne }] = await Promise.all([
    import('../../engine/folder'),
    import('../../engine/install'),
    import('../../engine/npm'),
    import('../../selfTest/selfTest'),
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
    ...(tensorflow !== undefined && {
      tensorFlow: {
        path: resolve(tensorflow),
        test: (name, place, signal) => testOne(name, { start: startTest(host, place), signal }),
      },
    }),
  });
  tell(`Installed ${engine}.\n`);
}
