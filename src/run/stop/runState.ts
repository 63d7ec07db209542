import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { openCheckpoint } from '../../checkpoint/checkpoint';
import { isJsonObject } from '../../checkpoint/jsonText';
import { openOutputFolder, removeOutput, restoreSetAside } from '../../checkpoint/outputFolder';
import { writeCheckpoint } from '../../checkpoint/writeCheckpoint';
import type { NamedData } from '../../engine';
import { CorruptFileError, UserError } from '../../errors';
import { ifThere, ownPath, readTextFile } from '../../files';
import type { CurvePoint } from '../../protocol/comparison';
import { differences, type Decisions } from './decisions';
import { writeNew } from '../write/writeNew';
import { startAnew } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** Which run a state belongs to; it fits no other. */
export interface RunIdentity {
  /** Of everything that decides the run's bytes. */
  readonly fingerprint: string;
  /** The same by name, to say what differs; absent where whoever asks has words of their own. */
  readonly decisions?: Decisions | undefined;
}

/** What a stopped run needs to go on as if it had not stopped. */
export interface RunState extends RunIdentity {
  /** Updates made. */
  readonly step: number;
  /** Seconds spent in steps so far. */
  readonly seconds: number;
  /** Parameters and moments by input name. */
  readonly tensors: NamedData;
  /** Evaluations so far, where the run makes some. */
  readonly curve?: readonly CurvePoint[];
  /** After which updates the run was stopped and gone on with before. */
  readonly resumedAfter?: readonly number[] | undefined;
  /** What else the run knows of itself, as JSON; whoever reads it checks it. */
  readonly details?: unknown;
}

/** Bytes of run.json at most: its curve has a few hundred a point. */
const largestSummary = 64 * 1024 * 1024;

/** The folder beside the output that holds a stopped run. */
export const runStateFolder = (out: string): string => join(dirname(out), `${basename(out)}.run`);

/** SHA-256 of whatever decides a run. */
export const fingerprint = (parts: unknown): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/** A run by whatever decides it. */
export const identityOf = (decisions: Decisions): RunIdentity => ({
  fingerprint: fingerprint(Object.values(decisions)),
  decisions,
});

/** Saves a state whole or not at all, replacing an earlier one. */
export async function saveRunState(out: string, state: RunState): Promise<string> {
  const target = runStateFolder(out);
  await requireNoLink(target);
  const folder = await openOutputFolder(target, { overwrite: true });
  try {
    const tensors = Object.entries(state.tensors).map(([name, data]) => ({
      name,
      type: 'F32' as const,
      shape: [data.length],
      values: () => Promise.resolve(data as Float32Array),
    }));
    await writeCheckpoint(folder.path, tensors, { baseName: 'state' });
    const summary = { version: 1, ...state, tensors: undefined };
    await writeNew(join(folder.path, 'run.json'), `${JSON.stringify(summary, null, 2)}\n`);
    await folder.commit();
  } catch (error) {
    await folder.discard();
    throw error;
  }
  return target;
}

/** Reads the state a stopped run left. Throws UserError when there is none or it is another run's. */
export async function loadRunState(out: string, expected: RunIdentity): Promise<RunState> {
  const { fingerprint: found, decisions } = await readSummary(runStateFolder(out));
  if (found !== expected.fingerprint) {
    const names =
      decisions && expected.decisions ? differences(decisions, expected.decisions) : undefined;
    throw new UserError(
      `The state in ${runStateFolder(out)} belongs to a run with other settings, data or checkpoint${names ? `: ${names}` : ''}.`,
      advise`Resume with the options of the stopped run, or ${startAnew}.`,
    );
  }
  return readRunState(out);
}

/** Reads the state beside an output, of whatever run. Throws UserError when it is not whole. */
export async function readRunState(out: string): Promise<RunState> {
  const folder = runStateFolder(out);
  const summary = await readSummary(folder);
  const checkpoint = await openCheckpoint(folder);
  try {
    const tensors: Record<string, Float32Array> = {};
    for (const name of checkpoint.tensors.keys()) {
      tensors[name] = await checkpoint.readFloat32(name);
    }
    return { ...summary, tensors };
  } finally {
    await checkpoint.close();
  }
}

/** Nobody names this folder, so a link in its place would have another one read, or replaced. */
async function requireNoLink(folder: string): Promise<void> {
  const found = await ifThere(lstat(folder));
  if (found?.isSymbolicLink() !== true) return;
  throw new UserError(`${folder} is a link.`, 'Remove it: states of stopped runs belong there.');
}

type Summary = Omit<RunState, 'tensors'>;

async function readSummary(folder: string): Promise<Summary> {
  const path = join(folder, 'run.json');
  let text: string;
  await restoreSetAside(folder);
  await requireNoLink(folder);
  try {
    text = await readTextFile(await ownPath(folder, 'run.json'), largestSummary);
  } catch (error) {
    throw new UserError(
      `There is no stopped run to resume: ${path} cannot be read.`,
      advise`${startAnew}.`,
      { cause: error },
    );
  }
  const parsed: unknown = (() => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  })();
  if (isSummary(parsed)) {
    const { fingerprint: of, decisions, step, seconds, curve, resumedAfter, details } = parsed;
    return {
      fingerprint: of,
      step,
      seconds,
      details,
      ...(decisions && { decisions }),
      ...(curve && { curve }),
      ...(resumedAfter && { resumedAfter }),
    };
  }
  throw new CorruptFileError(`${path} is damaged.`, advise`${startAnew}.`);
}

function isSummary(value: unknown): value is Summary {
  if (!isJsonObject(value)) return false;
  return (
    value['version'] === 1 &&
    typeof value['fingerprint'] === 'string' &&
    Number.isSafeInteger(value['step']) &&
    typeof value['seconds'] === 'number' &&
    (value['decisions'] === undefined || isJsonObject(value['decisions'])) &&
    (value['curve'] === undefined || Array.isArray(value['curve'])) &&
    (value['resumedAfter'] === undefined || isListOfSteps(value['resumedAfter']))
  );
}

const isListOfSteps = (value: unknown): boolean =>
  Array.isArray(value) && value.every(step => Number.isSafeInteger(step));

/** Forgets a stopped run, once its output stands. */
export async function removeRunState(out: string): Promise<void> {
  // One that a killed save had set aside would otherwise come back later, or stay.
  await removeOutput(runStateFolder(out));
}
