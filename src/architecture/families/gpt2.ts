import type { Note } from '../../errors';
import { activation } from '../blocks/activations';
import type { Architecture, Dimensions, ModelConfig } from '../architecture';
import { causalMask, paddingMask } from '../blocks/attention';
import {
  classNames,
  dimensionFields,
  usualSizes,
  epsilonField,
  flagField,
  initializerRange,
  defaultedSize,
  textField,
} from '../configFields';
import {
  declareLayer,
  declareModule,
  declareParameter,
  space,
  type LayerModules,
} from '../declare';
import { add } from '../../graph';
import { plainFeedForward } from '../blocks/feedForward';
import { preNormLayer, runLayers } from '../blocks/layers';
import { layerNorm } from '../blocks/norms';
import type { Draw, Parameter, SpaceRole } from '../parameter';
import { gpt2DimensionNames } from './dimensionNames';
import {
  checkedTarget,
  commonRefusals,
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
  classifier,
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
import { requireUnpadded, selectRows, tokenLookups } from './tokens';

const defaultIntermediateSize = (hiddenSize: number): number => 4 * hiddenSize;

/** GPT2Config's `attribute_map`. */
const aliases: Aliases = {
  n_embd: 'hidden_size',
  n_positions: 'max_position_embeddings',
  n_head: 'num_attention_heads',
  n_layer: 'num_hidden_layers',
};

const positionsField = 'n_positions';
const epsilonName = { field: 'layer_norm_epsilon', fallback: 1e-5 };
const activationName = { field: 'activation_function', fallback: 'gelu_new' };

function notesOnFields(config: ModelConfig, { dimensions, spaceSizes }: Architecture): Note[] {
  const own = ({ field, fallback }: { field: string; fallback: unknown }) => ({
    read: field,
    value: config[field] ?? fallback,
  });
  return [
    ...notesOnAliases(config, aliases),
    ...notesOnUnread(config, {
      intermediate_size: { read: 'n_inner', value: dimensions.intermediateSize },
      n_ctx: { read: positionsField, value: spaceSizes.get('position') },
      layer_norm_eps: own(epsilonName),
      hidden_act: own(activationName),
    }),
  ];
}

/**
 * Where each module lies: Conv1D stores [in, out], and q, k and v are one tensor. What goes back into
 * the residual stream is drawn smaller by the number of sums it goes into.
 */
function layerModules(numHiddenLayers: number): LayerModules {
  const attention = { name: 'attn.c_attn', transposed: true };
  const intoResidual: Draw = { kind: 'normal', scale: 1 / Math.sqrt(2 * numHiddenLayers) };
  return {
    q: attention,
    k: attention,
    v: attention,
    o: { name: 'attn.c_proj', transposed: true, draw: intoResidual },
    ln1: { name: 'ln_1' },
    fc1: { name: 'mlp.c_fc', transposed: true },
    fc2: { name: 'mlp.c_proj', transposed: true, draw: intoResidual },
    ln2: { name: 'ln_2' },
  };
}

const outputTable = 'lm_head.weight';
const wordTable = 'wte.weight';
const headClass = 'GPT2LMHeadModel';

/** GPT-2: pre-norm decoder with learned positions, causal language modelling. */
export const gpt2: Family = {
  modelType: 'gpt2',
  className: /^GPT2/,
  prefix: 'transformer.',
  signature: /^(transformer\.)?h\.0\.attn\.c_attn\.weight$/,
  layerNumber: /^h\.(\d+)\./,
  twins: prefix => [[outputTable, `${prefix}${wordTable}`]],
  build(config, file) {
    refuseFields(config, [
      ...commonRefusals,
      {
        field: 'scale_attn_by_inverse_layer_idx',
        refused: value => value === true,
        because: 'layers would change their scale when they are moved to another depth',
      },
    ]);
    const { tied, config: written, notes } = tieOf(config, file, outputTable);
    const variant = variantOf(written, file, tied);
    const named = withClass(written, variant.modelClass, variant.task ? [] : ['GPT2Model']);
    const architecture = buildModel(named.config, variant);
    return {
      architecture,
      notes: [
        ...notes,
        ...named.notes,
        ...variant.besides,
        ...notesOnFields(written, architecture),
      ],
    };
  },
};

/** Heads over the final norm's output. */
const taskHeads: readonly TaskHead[] = [
  {
    modelClass: 'GPT2ForSequenceClassification',
    modules: classifier('score', false),
    objective: { name: 'sequence-classification', token: 'last' },
  },
  {
    modelClass: 'GPT2ForTokenClassification',
    modules: classifier(),
    objective: { name: 'token-classification' },
  },
  { modelClass: 'GPT2ForQuestionAnswering', modules: classifier('qa_outputs'), classes: 2 },
  {
    modelClass: 'GPT2DoubleHeadsModel',
    modules: classifier('multiple_choice_head.summary'),
    classes: 1,
    besideLanguageModel: true,
  },
];

interface Variant {
  readonly task: TaskHead | undefined;
  readonly prefix: string;
  readonly head: Architecture['head'];
  readonly modelClass: string;
  /** What is said of a classifier that is not learned with. */
  readonly besides: readonly Note[];
}

function variantOf(config: ModelConfig, file: StoredNames, tied: boolean): Variant {
  const classes = classNames(config);
  const task = taskHeadIn(taskHeads, config, file, [headClass, 'GPT2Model']);
  const hasTable = file.has(outputTable);
  const hasHead = hasTable || classes.includes(headClass) || task?.besideLanguageModel === true;
  const isTied = tied && (task === undefined || hasHead);
  const head = isTied ? 'tied' : hasHead ? 'untied' : 'none';
  // A tied head is not in the file, so GPT2Model's checkpoints can be trained like any other.
  const bare = classes.includes('GPT2Model') || head === 'none';
  const modelClass = task?.modelClass ?? (bare ? 'GPT2Model' : headClass);
  return {
    prefix: file.prefix,
    head,
    modelClass,
    task: task && head !== 'none' ? besideLanguageModel(task) : task,
    besides: notesOnBeside(task, head),
  };
}

function declareParameters(
  sizes: ReadonlyMap<SpaceRole, number>,
  { prefix, head, task }: Variant,
  numHiddenLayers: number,
): Parameter[] {
  const table = (
    id: string,
    role: SpaceRole,
    tensor: string,
    readAs?: readonly string[],
  ): Parameter =>
    declareParameter(sizes, {
      id,
      tensor,
      module: 'table',
      stage: 'embedding',
      spaces: [space(role), space('residual')],
      ...(readAs && { readAs }),
    });
  const modules = layerModules(numHiddenLayers);
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) =>
    declareLayer(sizes, { layer, prefix: `${prefix}h.${layer}.` }, modules),
  );
  const words = `${prefix}${wordTable}`;
  return [
    table(
      'embeddings.word.weight',
      'vocabulary',
      words,
      head === 'tied' ? [words, outputTable] : undefined,
    ),
    table('embeddings.position.weight', 'position', `${prefix}wpe.weight`),
    ...layers.flat(),
    ...declareModule(
      sizes,
      { id: 'final.norm', stage: 'final', out: space('residual') },
      { name: `${prefix}ln_f` },
    ),
    ...(head === 'untied'
      ? [
          declareParameter(sizes, {
            id: 'head.decoder.weight',
            module: 'linear',
            stage: 'head',
            tensor: outputTable,
            spaces: [space('vocabulary'), space('residual')],
          }),
        ]
      : []),
    ...(task ? taskParameters(sizes, task) : []),
  ];
}

