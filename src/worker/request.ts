import { isAbsolute } from 'node:path';
import { CorruptFileError } from '../errors';
import { readTextFile } from '../files';
import type {
  ComparisonRequest,
  GrowthRequest,
  TrainingRequest,
  WorkerRequest,
} from '../protocol/runFolder';
import { workerRequest } from '../protocol/runFolderSchemas';
import { growthMethod, methodNameOf } from '../growth/methods';
import { usualEvaluateEvery, usualGrowthSteps, type CompareRequest } from '../run/compare/request';
import type { GrowRequest } from '../run/grow/grow';
import { ligoSettings, trainSettings } from '../run/settings';
import type { TrainRequest } from '../run/train/train';

/** Bytes of `request.json` at most: requests have a few thousand. */
const largestRequest = 1 << 20;

/** Reads and checks `request.json`. Throws CorruptFileError. */
export async function readRequest(path: string): Promise<WorkerRequest> {
  const fail = (what: string, cause?: unknown): never => {
    throw new CorruptFileError(`${path} ${what}.`, 'Start the run again.', { cause });
  };
  let content: unknown;
  try {
    content = JSON.parse(await readTextFile(path, largestRequest));
  } catch (error) {
    return fail(`cannot be used: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  const parsed = workerRequest.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return fail(`is no request: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trimEnd());
  }
  const { checkpoint, out, data } = parsed.data;
  const relative = [checkpoint, out, ...(data ? [data.path] : [])].find(name => !isAbsolute(name));
  if (relative !== undefined) fail(`names ${relative}, which is no absolute path`);
  return parsed.data;
}

/** About how often a run saves its state, in case its worker is killed. */
const savesOfRun = 10;

/** The growth that a request asks for. Throws UnsupportedError for methods not here. */
export function growRequestOf(request: GrowthRequest): GrowRequest {
  const { checkpoint, target, out, data, seed, resume, overwrite } = request;
  const method = methodNameOf(request.method);
  return {
    checkpoint,
    target,
    out,
    method,
    seed,
    resume,
    overwrite,
    data: data && { ...dataOf(data), seed },
    settings: ligoSettings(method, request),
    gguf: request.gguf,
    ...(growthMethod(method).making.kind === 'learned' && {
      saveEvery: Math.ceil(request.steps / savesOfRun),
    }),
  };
}

/** The comparison that a request asks for. Throws UnsupportedError for methods not here. */
export function compareRequestOf(request: ComparisonRequest): CompareRequest {
  const { checkpoint, target, out, data, steps, seeds, resume, overwrite } = request;
  return {
    checkpoint,
    target,
    out,
    seeds,
    resume,
    overwrite,
    methods: request.methods.map(methodNameOf),
    data: dataOf(data),
    training: trainSettings({ steps }),
    growthSteps: request.growthSteps ?? usualGrowthSteps(steps),
    evaluateEvery: request.evaluateEvery ?? usualEvaluateEvery(steps),
    keep: request.keep ?? 'winner',
  };
}

/** The training that a request asks for. Throws UsageError for settings that do not fit together. */
export function trainRequestOf(request: TrainingRequest): TrainRequest {
  const { checkpoint, out, data, seed, resume, overwrite, evaluateEvery = 0 } = request;
  return {
    checkpoint,
    out,
    seed,
    resume,
    overwrite,
    evaluateEvery: evaluateEvery > 0 ? evaluateEvery : undefined,
    fromScratch: request.fromScratch ?? false,
    data: { ...dataOf(data), seed },
    settings: trainSettings(request),
    gguf: request.gguf,
    rateIsOurs: request.learningRate === undefined,
    saveEvery: Math.ceil(request.steps / savesOfRun),
  };
}

const dataOf = ({ path, batchSize, sequenceLength }: ComparisonRequest['data']) => ({
  data: path,
  batchSize,
  sequenceLength,
});
