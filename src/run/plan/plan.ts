import {
  givenSize,
  type Architecture,
  type Dimensions,
  type ModelConfig,
} from '../../architecture';
import { CorruptFileError, UnsupportedError, UsageError, type Note } from '../../errors';
import { readTextFile } from '../../files';
import {
  checkRequest,
  configRefusals,
  grownWeights,
  growthMethod,
  learnedOperators,
  notesOnTarget,
  refusals,
  startedOperators,
  targetDimensions,
  type Growth,
  type GrowthMethodName,
  type Refusal,
} from '../../growth';
import type { GrowthPlan } from '../../protocol/events';
import { givenSizes, type TargetSizes } from '../../protocol/model';
import { batchFeeds, objectiveGraph, trainingProgram, type BatchShape } from '../../training';
import { costOfLayers, type ProgramCost } from './growthCost';
import { summarize, summarizeSizes, type Model } from '../open/model';
import {
  batchesPerUpdate,
  optimizerOptions,
  trainingOptions,
  type LigoSettings,
} from '../settings';
import { notesOnSettings } from './notesOnSettings';
import { processBytes } from './processMemory';
import { scoredBytes } from './scoringCost';
import { tokenizerProblem } from '../open/tokenizerWithin';
import { by, set } from '../../remedy/actions';
import { advise, together } from '../../remedy/remedy';
import type { Unworded } from '../../remedy/worded';

/** Sizes by name, or the path of a target config.json. */
export type Target = (TargetSizes | { readonly config: string }) & {
  /** Leave out tensors that are no part of the model as it is understood here. */
  readonly dropHead?: boolean;
};

/** The growth a person asked for, or why it cannot be. */
export interface ResolvedTarget {
  readonly dimensions: Dimensions;
  readonly refusals: readonly Refusal[];
  /** What a target config says that is not followed. */
  readonly notes: readonly Note[];
}

/** Turns a request into sizes, with every reason that speaks against them. */
export async function resolveTarget(
  model: Model,
  { dropHead = false, ...target }: Target,
): Promise<ResolvedTarget> {
  const { architecture } = model;
  const lost = dropHead ? [] : refusalOfLost(model);
  if (!('config' in target)) {
    checkRequest(target);
    const dimensions = targetDimensions(architecture.dimensions, target, architecture);
    return { dimensions, refusals: [...lost, ...refusals(architecture, dimensions)], notes: [] };
  }
  const { usualFields = given => given } = architecture;
  const config = usualFields(await readTargetConfig(target.config));
  const changed = configRefusals(usualFields(architecture.config), config);
  const dimensions = dimensionsOf(architecture, config);
  const found = [...lost, ...changed, ...refusals(architecture, dimensions)];
  const grown = found.length === 0 ? architecture.resized(dimensions).config : undefined;
  return {
    dimensions,
    refusals: found,
    notes: grown ? notesOnTarget(usualFields(grown), config) : [],
  };
}

/** Why a checkpoint cannot be written again whole: it has tensors that nothing here understands. */
function refusalOfLost({ lost, architecture }: Model): Refusal[] {
  if (lost.length === 0) return [];
  const shown = lost.slice(0, 3).join(', ');
  const more = lost.length > 3 ? ` and ${lost.length - 3} more` : '';
  return [
    {
      reason: `What is written would be without ${shown}${more}, which ${lost.length === 1 ? 'is' : 'are'} no part of a ${architecture.modelClass}.`,
      remedy: advise`${set('dropHead')} if that is what you want.`,
    },
  ];
}

/** Throws UnsupportedError for a checkpoint that would lose tensors when it is written again. */
export function requireWhole(model: Model, dropHead: boolean): void {
  const [refusal] = dropHead ? [] : refusalOfLost(model);
  if (refusal) throw new UnsupportedError(refusal.reason, refusal.remedy);
}

/** Largest target config.json, in bytes; real ones have a few thousand (label names: a few million). */
const largestConfig = 50_000_000;

