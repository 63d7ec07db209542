import type { Note } from '../../errors';
import type { ModelConfig } from '../architecture';
import { partialRotaryFactor } from '../blocks/rope';
import { classNames } from '../configFields';
import {
  commonRefusals,
  layerNumberBehind,
  refuseFields,
  tieOf,
  type Family,
  type StoredNames,
} from './family';
import { noteOnUnread } from './fieldNames';
import { besideLanguageModel, notesOnBeside, taskHeadIn, withClass } from './taskHeads';
import {
  bareClassOf,
  headClassOf,
  llamaNames,
  usualLayers,
  usualTaskHeads,
  type Decoder,
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
    layerNumber: layerNumberBehind(names.layers ?? usualLayers),
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
  return [noteOnUnread('partial_rotary_factor', part, 'heads are rotated as a whole')];
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
