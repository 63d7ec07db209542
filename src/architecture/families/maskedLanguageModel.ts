import { CorruptFileError, type Note } from '../../errors';
import type { Architecture, ModelConfig } from '../architecture';
import type { Tensor } from '../../graph';
import { activation } from '../blocks/activations';
import { classNames, flagField, initializerRange } from '../configFields';
import { declareModule, declareParameter, space, type SpaceSizes } from '../declare';
import { linear } from '../blocks/linear';
import type { Parameter } from '../parameter';
import { sizeFields } from './dimensionNames';
import {
  bertFields,
  bertNames,
  embeddingSpace,
  encode,
  encoderParameters,
  encoderSettings,
  encoderSpaceSizes,
  poolerParameters,
  unreadFields,
  wordTable,
  type EncoderFields,
  type EncoderNames,
  type EncoderTables,
} from './encoder';
import {
  checkedTarget,
  commonRefusals,
  equalToWords,
  layerNumberBehind,
  missingHead,
  refuseFields,
  tieOf,
  type Family,
  type StoredNames,
} from './family';
import {
  asWritten,
  notesOnAliases,
  notesOnUnread,
  underOwnNames,
  type Aliases,
} from './fieldNames';
import {
  besideLanguageModel,
  isComputed,
  notesOnBeside,
  outputsOf,
  taskHeadIn,
  taskObjective,
  taskParameters,
  taskReadout,
  withClass,
  type TaskHead,
} from './taskHeads';
import { selectRows } from './tokens';

/** Where a family keeps its masked-language-model head. */
export interface HeadNames {
  /** What only names of the head begin with. */
  readonly prefix: string;
  readonly transform: string;
  readonly norm: string;
  /** The output bias of a tied head. */
  readonly bias: string;
  /** The output layer of an untied head, without `.weight` and `.bias`. */
  readonly decoder: string;
  /** BERT's next-sentence classifier, which pretraining checkpoints have beside the head. */
  readonly nextSentence?: string;
}

/** What sets one post-norm encoder family apart from another. */
export interface EncoderFamily {
  readonly modelType: string;
  readonly className: RegExp;
  readonly prefix: string;
  readonly signature: RegExp;
  readonly head: HeadNames;
  /** Default BERT's. */
  readonly names?: EncoderNames;
  /** Default BERT's. */
  readonly fields?: EncoderFields;
  /** Further names of fields, by the family's own. Default none. */
  readonly aliases?: Aliases;
  /** Padding's token where config.json does not say, and the tables whose row of it is drawn as zeros. */
  readonly padding: { readonly token: number; readonly tables: EncoderTables['padding']['tables'] };
  /** What a person should know of config.json, beyond fields that other families read. */
  readonly notes?: (config: ModelConfig) => readonly Note[];
  /** Class without a head. */
  readonly encoderClass: string;
  /** Class with the head. */
  readonly headClass: string;
  /** Class with the head and the next-sentence classifier. */
  readonly pretrainingClass?: string;
  /** A decoder's class, whose tensors are those of `headClass`. */
  readonly decoderClass?: string;
  readonly taskHeads: readonly TaskHead[];
  /** Row of the position table where counting starts, and `Architecture.positionIds`. */
  positions(config: ModelConfig): {
    readonly first: number;
    readonly of?: Architecture['positionIds'];
  };
  /** Name of the activation between the head's dense layer and its norm. */
  headActivation(config: ModelConfig): string;
}

/** What the file decides and a resized model keeps. */
interface Variant {
  readonly prefix: string;
  readonly head: Architecture['head'];
  readonly pooler: boolean;
  readonly nextSentence: boolean;
  readonly task: TaskHead | undefined;
  /** What is said of a classifier that is not learned with. */
  readonly besides: readonly Note[];
}

const nextSentenceClasses = 2;