async function readTargetConfig(path: string): Promise<ModelConfig> {
  const text = await readTextFile(path, largestConfig);
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return parsed as ModelConfig;
    }
    throw new SyntaxError('not a JSON object');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CorruptFileError(
      `${path} is not a config.json: ${error.message}.`,
      advise`Give the config.json of the model to grow into${by('config')}.`,
      { cause: error },
    );
  }
}

/** Sizes that a target config gives, by whichever of the families' field names it uses; the others follow. */
function dimensionsOf(source: Architecture, config: ModelConfig): Dimensions {
  const { dimensions: from, namesHeadSize } = source;
  const size = (name: keyof Dimensions): number | undefined => {
    const { field, value } = givenSize(config, name);
    if (value === undefined) return undefined;
    if (!Number.isSafeInteger(value) || Number(value) < 1) {
      throw new UsageError(
        `The target config gives ${field} as ${JSON.stringify(value)}.`,
        `Set ${field} to a positive whole number.`,
      );
    }
    return Number(value);
  };
  const hidden = size('hiddenSize') ?? from.hiddenSize;
  const [layers, heads, kvHeads] = [
    size('numHiddenLayers'),
    size('numAttentionHeads'),
    from.numKeyValueHeads === undefined ? undefined : size('numKeyValueHeads'),
  ];
  const ffn = size('intermediateSize');
  const headDim =
    from.headDim === undefined && namesHeadSize !== true ? undefined : size('headDim');
  return {
    ...targetDimensions(from, givenSizes({ hidden, layers, heads, kvHeads, ffn }), source),
    ...(headDim !== undefined && { headDim }),
  };
}

/** The growth, when nothing refuses it. Throws UnsupportedError with every reason. */
export function requireGrowth(
  model: Model,
  { dimensions, refusals: found }: ResolvedTarget,
): Growth {
  if (found.length > 0) {
    throw new UnsupportedError(
      found.map(({ reason }) => reason).join(' '),
      together(found.map(({ remedy }) => remedy)),
    );
  }
  const source = model.architecture;
  return { source, target: source.resized(dimensions) };
}

/** The same target with what the method has against it, where nothing else speaks against it. */
export async function withMethod(
  model: Model,
  resolved: ResolvedTarget,
  method: GrowthMethodName,
): Promise<ResolvedTarget> {
  if (resolved.refusals.length > 0) return resolved;
  const { making, refusals: refuse } = growthMethod(method);
  const unlearnable = making.kind === 'learned' ? await withoutLoss(model) : [];
  const found = refuse?.(requireGrowth(model, resolved)) ?? [];
  return { ...resolved, refusals: [...unlearnable, ...found] };
}

/** Why nothing can be learned with the model: it has no head, or its text cannot be read. */
async function withoutLoss(model: Model): Promise<Refusal[]> {
  const headless = withoutHead(model);
  const unread = await tokenizerProblem(model.architecture, model.checkpoint);
  return [
    ...(headless ? [headless] : []),
    ...(unread ? [{ reason: unread.message, remedy: unread.remedy }] : []),
  ];
}

/** Why the model's loss cannot be computed; undefined when it can. */
function withoutHead({ architecture }: Model): Refusal | undefined {
  if (architecture.head !== 'none') return undefined;
  const objective = architecture.objective.replaceAll('-', ' ');
  return {
    reason: `${architecture.modelClass} has no head for ${objective}, so there is no loss to learn operators by.`,
    remedy: advise`Save the checkpoint with its pretraining head, or grow it without learning: ${set('method', 'stack')}.`,
  };
}

/** Throws UnsupportedError when the model lacks the head that its objective is computed with. */
export function requireHead(model: Model): void {
  const refusal = withoutHead(model);
  if (refusal) throw new UnsupportedError(refusal.reason, refusal.remedy);
}

