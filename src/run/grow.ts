import { join } from 'node:path';
import { sha256OfFiles } from '../checkpoint/hash';
import { openOutputFolder } from '../checkpoint/outputFolder';
import type { Engine } from '../engine';
import { UsageError } from '../errors';
import {
  copyParameter,
  randomParameter,
  type Growth,
  type OperatorValues,
  type SmallValues,
} from '../growth';
import type { Evaluation, Receipt } from '../protocol/events';
import { frequencyLoss } from '../training';
import { report, type RunContext } from './context';
import { openData, type DataOptions, type OpenData } from './data';
import { parameterGrower, writeOperators } from './grownParameters';
import { learnOperators } from './learn';
import { openModel, readParameters, readSmallValues, summarize, type Model } from './model';
import { modelCard } from './modelCard';
import { planGrowth, requireGrowth, requireHead, resolveTarget, type Target } from './plan';
import { collapseWarning, software } from './receipt';
import { fingerprint, removeRunState } from './runState';
import { chooseSeparator } from './separator';
import { compareLogits, grownModel, plainModel, scoreModel, type ScoredModel } from './scoring';
import type { LigoSettings } from './settings';
import { writeModel, writeText, type ParameterValues } from './writeModel';

/** How a large model is made of a small one. */
export const growthMethods = ['ligo', 'stack', 'random'] as const;
export type GrowthMethod = (typeof growthMethods)[number];

/** The main job. */
export interface GrowRequest {
  readonly checkpoint: string;
  readonly target: Target;
  readonly out: string;
  readonly method: GrowthMethod;
  /** Needed to learn and to measure; methods without learning do without. */
  readonly data?: DataOptions | undefined;
  readonly settings: LigoSettings;
  readonly seed: number;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly maxShardBytes?: number | undefined;
}

/** What a growth made and measured, before it is written. */
interface GrowthOutcome {
  readonly values: ParameterValues;
  readonly operators?: OperatorValues;
  readonly measured: Partial<Receipt>;
}

/**
 * Grows a checkpoint: opens, plans, learns, measures, writes, leaves a receipt. Nothing is written
 * unless all of it succeeded. Throws UserError for whatever a person can mend.
 */
export async function grow(context: RunContext, request: GrowRequest): Promise<Receipt> {
  const model = await openModel(request.checkpoint);
  try {
    const growth = requireGrowth(model, await resolveTarget(model, request.target));
    if (request.method === 'ligo') {
      requireHead(model);
      if (!request.data) throw new UsageError('Learning operators needs data.', 'Give --data.');
    }
    const folder = await openOutputFolder(request.out, { overwrite: request.overwrite ?? false });
    try {
      const receipt = await growInto(context, request, model, growth, folder.path);
      await folder.commit();
      await removeRunState(request.out);
      report(context, { type: 'done', out: request.out, receipt });
      return receipt;
    } catch (error) {
      await folder.discard();
      throw error;
    }
  } finally {
    await model.checkpoint.close();
  }
}

async function growInto(
  context: RunContext,
  request: GrowRequest,
  model: Model,
  growth: Growth,
  directory: string,
): Promise<Receipt> {
  const engine = await context.engine();
  const warnings: string[] = [];
  try {
    report(context, {
      type: 'device',
      engine: engine.description.name,
      device: engine.description.device,
    });
    const separator =
      request.data && request.data.separator === undefined
        ? await chooseSeparator(engine, model, request.data)
        : undefined;
    const data =
      request.data &&
      (await openData(model.architecture, model.checkpoint.directory, {
        ...request.data,
        separator: request.data.separator ?? separator?.separator,
      }));
    const warn = (message: string, remedy: string): void => {
      warnings.push(message);
      report(context, { type: 'warning', message, remedy });
    };
    for (const note of data?.notes ?? []) warn(note, 'Check that this is what you meant.');
    try {
      const small = await readSmallValues(model, growth);
      const sha256 = await sha256OfFiles(model.checkpoint.files);
      const outcome = await makeLarge(context, request, {
        model,
        growth,
        engine,
        data,
        small,
        sha256,
        warn,
      });
      await writeModel(directory, model, growth.target, outcome.values, request);
      if (outcome.operators)
        await writeOperators(directory, growth, outcome.operators, {
          format: 'ligo',
          source: sha256,
        });
      const receipt: Receipt = {
        software,
        created: new Date(context.now()).toISOString(),
        source: {
          ...summarize(model.architecture),
          path: request.checkpoint,
          files: model.checkpoint.files.map(file =>
            file.slice(model.checkpoint.directory.length + 1),
          ),
          sha256,
        },
        target: summarize(growth.target),
        targetConfig: growth.target.config,
        method: { name: request.method, settings: methodSettings(request) },
        seed: request.seed,
        steps: request.method === 'ligo' ? request.settings.steps : 0,
        ...(data && {
          data: {
            path: request.data!.data,
            ...data.batches.description,
            ...(separator && { separator: separator.note }),
          },
        }),
        engine: engine.description,
        ...outcome.measured,
        warnings,
      };
      await writeText(join(directory, 'growth.json'), `${JSON.stringify(receipt, null, 2)}\n`);
      await writeText(join(directory, 'README.md'), modelCard(receipt));
      return receipt;
    } finally {
      await data?.batches.close();
    }
  } finally {
    await engine.dispose();
  }
}

