import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture, Parameter } from '../architecture';
import { plainWeights } from '../architecture';
import { sha256OfFiles } from '../checkpoint/hash';
import type { Engine, NamedData } from '../engine';
import { countFlops, input, inputName, programResults } from '../graph';
import type { Evaluation } from '../protocol/events';
import {
  batchFeeds,
  objectiveGraph,
  runTrainingLoop,
  trainingProgram,
  type ParameterGroup,
} from '../training';
import { report, type RunContext } from './context';
import type { DataOptions } from './data';
import { readParameter, readParameters, type Model } from './model';
import { requireHead } from './plan';
import { software } from './receipt';
import { withData, withEngine, withModel, withOutput, type RunData } from './resources';
import { fingerprint, loadRunState, removeRunState } from './runState';
import { plainModel, scoreModel } from './scoring';
import { optimizerOptions, type TrainSettings } from './settings';
import { explainStop, stoppable, type TrainedRun } from './stop';
import { untilAborted, writeModel, writeText } from './writeModel';

/** Continued pretraining of a checkpoint. */
export interface TrainRequest {
  readonly checkpoint: string;
  readonly data: DataOptions;
  readonly out: string;
  readonly settings: TrainSettings;
  readonly seed: number;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly maxShardBytes?: number | undefined;
}

/** training.json: what happened, beside a checkpoint that was trained on. */
export interface TrainingReceipt {
  readonly software: { readonly name: string; readonly version: string };
  readonly created: string;
  readonly source: { readonly path: string; readonly sha256: string };
  readonly settings: TrainSettings;
  /** Updates made. */
  readonly steps: number;
  readonly seed: number;
  readonly data: object;
  readonly engine: { readonly name: string; readonly device: string };
  readonly before: Evaluation;
  readonly after: Evaluation;
  readonly flops: { readonly perStep: number; readonly total: number };
  readonly seconds: number;
}

/** Trains a checkpoint on its own objective and writes the result as a checkpoint of the same kind. */
export function train(context: RunContext, request: TrainRequest): Promise<TrainingReceipt> {
  return withModel(request.checkpoint, async model => {
    requireHead(model);
    const receipt = await stoppable(context, onTrained =>
      withOutput(request.out, request.overwrite ?? false, directory =>
        withEngine(context, engine =>
          withData(engine, model, request.data, data =>
            trainInto(directory, context, request, { model, engine, data, onTrained }),
          ),
        ),
      ),
    );
    await removeRunState(request.out);
    report(context, { type: 'done', out: request.out });
    return receipt;
  });
}

interface Opened {
  readonly model: Model;
  readonly engine: Engine;
  readonly data: RunData;
  readonly onTrained: (run: TrainedRun) => void;
}

async function trainInto(
  directory: string,
  context: RunContext,
  request: TrainRequest,
  opened: Opened,
): Promise<TrainingReceipt> {
  const { model, engine, data } = opened;
  const { architecture } = model;
  const sha256 = await sha256OfFiles(model.checkpoint.files);
  const initial = await readParameters(model);
  const score = async (values: NamedData, which: 'before' | 'after', step: number) => {
    const scored = plainModel(architecture, values as Record<string, Float32Array>, 'model');
    const scores = await scoreModel(engine, scored, data.batches, data.shape, context.signal);
    report(context, { type: 'evaluation', model: which, step, ...scores });
    return scores;
  };
  const before = await score(initial, 'before', 0);
  const trained = await trainParameters(context, request, opened, initial, sha256);
  const after = await score(trained.values, 'after', trained.steps);
  await writeModel(
    directory,
    model,
    architecture,
    untilAborted(context.signal, parameter => valuesOf(model, parameter, trained.values)),
    request,
  );
  const receipt: TrainingReceipt = {
    software,
    created: new Date(context.now()).toISOString(),
    source: { path: request.checkpoint, sha256 },
    settings: request.settings,
    steps: trained.steps,
    seed: request.seed,
    data: { path: request.data.data, ...data.batches.description, separator: data.separatorNote },
    engine: engine.description,
    before,
    after,
    flops: { perStep: trained.flopsPerStep, total: trained.flopsPerStep * trained.steps },
    seconds: trained.seconds,
  };
  await writeText(join(directory, 'training.json'), `${JSON.stringify(receipt, null, 2)}\n`);
  await keepGrowthReceipt(model.checkpoint.directory, directory);
  return receipt;
}

