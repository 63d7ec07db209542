import { join } from 'node:path';
import type { Architecture, Parameter } from '../../architecture';
import type { Note } from '../../errors';
import type { DeviceMemory, Engine, NamedData } from '../../engine';
import { readOwnText } from '../../files';
import { randomParameter, type Moment } from '../../growth';
import { momentInputs } from '../../training';
import type { CurvePoint } from '../../protocol/comparison';
import { evaluationOf, type Evaluation } from '../../protocol/evaluation';
import type { GgufType } from '../../protocol/conversion';
import { modelNameOf } from '../../protocol/weightNames';
import { requireGguf, writeGgufBeside } from '../convert/ggufBeside';
import { sourceName } from '../../protocol/hubReference';
import { copyCompanions, type Companions } from '../write/companions';
import { collectWarnings, report, warn, type RunContext } from '../context';
import type { DataOptions } from '../open/openData';
import { keeperOf } from '../stop/keepOnDisk';
import { readParameter, readParameters, type Model } from '../open/model';
import {
  findOptimizerState,
  moments,
  type OptimizerState,
  type StateWish,
} from '../open/optimizerState';
import { partialSpans } from './partialTraining';
import { requireHead, requireWhole } from '../plan/plan';
import { warningOfLength } from '../score/positionLosses';
import { useEngine, useModel, withOutput } from '../open/resources';
import { useData, type RunData } from '../score/runData';
import { identityOf, loadRunState, removeRunState, type RunState } from '../stop/runState';
import { plainModel, scoreModel } from '../score/scoring';
import { batchesPerUpdate, type TrainSettings } from '../settings';
import { explainStop, savesOnTheWay, stoppable, type TrainedRun } from '../stop/stop';
import { trainingReceipt } from './describeTraining';
import { toldReceipt, type TrainingReceipt } from '../write/trainingReceipt';
import { noteOnRate, suitableRate } from './suitableRate';
import { trainModel, type TrainedModel } from './trainModel';
import { writeOptimizerState } from '../write/optimizerState';
import { untilAborted, valuesById } from '../write/parameterValues';
import { writeModel } from '../write/writeModel';
import { writeNew } from '../write/writeNew';

/** Continued pretraining of a checkpoint. */
export interface TrainRequest {
  readonly checkpoint: string;
  readonly data: DataOptions;
  readonly out: string;
  readonly settings: TrainSettings;
  /** The rate of the settings is nobody's wish: one that suits the checkpoint is taken instead. */
  readonly rateIsOurs?: boolean;
  readonly seed: number;
  /** Begin with random weights instead of the checkpoint's, as the family is initialised. */
  readonly fromScratch?: boolean;
  /** Steps between evaluations on held-out data; none in between by default. */
  readonly evaluateEvery?: number | undefined;
  /** Steps between saves of a state that --resume goes on from; only a stop saves by default. */
  readonly saveEvery?: number | undefined;
  readonly resume?: boolean;
  /** Whether the optimizer goes on with the state beside the checkpoint; where there is one by default. */
  readonly optimizerState?: StateWish;
  /** Write the optimizer's state beside the result. */
  readonly keepOptimizer?: boolean;
  /** Leave out tensors that are no part of the model as it is understood here. */
  readonly dropHead?: boolean;
  /** Writes the trained model as a GGUF file, too. */
  readonly gguf?: GgufType | undefined;
  readonly overwrite?: boolean;
  readonly maxShardBytes?: number | undefined;
}

/** Trains a checkpoint on its own objective and writes the result as a checkpoint of the same kind. */
export async function train(caller: RunContext, asked: TrainRequest): Promise<TrainingReceipt> {
  const { context, warnings } = collectWarnings(caller);
  await using model = await useModel(asked.checkpoint);
  warn(context, model.notes);
  const request = await withRate(context, model, asked);
  requireHead(model);
  requireWhole(model, request.dropHead ?? false);
  if (request.gguf) await requireGguf(model, request.gguf);
  const receipt = await stoppable(context, onTrained =>
    withOutput(request.out, request.overwrite ?? false, async directory => {
      const companions = await copyCompanions(model.checkpoint, directory);
      await using started = await useEngine(context);
      const { engine, memory } = started;
      await using data = await useData(engine, model, request.data);
      const opened = { model, engine, memory, data, onTrained, warnings, companions };
      return await trainInto(directory, context, request, opened);
    }),
  );
  await removeRunState(request.out);
  report(context, { type: 'done', out: request.out, training: toldReceipt(receipt) });
  return receipt;
}