/** The family of models with BERT's encoder that `description` describes. */
export function encoderFamily(description: EncoderFamily): Family {
  const { prefix, head, names = bertNames, aliases = {} } = description;
  return {
    modelType: description.modelType,
    className: description.className,
    prefix,
    signature: description.signature,
    layerNumber: layerNumberBehind(names.layers),
    twins: encoder => [
      [`${head.decoder}.weight`, wordTable(encoder)],
      ...(hasOwnBias(head) ? [[`${head.decoder}.bias`, head.bias] as const] : []),
    ],
    build(config, file) {
      refuseFields(config, [
        ...commonRefusals,
        {
          field: 'position_embedding_type',
          refused: value => value !== 'absolute',
          because: 'only positions that are added to the embeddings are computed',
        },
        {
          field: 'is_decoder',
          refused: value => value === true,
          because: 'a masked language model attends in both directions',
        },
      ]);
      const tie = tieOf(config, file, `${head.decoder}.weight`);
      const variant = variantOf(description, tie.config, file, tie.tied);
      const named = withClass(
        tie.config,
        modelClassOf(description, variant),
        variant.head === 'none' || variant.task
          ? []
          : [
              description.headClass,
              ...(description.decoderClass ? [description.decoderClass] : []),
            ],
      );
      return {
        architecture: buildModel(description, named.config, variant),
        notes: [
          ...tie.notes,
          ...named.notes,
          ...variant.besides,
          ...biasNotes(head, variant, file, config),
          ...notesOnAliases(config, aliases),
          ...(description.notes?.(config) ?? notesOnUnread(config, unreadFields(config))),
        ],
      };
    },
  };
}

/** True where the output bias has another name than the output layer's. */
const hasOwnBias = ({ bias, decoder }: HeadNames): boolean => bias !== `${decoder}.bias`;

/** What is said of a head's bias where its two names do not agree or one of them is not there. */
function biasNotes(
  names: HeadNames,
  { head }: Variant,
  file: StoredNames,
  config: ModelConfig,
): Note[] {
  const output = `${names.decoder}.bias`;
  if (head === 'none' || !hasOwnBias(names)) return [];
  if (file.differ(output)) {
    return [
      {
        message: `${output} and ${names.bias} hold different values: the first is used, as transformers does from version 5 on.`,
        remedy: 'Remove the one that is wrong from the file if it is the first.',
      },
    ];
  }
  const tied = flagField(config, 'tie_word_embeddings', true);
  return !tied && !file.has(output) && file.has(names.bias)
    ? [
        {
          message: `The file holds the output bias as ${names.bias} alone: it is used, where transformers from version 5 on begins with zeros because config.json does not tie it.`,
          remedy: `Save the model with a transformers that writes ${output} as well, to have it used everywhere.`,
        },
      ]
    : [];
}

function variantOf(
  description: EncoderFamily,
  config: ModelConfig,
  file: StoredNames,
  tied: boolean,
): Variant {
  const { head, headClass, pretrainingClass, decoderClass, encoderClass } = description;
  const classes = classNames(config);
  const pretrained = [headClass, decoderClass, pretrainingClass].filter(name => name !== undefined);
  const task = taskHeadIn(description.taskHeads, config, file, [encoderClass, ...pretrained]);
  const hasHead = file.hasUnder(head.prefix) || pretrained.some(name => classes.includes(name));
  return {
    prefix: file.prefix,
    head: !hasHead ? 'none' : tied ? 'tied' : 'untied',
    task: task && hasHead ? besideLanguageModel(task) : task,
    besides: notesOnBeside(task, hasHead ? 'untied' : 'none'),
    pooler: task?.pooler === true || file.has(`${file.prefix}pooler.dense.weight`),
    nextSentence:
      head.nextSentence !== undefined &&
      hasHead &&
      task === undefined &&
      file.has(`${head.nextSentence}.weight`),
  };
}

/** Where a table holds the padding token; undefined where config.json says that there is none. */
function paddingRow(config: ModelConfig, usual: number): number | undefined {
  const row = config['pad_token_id'] === undefined ? usual : config['pad_token_id'];
  return typeof row === 'number' ? row : undefined;
}

function headParameters(sizes: SpaceSizes, names: HeadNames, { head }: Variant): Parameter[] {
  if (head === 'none') return [];
  // Tied to the embeddings, the decoder reads the residual space, and all before it must write it.
  const width = head === 'tied' ? embeddingSpace(sizes) : space('head');
  const bias = declareParameter(sizes, {
    id: 'head.decoder.bias',
    module: 'linear',
    stage: 'head',
    spaces: [space('vocabulary')],
    readAs: [`${names.decoder}.bias`, names.bias],
    // transformers saves an untied head's bias twice, and reads the decoder's.
    ...(head === 'tied' || !hasOwnBias(names)
      ? { tensor: names.bias }
      : { tensor: `${names.decoder}.bias`, alsoWrittenAs: [names.bias] }),
  });
  return [
    ...declareModule(
      sizes,
      { id: 'head.transform', stage: 'head', out: width, in: space('residual') },
      { name: names.transform },
    ),
    ...declareModule(sizes, { id: 'head.norm', stage: 'head', out: width }, { name: names.norm }),
    ...(head === 'tied'
      ? []
      : declareModule(
          sizes,
          { id: 'head.decoder', stage: 'head', out: space('vocabulary'), in: width },
          { name: names.decoder, bias: false },
        )),
    bias,
  ];
}