/** Trained values, or the file's own for parameters that the objective never reads. */
async function valuesOf(
  model: Model,
  parameter: Parameter,
  trained: NamedData,
): Promise<Float32Array> {
  return (trained[parameter.id] as Float32Array | undefined) ?? readParameter(model, parameter);
}

/** A grown checkpoint stays a grown checkpoint when it is trained on: its receipt goes along. */
async function keepGrowthReceipt(from: string, to: string): Promise<void> {
  try {
    await copyFile(join(from, 'growth.json'), join(to, 'growth.json'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Matrices decay, vectors do not, as is usual for transformers. */
const groupsOf = ({ learningRate, weightDecay }: TrainSettings): readonly ParameterGroup[] => [
  { name: 'matrices', learningRate, weightDecay },
  { name: 'vectors', learningRate, weightDecay: 0 },
];

function trainableInputs(architecture: Architecture) {
  return architecture.parameters
    .filter(({ used }) => used)
    .map(({ id, shape }) => ({
      input: input(id, shape),
      group: shape.length > 1 ? 'matrices' : 'vectors',
    }));
}

async function trainParameters(
  context: RunContext,
  { settings, seed, out, resume = false }: TrainRequest,
  { model, engine, data, onTrained }: Opened,
  initial: NamedData,
  sha256: string,
): Promise<{ values: NamedData; seconds: number; flopsPerStep: number; steps: number }> {
  const { architecture } = model;
  const print = fingerprint([
    sha256,
    data.batches.description.sha256,
    data.separator,
    data.shape,
    settings,
    seed,
    engine.description.name,
  ]);
  const resumed = resume ? await loadRunState(out, print) : undefined;
  const parameters = trainableInputs(architecture);
  const byId = new Map(parameters.map(parameter => [inputName(parameter.input), parameter.input]));
  const objective = objectiveGraph(
    architecture,
    plainWeights(id => byId.get(id)),
    batchFeeds(architecture, data.shape),
  );
  const program = trainingProgram(objective, parameters, [], optimizerOptions(settings));
  const flops = countFlops(programResults(program));
  const flopsPerStep = flops.matrix + flops.other;
  const executable = await engine.compile(program);
  let seconds = resumed?.seconds ?? 0;
  try {
    const own = [...byId.keys()].map(id => [id, initial[id]!] as const);
    executable.load(resumed?.tensors ?? Object.fromEntries(own));
    const result = await runTrainingLoop({
      executable,
      batches: data.batches,
      groups: groupsOf(settings),
      optimizer: optimizerOptions(settings),
      schedule: { kind: settings.schedule, steps: settings.steps, warmup: settings.warmup },
      start: resumed?.step ?? 0,
      keepEvery: 100,
      signal: context.signal,
      onStep: step => {
        seconds += step.seconds;
        report(context, {
          type: 'step',
          phase: 'training',
          steps: settings.steps,
          tokensPerSecond: data.batches.itemsPerBatch / step.seconds,
          flops: flopsPerStep,
          ...step,
        });
        return context.betweenSteps?.();
      },
    });
    const stopped = { out, fingerprint: print, steps: settings.steps, seconds };
    if (result.outcome !== 'finished') throw await explainStop(context, stopped, result);
    onTrained({ ...stopped, state: result.state });
    const values = Object.fromEntries([...byId.keys()].map(id => [id, result.state[id]!]));
    return { values, seconds, flopsPerStep, steps: result.step };
  } finally {
    await executable.dispose();
  }
}
