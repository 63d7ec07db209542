import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { CorruptFileError, UnsupportedError } from '../errors';
import type { WorkerRequest } from '../protocol/runFolder';
import { workerRequest } from '../protocol/schemas';
import type { GrowRequest } from '../run/grow';
import { growthMethodNames, type GrowthMethodName } from '../growth/methods';
import { defaultWarmup, ligoDefaults } from '../run/settings';

/** Reads and checks `request.json`. Throws CorruptFileError. */
export async function readRequest(path: string): Promise<WorkerRequest> {
  const fail = (what: string, cause?: unknown): never => {
    throw new CorruptFileError(`${path} ${what}.`, 'Start the run again.', { cause });
  };
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
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

/** The growth that a request asks for. Throws UnsupportedError for methods not here. */
export function growRequestOf(request: WorkerRequest): GrowRequest {
  const { checkpoint, target, out, method, data, steps, seed, resume, overwrite } = request;
  if (!isMethod(method)) {
    throw new UnsupportedError(
      `This version knows no method called ${method}.`,
      `Choose one of ${growthMethodNames.join(', ')}.`,
    );
  }
  return {
    ...{ checkpoint, target, out, method, seed, resume, overwrite },
    data: data && {
      data: data.path,
      batchSize: data.batchSize,
      sequenceLength: data.sequenceLength,
      seed,
    },
    settings: { warmup: defaultWarmup(steps), ...ligoDefaults(method), steps },
  };
}

const isMethod = (name: string): name is GrowthMethodName =>
  (growthMethodNames as readonly string[]).includes(name);