function buildModel(config: ModelConfig, variant: Variant): Architecture {
  const fields = underOwnNames(config, aliases);
  const dimensions = dimensionFields(fields, gpt2DimensionNames, {
    ...usualSizes,
    intermediateSize: defaultIntermediateSize,
  });
  const { hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads } = dimensions;
  const vocabularySize = defaultedSize(config, 'vocab_size', 50257);
  const positions = defaultedSize(fields, positionsField, 1024);
  const norm = layerNorm(epsilonField(config, epsilonName.field, epsilonName.fallback));
  const feedForward = plainFeedForward(
    activation(textField(config, activationName.field, activationName.fallback)),
  );
  const scaled = flagField(config, 'scale_attn_weights', true);
  const { task } = variant;
  const spaceSizes = new Map<SpaceRole, number>([
    ['vocabulary', vocabularySize],
    ['position', positions],
    ['residual', hiddenSize],
    ['query', hiddenSize],
    ['key', hiddenSize],
    ['value', hiddenSize],
    ['ffn', intermediateSize],
    ...(variant.task ? [['class', outputsOf(variant.task, config)] as const] : []),
  ]);

  return {
    family: 'gpt2',
    modelClass: variant.modelClass,
    ...((task && taskObjective(task, config)) ?? {
      objective: 'causal-language-modeling',
      head: variant.head,
    }),
    config,
    accepts: { kind: 'tokens', vocabularySize, longestSequence: positions },
    leadingTokens: 0,
    dimensions,
    normPlacement: 'pre',
    normKind: 'LayerNorm',
    initializerRange: initializerRange(config),
    spaceSizes,
    parameters: declareParameters(spaceSizes, variant, numHiddenLayers),
    forward(weights, inputs) {
      if (variant.head === 'none' && !isComputed(task)) {
        throw missingHead(variant.modelClass, headClass);
      }
      const { batchSize, sequenceLength, attentionMask, tokenTypeIds } = inputs;
      const lookups = tokenLookups(inputs, positions, 0);
      // GPT-2 has no table of token types: transformers looks them up among the words.
      if (tokenTypeIds) lookups.push({ table: 'embeddings.word.weight', rows: tokenTypeIds });
      requireUnpadded(inputs);
      const padding = attentionMask && paddingMask(attentionMask);
      const states = runLayers(preNormLayer, weights, weights.embedding(lookups), {
        batchSize,
        sequenceLength,
        numHiddenLayers,
        numAttentionHeads,
        ...(!scaled && { scale: 1 }),
        norm,
        feedForward,
        mask: length => {
          const mask = padding ? add(causalMask(length), padding) : causalMask(length);
          return () => mask;
        },
        ...(inputs.partial && { partial: inputs.partial }),
      });
      const last = states.at(-1)!;
      const table = variant.head === 'tied' ? 'embeddings.word.weight' : 'head.decoder.weight';
      return {
        hiddenStates: [...states.slice(0, -1), norm(weights, 'final.norm', last)],
        readout(rows) {
          // Rows are chosen before the norm, so that it runs on no more than are read.
          const features = norm(weights, 'final.norm', selectRows(last, rows));
          if (isComputed(task)) return taskReadout(weights, task, features);
          return weights.readout(features, table, undefined);
        },
      };
    },
    resized: target => buildModel(resizedConfig(config, checkedTarget(target)), variant),
  };
}

/** n_inner stays unset where it was unset and the target keeps the default of four times the width. */
function resizedConfig(config: ModelConfig, target: Dimensions): ModelConfig {
  const unset = config['n_inner'] === undefined || config['n_inner'] === null;
  const isDefault = target.intermediateSize === defaultIntermediateSize(target.hiddenSize);
  const changes = {
    n_layer: target.numHiddenLayers,
    n_embd: target.hiddenSize,
    n_head: target.numAttentionHeads,
    ...(unset && isDefault ? {} : { n_inner: target.intermediateSize }),
  };
  return asWritten(config, changes, aliases);
}