/** Everything that is known before anything runs; `engine` is what it would run on. */
export function planGrowth(
  model: Model,
  resolved: ResolvedTarget,
  settings: LigoSettings,
  shape: BatchShape,
  engine = 'cpu',
): Unworded<GrowthPlan> {
  const source = summarize(model.architecture);
  const { ignored } = model;
  const notes = [...model.notes, ...resolved.notes];
  if (resolved.refusals.length > 0) {
    return {
      source,
      target: {
        ...source,
        ...summarizeSizes(resolved.dimensions),
        parameters: 0,
      },
      operators: { count: 0, width: 0, depth: 0 },
      refusals: resolved.refusals,
      ignored,
      notes,
      diskBytes: 0,
    };
  }
  const growth = requireGrowth(model, resolved);
  const operators = startedOperators(growth, settings.initialization, settings.mapping);
  const elements = (group: 'width' | 'depth'): number =>
    operators
      .filter(operator => operator.group === group)
      .reduce((sum, { shape: [rows, columns] }) => sum + rows * columns, 0);
  const cost =
    model.architecture.head === 'none' ? undefined : planCost(growth, settings, shape, engine);
  return {
    source,
    target: summarize(growth.target),
    operators: { count: operators.length, width: elements('width'), depth: elements('depth') },
    refusals: [],
    ignored,
    notes: [
      ...notes,
      ...(cost
        ? notesOnSettings(settings, cost, others => learningCost(growth, others, shape))
        : []),
    ],
    ...(cost && { cost }),
    diskBytes: Math.round(
      (summarize(growth.target).parameters * model.checkpoint.bytes) / source.parameters,
    ),
  };
}

/** The program that learns operators, and the inputs it is loaded with. */
export function learningProgram(growth: Growth, settings: LigoSettings, shape: BatchShape) {
  const { initialization, mapping } = settings;
  const learned = learnedOperators(growth, mapping);
  const weights = grownWeights(growth, startedOperators(growth, initialization, mapping));
  const objective = objectiveGraph(growth.target, weights, batchFeeds(growth.target, shape));
  const parameters = learned.map(({ name, group }) => ({
    input: weights.operators.get(name)!,
    group,
  }));
  const trained = new Set(learned.map(({ name }) => name));
  const fixed = [...weights.operators].filter(([name]) => !trained.has(name));
  const frozen = [...weights.small.values(), ...fixed.map(([, input]) => input)];
  const program = trainingProgram(
    objective,
    parameters,
    frozen,
    optimizerOptions(settings),
    trainingOptions(settings),
  );
  return { program, objective, weights };
}

/** What a batch costs that the operators of a growth are learned by, and what scoring its result takes. */
export interface LearningCost extends ProgramCost {
  readonly scoredBytes: number;
}

export function learningCost(
  growth: Growth,
  settings: LigoSettings,
  shape: BatchShape,
): LearningCost {
  const cost = costOfLayers(
    [growth.target.dimensions.numHiddenLayers],
    ([layers]) => learningProgram(withLayers(growth, layers!), settings, shape).program,
  );
  return { ...cost, scoredBytes: scoredBytes(growth, cost.stateBytes) };
}

/** The same growth to another depth, for counting. */
function withLayers(growth: Growth, layers: number): Growth {
  const { source, target } = growth;
  const { dimensions } = target;
  if (layers === dimensions.numHiddenLayers) return growth;
  return { source, target: source.resized({ ...dimensions, numHiddenLayers: layers }) };
}

function planCost(
  growth: Growth,
  settings: LigoSettings,
  shape: BatchShape,
  engine: string,
): NonNullable<GrowthPlan['cost']> {
  const { flops, ...bytes } = learningCost(growth, settings, shape);
  const flopsPerStep = batchesPerUpdate(settings) * (flops.matrix + flops.other);
  return {
    steps: settings.steps,
    flopsPerStep,
    flops: flopsPerStep * settings.steps,
    ...bytes,
    processBytes: processBytes(engine, bytes),
    batchSize: shape.batchSize,
    sequenceLength: shape.sequenceLength,
  };
}
