import type { DeviceMemory, Engine } from '../../engine';
import type { Growth, SmallValues } from '../../growth';
import { warn, type RunContext } from '../context';
import { readSmallValues, type Model } from '../open/model';
import { requireGrowth, requireHead, resolveTarget } from '../plan/plan';
import { isLearned } from '../grow/makeLarge';
import { mostTaken } from '../plan/processMemory';
import { requireMemory } from '../plan/memoryRefusal';
import { useEngine, useModel } from '../open/resources';
import { useData, type RunData } from '../score/runData';
import { fingerprint } from '../stop/runState';
import { prepareStages } from '../train/trainingStages';
import { countedSizes, paperFlopsPerStep } from './paperFlops';
import { batchesPerUpdate } from '../settings';
import { growthSettings, type CompareRequest, type RunName } from './request';
import { openRunStore, type RunStore } from './runStore';

/** What all runs of a comparison share. */
export interface Comparison {
  readonly request: CompareRequest;
  readonly model: Model;
  readonly growth: Growth;
  readonly small: SmallValues;
  /** Of the checkpoint's files. */
  readonly sha256: string;
  readonly engine: Engine;
  readonly memory: DeviceMemory;
  /** The data as the first seed reads it. */
  readonly data: RunData;
  /** FLOPs of one training step of the large model. */
  readonly flopsPerStep: { readonly exact: number; readonly paper: number };
  readonly store: RunStore;
}

/** Opens everything that the runs of a comparison share, for the length of `use`. */
export async function withComparison<T>(
  context: RunContext,
  request: CompareRequest,
  use: (comparison: Comparison) => Promise<T>,
): Promise<T> {
  await using model = await useModel(request.checkpoint);
  requireHead(model);
  const resolved = await resolveTarget(model, request.target);
  warn(context, resolved.notes);
  const growth = requireGrowth(model, resolved);
  const sha256 = await model.checkpoint.sha256();
  await using started = await useEngine(context);
  const { engine, memory } = started;
  await using data = await useData(engine, model, { ...request.data, seed: request.seeds[0]! });
  const { target } = growth;
  const { shape, batches, separator } = data;
  const stages = prepareStages(target, request.training, shape);
  // Without training from scratch there is nothing to compare with.
  requireMemory(mostTaken(engine.description.name, stages, memory), memory);
  const store = openRunStore(request.out, key => {
    const { method, seed } = key as RunName;
    return fingerprint([
      ...[sha256, target.config, batches.description.sha256, separator, shape],
      ...[batches.evaluationBatches, request.training, request.evaluateEvery],
      ...[isLearned(method) ? growthSettings(request, method) : method, seed],
      engine.description.name,
    ]);
  });
  return await use({
    request,
    model,
    growth,
    sha256,
    engine,
    memory,
    data,
    store,
    small: await readSmallValues(model, growth),
    flopsPerStep: {
      exact: stages.at(-1)!.flopsPerStep,
      paper: paperFlopsPerStep(
        countedSizes(target, shape),
        batchesPerUpdate(request.training) * shape.batchSize,
      ),
    },
  });
}