/** The request with a rate that suits the checkpoint, where nobody asked for one; says which. */
async function withRate(
  context: RunContext,
  model: Model,
  request: TrainRequest,
): Promise<TrainRequest> {
  if (!request.rateIsOurs) return request;
  const suitable = await suitableRate(model);
  if (!request.fromScratch) warn(context, [noteOnRate(suitable)]);
  const learningRate = request.fromScratch ? suitable.fromScratch : suitable.rate;
  return { ...request, settings: { ...request.settings, learningRate } };
}

interface Opened {
  readonly model: Model;
  readonly engine: Engine;
  readonly memory: DeviceMemory;
  readonly data: RunData;
  readonly companions: Companions;
  readonly onTrained: (run: TrainedRun) => void;
  /** What was warned of so far. */
  readonly warnings: readonly Note[];
}

async function trainInto(
  directory: string,
  context: RunContext,
  request: TrainRequest,
  opened: Opened,
): Promise<TrainingReceipt> {
  const { model, engine, data, companions } = opened;
  const { architecture } = model;
  warn(context, data.notes);
  await companions.requireSame();
  const sha256 = await model.checkpoint.sha256();
  const { fromScratch = false, optimizerState: wish } = request;
  const found = await findOptimizerState(
    model,
    () => Promise.resolve(sha256),
    wish,
    () => (fromScratch ? 'Random weights have no optimizer’s state.' : undefined),
  );
  await using state = found.state;
  warn(context, found.notes);
  // Before anything is computed: settings that do not fit the model are refused.
  partialSpans(architecture, request.settings, data.shape);
  const initial = fromScratch
    ? randomParameters(architecture, request.seed)
    : await readParameters(model);
  const scored = (values: NamedData) =>
    plainModel(architecture, values as Record<string, Float32Array>, 'model');
  const score = async (values: NamedData, which: 'before' | 'after', step: number) => {
    const { batches, shape } = data;
    const scores = await scoreModel(engine, scored(values), batches, shape, context.signal);
    report(context, { type: 'evaluation', model: which, step, ...scores });
    return scores;
  };
  if (!fromScratch) {
    const tooLong = await warningOfLength(engine, scored(initial), data, context.signal);
    if (tooLong) warn(context, [tooLong]);
  }
  const before = await score(initial, 'before', 0);
  const trained = await trainParameters(context, request, opened, {
    initial,
    before,
    sha256,
    state,
    directory,
  });
  const values = untilAborted(context.signal, parameter =>
    valuesOf(model, parameter, trained.tensors),
  );
  await using written = await writeModel(directory, model, architecture, values, request);
  const kept = untilAborted(context.signal, written.values);
  const after = await score(await valuesById(architecture, kept), 'after', trained.step);
  const updates = (state?.updates ?? 0) + trained.step;
  if (request.keepOptimizer) {
    const kept = {
      updates,
      values: ({ id }: Parameter, moment: Moment) =>
        Promise.resolve(trained.tensors[momentInputs(id)[moment]] as Float32Array | undefined),
    };
    await writeOptimizerState(directory, architecture, kept, await written.sha256(), request);
  }
  const gguf =
    request.gguf &&
    (await writeGgufBeside(context, directory, {
      name: modelNameOf(request.out),
      outtype: request.gguf,
    }));
  await model.checkpoint.requireUnchanged(sha256);
  warn(context, [...(await companions.notes()), ...(await data.batches.requireUnchanged())]);
  context.signal.throwIfAborted();
  const { settings, seed, evaluateEvery } = request;
  const receipt = trainingReceipt({
    architecture,
    trained,
    created: context.now(),
    settings,
    fromScratch,
    seed,
    source: {
      path: sourceName(request.checkpoint, model.checkpoint.directory),
      sha256,
      companions: companions.files,
    },
    data: {
      data,
      path: request.data.data,
      separator: data.separator,
      separatorNote: data.separatorNote,
    },
    engine: engine.description,
    ...(state && { optimizerState: { updates: state.updates, sha256: state.sha256 } }),
    ...(gguf && { gguf }),
    before,
    after,
    ...(evaluateEvery !== undefined && { curve: trained.curve }),
    ...(trained.resumedAfter && { resumedAfter: trained.resumedAfter }),
    warnings: opened.warnings.map(({ message }) => message),
  });
  await writeNew(join(directory, 'training.json'), `${JSON.stringify(receipt, null, 2)}\n`);
  if (!fromScratch) await keepGrowthReceipt(model.checkpoint.directory, directory);
  return receipt;
}

