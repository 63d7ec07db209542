import type { Note } from '../../errors';
import type { ModelConfig } from '../architecture';
import { classCount, classNames } from '../configFields';
import { declareModule, space, type SpaceSizes } from '../declare';
import type { Parameter } from '../parameter';
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

/**
 * A head for a task that is not pretraining. Its modules grow along with the model and are not
 * computed here: its classes stay, and what it reads is widened as everything that reads is.
 */
export interface TaskHead {
  readonly modelClass: string;
  readonly modules: readonly HeadModule[];
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
export const outputsOf = ({ classes }: TaskHead, config: ModelConfig): number =>
  classes ?? classCount(config);

/** The modules of a head; `sizes` has the space `class`. */
export const taskParameters = (sizes: SpaceSizes, { modules }: TaskHead): Parameter[] =>
  modules.flatMap(({ id, name, out, bias = true }) =>
    declareModule(
      sizes,
      { id, out: space(out), in: space('residual'), used: false },
      { name, bias },
    ),
  );

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
