import type { Note } from '../../errors';
import { shortJson } from '../../format';
import type { ModelConfig } from '../architecture';
import { partialRotaryFactor } from '../blocks/rope';
import { classNames } from '../configFields';
import { commonRefusals, refuseFields, tieOf, type Family, type StoredNames } from './family';
import { besideLanguageModel, notesOnBeside, taskHeadIn, withClass } from './taskHeads';
import {
  llamaNames,
  type Decoder,
  headClassOf,
  bareClassOf,
  usualTaskHeads,
  type Variant,
} from './decoder';
import { buildModel } from './decoderModel';

/** The family that a decoder makes. */
export function decoderFamily(decoder: Decoder): Family {
  const { modelType, className, defaults, refusals = [], names = llamaNames } = decoder;
  const bareClass = bareClassOf(decoder);
  return {
    modelType,
    className: new RegExp(`^(${className}(Model|For[A-Z]|$)|${bareClass}$)`),
    prefix: names.prefix,
    // Tensors of one decoder look like those of any other: without a name they are taken for none.
    signature: /(?!)/,
    layerNumber: new RegExp(`^${(names.layers ?? 'layers.').replaceAll('.', '\\.')}(\\d+)\\.`),
    twins: prefix => [[names.output, prefix + names.words]],
    build(config, file) {
      refuseFields(config, [...commonRefusals, ...refusals]);
      const {
        tied,
        config: written,
        notes,
      } = tieOf(config, file, names.output, defaults.tied ?? false);
      const variant = variantOf(decoder, written, file, tied);
      const bare = variant.task ? [] : [bareClass];
      const named = withClass(written, variant.modelClass, bare);
      return {
        architecture: buildModel(decoder, named.config, variant),
        notes: [
          ...notes,
          ...named.notes,
          ...variant.besides,
          ...notesOnParts(decoder, config),
          ...(decoder.notes?.(config) ?? []),
        ],
      };
    },
  };
}

/** Says so where config.json wants a part of each head rotated and the family rotates all of it. */
function notesOnParts({ turnsParts = false }: Decoder, config: ModelConfig): Note[] {
  const part = partialRotaryFactor(config);
  if (turnsParts || part === 1) return [];
  return [
    {
      message: `config.json's partial_rotary_factor (${shortJson(part)}) is not read in this family, here as in transformers: heads are rotated as a whole.`,
      remedy: 'Remove it, or check that config.json belongs to these weights.',
    },
  ];
}

function variantOf(
  decoder: Decoder,
  config: ModelConfig,
  file: StoredNames,
  tied: boolean,
): Variant {
  const { className, names = llamaNames, taskHeads = usualTaskHeads } = decoder;
  const [bareClass, headClass] = [bareClassOf(decoder), headClassOf(decoder)];
  const classes = classNames(config);
  const task = taskHeadIn(taskHeads(className), config, file, [headClass, bareClass]);
  const { maskedHead } = decoder;
  const hasHead =
    file.has(names.output) ||
    classes.includes(headClass) ||
    (maskedHead !== undefined && file.has(maskedHead.bias));
  const isTied = tied && (maskedHead ? hasHead : task === undefined || hasHead);
  const head = isTied ? 'tied' : hasHead ? 'untied' : 'none';
  const isBare = classes.includes(bareClass) || head === 'none';
  return {
    prefix: file.prefix,
    head,
    task: task && head !== 'none' ? besideLanguageModel(task) : task,
    modelClass: task?.modelClass ?? (isBare ? bareClass : headClass),
    besides: notesOnBeside(task, head),
  };
}