/** Every parameter by id, at random. */
const randomParameters = (architecture: Architecture, seed: number): NamedData =>
  Object.fromEntries(
    architecture.parameters.map(parameter => [
      parameter.id,
      randomParameter(architecture, parameter, seed),
    ]),
  );

/** Trained values, or the file's own for parameters that the objective never reads. */
async function valuesOf(
  model: Model,
  parameter: Parameter,
  trained: NamedData,
): Promise<Float32Array> {
  return (trained[parameter.id] as Float32Array | undefined) ?? readParameter(model, parameter);
}

/** Largest receipt that goes along, in bytes; real ones have a few thousand. */
const largestReceipt = 64 * 1024 * 1024;

/** A grown checkpoint stays a grown checkpoint when it is trained on: its receipt goes along. */
async function keepGrowthReceipt(from: string, to: string): Promise<void> {
  const text = await readOwnText(from, 'growth.json', largestReceipt);
  if (text !== undefined) await writeNew(join(to, 'growth.json'), text);
}

interface TrainingStart {
  /** Every parameter by id. */
  readonly initial: NamedData;
  readonly before: Evaluation;
  /** Of the checkpoint's files. */
  readonly sha256: string;
  /** What the optimizer goes on with. */
  readonly state: OptimizerState | undefined;
  /** Where the output is made. */
  readonly directory: string;
}

/** The moments that a training starts with, by the inputs that hold them. */
async function momentsOf({ parameters }: Architecture, state: OptimizerState): Promise<NamedData> {
  const values: Record<string, Float32Array> = {};
  for (const parameter of parameters.filter(({ used }) => used)) {
    for (const moment of moments) {
      values[momentInputs(parameter.id)[moment]] = await state.read(parameter, moment);
    }
  }
  return values;
}

/** Trains from the checkpoint or from a stopped run's state, and saves what is stopped. */
async function trainParameters(
  context: RunContext,
  request: TrainRequest,
  { model, engine, memory, data, onTrained }: Opened,
  { initial, before, sha256, state: optimizer, directory }: TrainingStart,
): Promise<TrainedModel & Pick<RunState, 'resumedAfter'>> {
  const { settings, seed, out, resume = false, evaluateEvery, saveEvery } = request;
  const { name: engineName, precision } = engine.description;
  const run = identityOf({
    checkpoint: sha256,
    data: data.batches.description.sha256,
    separator: data.separator,
    shape: data.shape,
    settings,
    seed,
    fromScratch: request.fromScratch ?? false,
    engine: engineName,
    precision,
    evaluateEvery,
    ...(optimizer && { optimizer: optimizer.sha256 }),
  });
  const resumed = resume ? await loadRunState(out, run) : undefined;
  const resumedAfter = resumed && [...(resumed.resumedAfter ?? []), resumed.step];
  const identity = { ...run, ...(resumedAfter && { resumedAfter }) };
  const save = savesOnTheWay(context, out);
  const first: CurvePoint = { step: 0, ...before, flops: 0, seconds: 0 };
  const begun = optimizer && !resumed ? await momentsOf(model.architecture, optimizer) : {};
  const fresh = { step: 0, seconds: 0, tensors: { ...initial, ...begun } };
  const trained = await trainModel(engine, {
    architecture: model.architecture,
    data,
    settings,
    seed,
    memory,
    evaluateEvery,
    saveEvery,
    earlier: optimizer?.updates ?? 0,
    start: { ...(resumed ?? fresh), curve: resumed?.curve ?? [first] },
    signal: context.signal,
    onStep: step => {
      report(context, {
        type: 'step',
        phase: 'training',
        steps: settings.steps,
        tokensPerSecond: (batchesPerUpdate(settings) * data.batches.itemsPerBatch) / step.seconds,
        ...step,
      });
      return context.betweenSteps?.();
    },
    onEvaluation: point =>
      report(context, {
        type: 'evaluation',
        model: 'training',
        step: point.step,
        ...evaluationOf(point),
      }),
    onSave: state => save({ ...identity, ...state }),
    keeper: bytes => keeperOf(context, bytes, directory),
  });
  const { seconds, curve, tensors: state } = trained;
  const stopped = { ...identity, out, steps: settings.steps, seconds, curve };
  if (trained.outcome !== 'finished') {
    throw await explainStop(context, stopped, { ...trained, state });
  }
  onTrained({ ...stopped, state });
  return { ...trained, ...(resumedAfter && { resumedAfter }) };
}