const methodSettings = ({ method, settings }: GrowRequest): Receipt['method']['settings'] =>
  method === 'ligo' ? { ...settings } : {};

interface Prepared {
  readonly model: Model;
  readonly growth: Growth;
  readonly engine: Engine;
  readonly data: OpenData | undefined;
  readonly small: SmallValues;
  readonly sha256: string;
  readonly warn: (message: string, remedy: string) => void;
}

/** Learns or copies, and measures small against large where there is data and a head. */
async function makeLarge(
  context: RunContext,
  request: GrowRequest,
  prepared: Prepared,
): Promise<GrowthOutcome> {
  const { model, growth, engine, data, small } = prepared;
  const measurable = data !== undefined && model.architecture.head !== 'none';
  if (!measurable) {
    return { values: unlearnedValues(request, growth, small), measured: {} };
  }
  const smallModel = plainModel(model.architecture, await readParameters(model), 'source');
  const scores = await score(context, engine, smallModel, data, 'small');
  const frequencies = await frequencyLoss(data.batches, data.classes);
  const measured = { smallModel, small: scores, frequencies };
  return request.method === 'ligo'
    ? learnLarge(context, request, { ...prepared, data }, measured)
    : copyLarge(context, request, { ...prepared, data }, measured);
}

interface MeasuredSmall {
  readonly smallModel: ScoredModel;
  readonly small: Evaluation;
  readonly frequencies: number;
}

async function learnLarge(
  context: RunContext,
  request: GrowRequest,
  { model, growth, engine, data, small, sha256, warn }: Prepared & { readonly data: OpenData },
  { smallModel, small: smallScores, frequencies }: MeasuredSmall,
): Promise<GrowthOutcome> {
  const { settings, seed } = request;
  const resolved = { dimensions: growth.target.dimensions, refusals: [] };
  report(context, { type: 'plan', plan: planGrowth(model, resolved, settings, data.shape) });
  const { operators, before, after, drift, flopsPerStep, seconds } = await learnOperators(
    context,
    engine,
    {
      growth,
      small,
      data,
      settings,
      seed,
      out: request.out,
      resume: request.resume ?? false,
      fingerprint: fingerprint([
        sha256,
        growth.target.config,
        data.batches.description.sha256,
        data.shape,
        settings,
        seed,
        engine.description.name,
      ]),
    },
  );
  const collapse = collapseWarning(after.loss, frequencies, smallScores.loss);
  if (collapse) warn(collapse.message, collapse.remedy);
  const large = grownModel(growth, small, operators);
  const parity = await compareLogits(engine, [smallModel, large], data.batches, data.shape);
  return {
    values: parameterGrower(engine, growth, operators, small),
    operators,
    measured: {
      losses: { small: smallScores, before, after, frequencies },
      parity,
      drift,
      flops: { perStep: flopsPerStep, total: flopsPerStep * settings.steps },
      seconds,
    },
  };
}

async function copyLarge(
  context: RunContext,
  request: GrowRequest,
  { growth, engine, data, small }: Prepared & { readonly data: OpenData },
  { smallModel, small: smallScores, frequencies }: MeasuredSmall,
): Promise<GrowthOutcome> {
  const values = unlearnedValues(request, growth, small);
  const all: Record<string, Float32Array> = {};
  for (const parameter of growth.target.parameters) {
    if (parameter.used) all[parameter.id] = await values(parameter);
  }
  const large = plainModel(growth.target, all, 'target');
  const after = await score(context, engine, large, data, 'after');
  const parity = await compareLogits(engine, [smallModel, large], data.batches, data.shape);
  return { values, measured: { losses: { small: smallScores, after, frequencies }, parity } };
}

/** Values of methods that learn nothing. */
function unlearnedValues(
  { method, seed }: GrowRequest,
  growth: Growth,
  small: SmallValues,
): ParameterValues {
  return parameter =>
    Promise.resolve(
      method === 'stack'
        ? copyParameter(growth, parameter, small, seed)
        : randomParameter(growth.target, parameter, seed),
    );
}

async function score(
  context: RunContext,
  engine: Engine,
  model: ScoredModel,
  { batches, shape }: OpenData,
  which: 'small' | 'after',
): Promise<Evaluation> {
  const scores = await scoreModel(engine, model, batches, shape, context.signal);
  report(context, { type: 'evaluation', model: which, step: 0, ...scores });
  return scores;
}
