import { availableParallelism } from 'node:os';
import { UserError } from '../errors';
import { install, set } from '../remedy/actions';
import { advise } from '../remedy/remedy';
import type { EngineChoice, EngineName } from '../protocol/engines';
import { threadsText } from '../protocol/engineText';
import { candidates, describeEngine, reasonFor } from './choose';
import type { Engine, Precision } from './engine';
import { folderOf } from './folder';
import type { FoundEngine, FoundSurvey } from './found';
import { freeMemory } from './memory';
import { openNamed, type OpenNamed } from './openers';
import { surveyEngines } from './survey';

/** Memory that a run may take, and whose it is. */
export interface DeviceMemory {
  readonly bytes: number;
  /** For people: "main memory", "NVIDIA RTX 4070". */
  readonly of: string;
  /** The whole process shares it, not only what a step holds. */
  readonly isMain?: boolean;
}

/** An engine that was started. */
export interface ChosenEngine {
  readonly engine: Engine;
  /** Why this one, on one line: "WebGPU on NVIDIA RTX 4070, 12 GB; CUDA not installed". */
  readonly reason: string;
  /** As it was when the engine was opened. */
  readonly memory: DeviceMemory;
  /** The graphics adapter that computes, by the name the survey gives it; absent for the CPU. */
  readonly adapter?: string;
}

/** What a person asked for. */
export interface EngineRequest {
  readonly engine: EngineChoice;
  /** Of the CPU engine; as many as the machine has by default. */
  readonly threads?: number | undefined;
  /** Where optional engines are installed, if not where they usually are. */
  readonly folder?: string | undefined;
  /** Of matrix products; float32 by default. */
  readonly precision?: Precision | undefined;
}

/** What opening reads and starts; tests give their own. */
export interface OpenParts {
  readonly open: OpenNamed;
  readonly survey: (options: { readonly folder?: string }) => Promise<FoundSurvey>;
}

/**
 * Starts the engine that was asked for. An engine that is named and cannot run rejects with its own
 * UserError, and nothing else takes its place; `auto` takes the next best and says why.
 */
export async function openEngine(
  request: EngineRequest,
  parts: OpenParts = { open: openNamed, survey: surveyEngines },
): Promise<ChosenEngine> {
  const { engine: choice, threads, folder, precision } = request;
  // The machine need not be examined to compute on its CPU.
  if (choice === 'cpu') return openCpu(request, parts);
  const survey = await parts.survey(folder === undefined ? {} : { folder });
  const open = (report: FoundEngine): Promise<Engine> =>
    parts.open(report.name, {
      threads,
      device: report.device,
      folder: optionalFolder(report.name, survey.folder),
      precision,
    });
  if (choice === 'auto') return openBest(survey.engines, open, threads);
  const report = requested(choice, survey.engines);
  const engine = await open(report).catch((error: unknown) => {
    throw explained(report, error);
  });
  return { engine, reason: `${describeEngine(report)}, as asked for`, ...deviceOf(report) };
}

/** Starts an engine by the name that the survey gives it. */
export type OpenByName = (name: EngineName) => Promise<Engine>;

/** Starts engines that are ready, each by its own name; for self tests. */
export function openSurveyed(folder: string | undefined, open = openNamed): OpenByName {
  return async name => {
    const survey = await surveyEngines(folder === undefined ? {} : { folder });
    const report = survey.engines.find(each => each.name === name);
    if (!report) throw new UserError(`There is no ${name} engine here.`, 'Choose another.');
    const place = optionalFolder(name, survey.folder);
    return open(name, { threads: undefined, device: report.device, folder: place });
  };
}

async function openCpu(
  { threads, precision }: EngineRequest,
  { open }: OpenParts,
): Promise<ChosenEngine> {
  const engine = await open('cpu', { threads, device: 'CPU', folder: '', precision });
  return {
    engine,
    reason: `CPU, ${threadsText(threads ?? availableParallelism())}, as asked for`,
    memory: mainMemory(),
  };
}

async function openBest(
  reports: readonly FoundEngine[],
  open: (report: FoundEngine) => Promise<Engine>,
  threads: number | undefined,
): Promise<ChosenEngine> {
  const failures: string[] = [];
  for (const found of candidates(reports)) {
    // The survey does not know how many threads were asked for.
    const report =
      found.name === 'cpu' && threads !== undefined
        ? { ...found, device: `CPU, ${threadsText(threads)}` }
        : found;
    try {
      const engine = await open(report);
      return { engine, reason: reasonFor(report, reports, failures), ...deviceOf(report) };
    } catch (error) {
      // Without the CPU there is nothing left to take.
      if (report.name === 'cpu') throw error;
      const message = error instanceof Error ? error.message : String(error);
      failures.push(`${report.title} failed: ${message.replace(/\.$/, '')}`);
    }
  }
  throw new Error('the survey has no CPU engine');
}

/** The report of a named engine. Throws UserError when it is not installed or not for this system. */
function requested(
  choice: Exclude<EngineChoice, 'auto' | 'cpu'>,
  reports: readonly FoundEngine[],
): FoundEngine {
  const names: readonly EngineName[] = choice === 'tfjs' ? ['tfjs-gpu', 'tfjs-node'] : [choice];
  const found = reports.filter(({ name }) => names.includes(name));
  const report =
    found.find(({ state }) => state === 'ready') ??
    found.find(({ state }) => state === 'notInstalled') ??
    found[0];
  if (!report) {
    throw new UserError(
      'DirectML is a part of Windows only.',
      advise`${set('engine', 'webgpu')}, or ${set('engine', 'auto')} for the best engine here.`,
    );
  }
  if (report.state !== 'notInstalled') return report;
  throw new UserError(
    `${choice === 'tfjs' ? 'TensorFlow.js' : report.title} is not installed.`,
    advise`${install(report.name)}, or ${set('engine', 'auto')} for the best engine here.`,
  );
}

/** Why a named engine did not start: what the survey found missing, else what the engine said. */
function explained(report: FoundEngine, error: unknown): unknown {
  if (report.state !== 'unusable') return error;
  const own = error instanceof UserError ? error.remedy : undefined;
  return new UserError(
    `${report.title} cannot run here: ${report.note}.`,
    report.remedy ?? own ?? advise`${set('engine', 'auto')} for the best engine here.`,
    { cause: error },
  );
}

function optionalFolder(name: EngineName, folder: string): string {
  return name === 'cuda' || name === 'tfjs-gpu' || name === 'tfjs-node'
    ? folderOf(name, folder)
    : folder;
}

const mainMemory = (): DeviceMemory => ({
  bytes: freeMemory(),
  of: 'main memory',
  isMain: true,
});

/** What computes, and its memory: a card's own; everything else computes in the machine's. */
function deviceOf(report: FoundEngine): Pick<ChosenEngine, 'memory' | 'adapter'> {
  const { kind, device, memoryBytes, freeMemoryBytes } = report;
  const bytes = freeMemoryBytes ?? memoryBytes;
  const owns = kind === 'discrete' && bytes !== undefined;
  return {
    memory: owns ? { bytes, of: device } : mainMemory(),
    ...((kind === 'discrete' || kind === 'integrated') && { adapter: device }),
  };
}
