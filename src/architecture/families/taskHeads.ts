import { CorruptFileError, type Note } from '../../errors';
import { shortJson } from '../../format';
import type { Tensor } from '../../graph';
import { problems, type Architecture, type ModelConfig, type Problem } from '../architecture';
import { classCount, classNames } from '../configFields';
import { declareModule, space, type SpaceSizes } from '../declare';
import { activation } from '../blocks/activations';
import { linear } from '../blocks/linear';
import type { Parameter } from '../parameter';
import type { Readout, Weights } from '../weights';
import type { StoredNames } from './family';

/** A linear module of a head. It reads the residual space, and writes that or one unit a class. */
export interface HeadModule {
  /** Id without the part. */
  readonly id: string;
  /** Tensor name without the part. */
  readonly name: string;
  readonly out: 'class' | 'residual';
  /** Default true. */
  readonly bias?: boolean;
}

/** What is learned with a head, and from what. */
export interface TaskObjective {
  readonly name: 'sequence-classification' | 'token-classification';
  /** For whole sequences, the token that stands for them. */
  readonly token?: 'first' | 'last';
  /** Id of the module whose activated output the classifier reads; the model's own where absent. */
  readonly through?: string;
  /** Of that module. Default tanh. */
  readonly activation?: string;
}

/**
 * A head for a task that is not pretraining. Its modules grow along with the model: its classes stay,
 * and what it reads is widened as everything that reads is.
 */
export interface TaskHead {
  readonly modelClass: string;
  readonly modules: readonly HeadModule[];
  /** Absent where what it learns is not computed here. */
  readonly objective?: TaskObjective | undefined;
  /** Whether it reads the pooler's output. Default false. */
  readonly pooler?: boolean;
  /** Outputs; the number of labels in config.json by default. */
  readonly classes?: number;
  /** Whether the class has the language-model head as well. Default false. */
  readonly besideLanguageModel?: boolean;
}

/** One `classifier` (or another name) over as many classes as config.json has labels. */
export const classifier = (name = 'classifier', bias = true): readonly HeadModule[] => [
  { id: 'head.classifier', name, out: 'class', bias },
];

/** Those of encoders that look at each token: a class for it, or whether an answer begins or ends there. */
export const tokenHeads = (className: string): readonly TaskHead[] => [
  {
    modelClass: `${className}ForTokenClassification`,
    modules: classifier(),
    objective: { name: 'token-classification' },
  },
  { modelClass: `${className}ForQuestionAnswering`, modules: classifier('qa_outputs') },
];

/**
 * The head that config.json names; where it names no class of the family, the one whose tensors are
 * there. `others` are the family's classes without such a head.
 */
export function taskHeadIn(
  heads: readonly TaskHead[],
  config: ModelConfig,
  file: StoredNames,
  others: readonly string[],
): TaskHead | undefined {
  const classes = classNames(config);
  const named = heads.find(({ modelClass }) => classes.includes(modelClass));
  if (named || classes.some(name => others.includes(name))) return named;
  const hasPooler = file.has(`${file.prefix}pooler.dense.weight`);
  return heads.find(
    ({ modules, pooler = false }) =>
      pooler === hasPooler && modules.every(({ name }) => file.has(`${name}.weight`)),
  );
}

/** How many outputs a head has. */
export const outputsOf = ({ classes }: Pick<TaskHead, 'classes'>, config: ModelConfig): number =>
  classes ?? classCount(config);

/** The modules of a head; `sizes` has the space `class`. */
export const taskParameters = (sizes: SpaceSizes, { modules, objective }: TaskHead): Parameter[] =>
  modules.flatMap(({ id, name, out, bias = true }) =>
    declareModule(
      sizes,
      {
        id,
        stage: 'head',
        used: objective !== undefined,
        out: space(out),
        in: space('residual'),
      },
      { name, bias },
    ),
  );

/** The head where a language model's stands beside it, which is what is learned with then. */
export const besideLanguageModel = (head: TaskHead): TaskHead => ({
  ...head,
  objective: undefined,
});

/** Says that a classifier is not what is learned with. */
export function notesOnBeside(task: TaskHead | undefined, head: Architecture['head']): Note[] {
  if (head === 'none' || !isComputed(task)) return [];
  return [
    {
      message: `The file holds a language model's head beside the classifier of a ${task.modelClass}: it is trained and grown as a language model, and the classifier grows along.`,
      remedy: 'Save it as the class itself (without that head) to train the classifier on labels.',
    },
  ];
}

/**
 * What a model with this head is trained to do. Throws CorruptFileError for a `problem_type` that
 * transformers does not know.
 */
export function taskObjective(
  { objective, ...head }: TaskHead,
  config: ModelConfig,
): Pick<Architecture, 'objective' | 'problem' | 'readsToken' | 'head'> | undefined {
  if (!objective) return undefined;
  const isOfTokens = objective.name === 'token-classification';
  return {
    objective: objective.name,
    problem: isOfTokens
      ? 'single_label_classification'
      : problemOf(config, outputsOf(head, config)),
    ...(objective.token && { readsToken: objective.token }),
    head: 'untied',
  };
}

/** `problem_type`, or what transformers takes in its place for whole-numbered labels. */
function problemOf(config: ModelConfig, outputs: number): Problem {
  const value = config['problem_type'];
  if (value === undefined || value === null) {
    return outputs === 1 ? 'regression' : 'single_label_classification';
  }
  const problem = problems.find(known => known === value);
  if (problem) return problem;
  throw new CorruptFileError(
    `config.json: problem_type is ${shortJson(value)}, which transformers does not know.`,
    `Set problem_type to ${problems.join(', ')}, or leave it out.`,
  );
}

/** The classifier's scores of rows x [n, hiddenSize]. */
export function taskReadout(
  weights: Weights,
  { modules, objective }: TaskHead & { readonly objective: TaskObjective },
  x: Tensor,
): Readout {
  const { id, bias = true } = modules.at(-1)!;
  const features =
    objective.through === undefined
      ? x
      : activation(objective.activation ?? 'tanh')(linear(weights, objective.through, x));
  return weights.readout(features, `${id}.weight`, bias ? `${id}.bias` : undefined);
}

/** True for heads whose objective is computed here. */
export const isComputed = (
  task: TaskHead | undefined,
): task is TaskHead & { readonly objective: TaskObjective } => task?.objective !== undefined;

/**
 * config.json with the class that the file really holds under `architectures`, where it names another;
 * `alike` are classes that read the same tensors.
 */
export function withClass(
  config: ModelConfig,
  modelClass: string,
  alike: readonly string[] = [],
): { readonly config: ModelConfig; readonly notes: readonly Note[] } {
  const classes = classNames(config);
  const isRight = classes.some(name => name === modelClass || alike.includes(name));
  if (classes.length === 0 || isRight) return { config, notes: [] };
  return {
    config: { ...config, architectures: [modelClass] },
    notes: [
      {
        message: `config.json names the class ${JSON.stringify(classes[0]).slice(0, 60)}, but what is used of the file is a ${modelClass}: what is written says so.`,
        remedy: `Load what is written as ${modelClass}.`,
      },
    ],
  };
}
