import { plainWeights, type Architecture, type Weights } from '../../architecture';
import type { BatchSource } from '../../data/batches';
import type { Engine, Executable, NamedData } from '../../engine';
import {
  input,
  inputName,
  mul,
  reduceSum,
  simplifyProgram,
  sub,
  type Tensor,
  type TensorData,
} from '../../graph';
import {
  grownWeights,
  operatorsIn,
  type Growth,
  type OperatorValues,
  type SmallValues,
} from '../../growth';
import {
  batchFeeds,
  evaluateModel,
  evaluationProgram,
  objectiveGraph,
  type BatchShape,
  type EvaluationScores,
} from '../../training';
import type { OpenData } from '../open/openData';
import { valuesById, type ParameterValues } from '../write/parameterValues';

/** A model as a graph over inputs, with the values of those inputs. */
export interface ScoredModel {
  readonly architecture: Architecture;
  readonly weights: Weights;
  /** Inputs that may be read, by name; asked for after the graph is built. */
  readonly inputs: () => Iterable<Tensor>;
  readonly valueOf: (inputName: string) => TensorData | undefined;
}

/** What an executable of the model is loaded with. Throws when a value is missing. */
export function loaded(model: ScoredModel): NamedData {
  return Object.fromEntries(
    [...model.inputs()].map(tensor => {
      const name = inputName(tensor);
      const data = model.valueOf(name);
      if (!data) throw new Error(`No values for ${name}`);
      return [name, data];
    }),
  );
}

/** A model whose parameters are given as they are, by id; `name` keeps two models' inputs apart. */
export function plainModel(
  architecture: Architecture,
  values: Readonly<Record<string, Float32Array>>,
  name: string,
): ScoredModel {
  const prefix = `${name}.`;
  const inputs = new Map(
    architecture.parameters
      .filter(({ used }) => used)
      .map(({ id, shape }) => [id, input(prefix + id, shape)]),
  );
  return {
    architecture,
    weights: plainWeights(id => inputs.get(id)),
    inputs: () => inputs.values(),
    valueOf: read => values[read.slice(prefix.length)],
  };
}

/** A model whose parameters are read from where they were kept; its inputs are none of a small model's. */
export const keptModel = async (
  architecture: Architecture,
  kept: ParameterValues,
): Promise<ScoredModel> => plainModel(architecture, await valuesById(architecture, kept), 'kept');

/** Of a stack of blended layers: scoring needs little memory, and a step of learning follows it. */
const stackBytes = 16 * 2 ** 20;

/** The large model as operators make it of the small one. */
export function grownModel(
  growth: Growth,
  small: SmallValues,
  operators: OperatorValues,
): ScoredModel {
  const weights = grownWeights(growth, operatorsIn(growth, operators), { stackBytes });
  return {
    architecture: growth.target,
    weights,
    inputs: () => [...weights.operators.values(), ...weights.small.values()],
    valueOf: name => operators[name] ?? small[name],
  };
}

/** Loss and predictions of a model, compiled and loaded for the length of `use`. */
export async function withScoring<T>(
  engine: Engine,
  model: ScoredModel,
  shape: BatchShape,
  use: (executable: Executable) => Promise<T>,
): Promise<T> {
  const objective = objectiveGraph(
    model.architecture,
    model.weights,
    batchFeeds(model.architecture, shape),
  );
  const executable = await engine.compile(evaluationProgram(objective, [...model.inputs()]));
  try {
    executable.load(loaded(model));
    return await use(executable);
  } finally {
    await executable.dispose();
  }
}

/** The same engine with all products in float32. */
export const inFloat32 = (engine: Engine): Engine => ({
  ...engine,
  compile: program => engine.compile(program, { precision: 'float32' }),
});

/** Held-out loss and accuracy of a model. */
export function scoreModel(
  engine: Engine,
  model: ScoredModel,
  batches: BatchSource,
  shape: BatchShape,
  signal: AbortSignal,
): Promise<EvaluationScores> {
  return withScoring(engine, model, shape, executable =>
    evaluateModel(executable, batches, signal),
  );
}

/** How alike two models score the same rows. */
export interface Parity {
  /** ‖b − a‖ / ‖a‖ over all logits. */
  readonly relativeError: number;
  /** Share of predictions that are the same, 0…1; absent where nothing but numbers is predicted. */
  readonly agreement?: number;
}

/** Compares the logits of two models on held-out batch 0, on the device. */
export async function compareLogits(
  engine: Engine,
  [a, b]: readonly [ScoredModel, ScoredModel],
  batches: BatchSource,
  shape: BatchShape,
): Promise<Parity> {
  const feeds = batchFeeds(a.architecture, shape);
  const first = objectiveGraph(a.architecture, a.weights, feeds);
  const second = objectiveGraph(b.architecture, b.weights, feeds);
  const difference = sub(second.logits, first.logits);
  const squares = (x: Tensor): Tensor => reduceSum(mul(x, x));
  const program = simplifyProgram({
    feeds: feeds.tensors,
    frozen: [...a.inputs(), ...b.inputs()],
    state: [],
    outputs: {
      difference: squares(difference),
      norm: squares(first.logits),
      ...(first.predictions && { first: first.predictions }),
      ...(second.predictions && { second: second.predictions }),
    },
  });
  const executable = await engine.compile(program);
  try {
    executable.load({ ...loaded(a), ...loaded(b) });
    const outputs = await executable.run(await batches.evaluate(0));
    const { first: own, second: others } = outputs;
    return {
      relativeError: Math.sqrt(outputs['difference']![0]! / outputs['norm']![0]!),
      ...(own &&
        others && {
          agreement: own.filter((value, row) => value === others[row]).length / own.length,
        }),
    };
  } finally {
    await executable.dispose();
  }
}

/** Scores one architecture again and again, with other values each time; compiled once. */
export interface Scorer {
  /** Held-out scores with these parameters, by id. Rejects with the signal's reason when aborted. */
  score(values: NamedData, signal: AbortSignal): Promise<EvaluationScores>;
  dispose(): Promise<void>;
}

/** Compiles an architecture's evaluation on held-out batches. */
export async function openScorer(
  engine: Engine,
  architecture: Architecture,
  { batches, shape }: Pick<OpenData, 'batches' | 'shape'>,
): Promise<Scorer> {
  const used = architecture.parameters.filter(parameter => parameter.used);
  const inputs = new Map(used.map(({ id, shape: size }) => [id, input(id, size)]));
  const objective = objectiveGraph(
    architecture,
    plainWeights(id => inputs.get(id)),
    batchFeeds(architecture, shape),
  );
  const executable = await engine.compile(evaluationProgram(objective, [...inputs.values()]));
  return {
    score: (values, signal) => {
      executable.load(Object.fromEntries([...inputs.keys()].map(id => [id, values[id]!])));
      return evaluateModel(executable, batches, signal);
    },
    dispose: () => executable.dispose(),
  };
}