function modelClassOf(
  { headClass, encoderClass, pretrainingClass }: EncoderFamily,
  { head, nextSentence, task }: Variant,
): string {
  if (task) return task.modelClass;
  if (head === 'none') return encoderClass;
  return nextSentence && pretrainingClass !== undefined ? pretrainingClass : headClass;
}

function buildModel(
  description: EncoderFamily,
  config: ModelConfig,
  variant: Variant,
): Architecture {
  const { names = bertNames, fields = bertFields, aliases = {} } = description;
  const settings = encoderSettings(underOwnNames(config, aliases), fields);
  const { first: firstPosition, of: positionIds } = description.positions(config);
  const longestSequence = settings.positions - firstPosition;
  if (longestSequence < 1) {
    throw new CorruptFileError(
      `config.json: ${settings.positions} positions leave none after the padding id ${firstPosition - 1}.`,
      'Take config.json from the same place and version as the weights beside it.',
    );
  }
  const headActivation = activation(description.headActivation(config));
  const sizes = encoderSpaceSizes(settings);
  const { hiddenSize } = settings.dimensions;
  if (variant.head === 'untied') sizes.set('head', settings.embeddingSize ?? hiddenSize);
  if (variant.nextSentence) sizes.set('class', nextSentenceClasses);
  if (variant.task) sizes.set('class', outputsOf(variant.task, config));
  const { headClass } = description;
  const modelClass = modelClassOf(description, variant);
  const nextSentence = variant.nextSentence ? description.head.nextSentence : undefined;
  const { task } = variant;

  return {
    family: description.modelType,
    modelClass,
    ...((task && taskObjective(task, config)) ?? {
      objective: 'masked-language-modeling',
      head: variant.head,
    }),
    config,
    accepts: {
      kind: 'tokens',
      vocabularySize: settings.vocabularySize,
      longestSequence,
    },
    leadingTokens: 1,
    ...(positionIds && { positionIds }),
    dimensions: settings.dimensions,
    normPlacement: 'post',
    normKind: 'LayerNorm',
    initializerRange: initializerRange(config),
    spaceSizes: sizes,
    parameters: [
      ...encoderParameters(sizes, variant.prefix, settings.dimensions, {
        names,
        ...(variant.head === 'tied' && { outputTable: `${description.head.decoder}.weight` }),
        padding: { ...description.padding, row: paddingRow(config, description.padding.token) },
      }),
      ...(variant.pooler
        ? poolerParameters(sizes, variant.prefix, { used: task?.objective?.through === 'pooler' })
        : []),
      ...headParameters(sizes, description.head, variant),
      ...(nextSentence === undefined
        ? []
        : declareModule(
            sizes,
            {
              id: 'head.nextSentence',
              stage: 'head',
              used: false,
              out: space('class'),
              in: space('residual'),
            },
            { name: nextSentence },
          )),
      ...(variant.task ? taskParameters(sizes, variant.task) : []),
    ],
    forward(weights, inputs) {
      if (variant.head === 'none' && !isComputed(task)) throw missingHead(modelClass, headClass);
      const hiddenStates = encode(weights, inputs, settings, firstPosition);
      const last = hiddenStates.at(-1)!;
      if (isComputed(task)) {
        const readout = (rows?: Tensor) => taskReadout(weights, task, selectRows(last, rows));
        return { hiddenStates, readout };
      }
      const table = variant.head === 'tied' ? 'embeddings.word.weight' : 'head.decoder.weight';
      return {
        hiddenStates,
        readout(positions) {
          const rows = selectRows(last, positions);
          const transformed = headActivation(linear(weights, 'head.transform', rows));
          const features = settings.norm(weights, 'head.norm', transformed);
          return weights.readout(features, table, 'head.decoder.bias');
        },
      };
    },
    resized(target) {
      const changes = sizeFields(fields.dimensions, checkedTarget(target));
      // Rows as long as the hidden size stay so; without a projection nothing else could read them.
      const { embedding } = fields;
      if (embedding && settings.embeddingSize === target.hiddenSize) {
        throw equalToWords(embedding.field, settings.embeddingSize);
      }
      const follows = embedding && settings.embeddingSize === undefined;
      const rows = follows ? { [embedding.field]: target.hiddenSize } : {};
      return buildModel(description, asWritten(config, { ...changes, ...rows }, aliases), variant);
    },
  };
}
