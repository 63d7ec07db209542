import { UsageError, type Note } from '../errors';
import { counted, shortJson } from '../format';
import {
  fieldsNotFollowed,
  fixedFieldsThatDiffer,
  headSizeOf,
  keyValueHeadsOf,
  periodOf,
  type Architecture,
  type Dimensions,
  type ModelConfig,
} from '../architecture';
import { askedSizes, sizeOption, type TargetSizes } from '../protocol/model';
import { by } from '../remedy/actions';
import { advise, type Remedy } from '../remedy/remedy';

/**
 * The target's sizes: head size stays, and the numbers of heads and of feed-forward units keep their
 * ratios to the hidden size. A single pair of key and value heads stays one. Where config.json may name
 * the size of heads, there are as many as make whole groups, and it does where they do not divide the
 * hidden size.
 */
export function targetDimensions(
  source: Dimensions,
  request: TargetSizes,
  { namesHeadSize = false }: Pick<Architecture, 'namesHeadSize'> = {},
): Dimensions {
  const unitsPerHead = source.hiddenSize / source.numAttentionHeads;
  const hiddenSize =
    request.hidden ?? (request.heads ? request.heads * unitsPerHead : source.hiddenSize);
  const { numKeyValueHeads: small } = source;
  const together =
    namesHeadSize && small !== undefined && small > 1 ? source.numAttentionHeads / small : 1;
  const groups = Math.max(1, Math.floor(hiddenSize / unitsPerHead / together));
  const heads = request.heads ?? groups * together;
  const headDim =
    source.headDim ??
    (namesHeadSize && heads * unitsPerHead !== hiddenSize ? unitsPerHead : undefined);
  const keyValueHeads =
    request.kvHeads ??
    (small === undefined || small === 1
      ? small
      : Math.max(1, Math.floor((heads * small) / source.numAttentionHeads)));
  return {
    numHiddenLayers: request.layers ?? source.numHiddenLayers,
    hiddenSize,
    numAttentionHeads: heads,
    ...(keyValueHeads !== undefined && { numKeyValueHeads: keyValueHeads }),
    ...(headDim !== undefined && { headDim }),
    intermediateSize:
      request.ffn ?? Math.round((hiddenSize * source.intermediateSize) / source.hiddenSize),
  };
}

/** One reason why a growth is impossible, with what would make it possible. */
export interface Refusal {
  readonly reason: string;
  readonly remedy: Remedy;
}

/** Why the source cannot grow to these sizes; empty when it can. */
export function refusals(source: Architecture, target: Dimensions): Refusal[] {
  const from = source.dimensions;
  const found: Refusal[] = [];
  const headSize = headSizeOf(from);
  const refuseSmaller = (what: string, size: number, small: number): void => {
    if (size < small) {
      found.push({
        reason: `The target has ${size} ${what}, fewer than the source's ${small}.`,
        remedy: `LiGO only grows: ask for at least ${small}.`,
      });
    }
  };
  refuseSmaller('layers', target.numHiddenLayers, from.numHiddenLayers);
  refuseSmaller('hidden units', target.hiddenSize, from.hiddenSize);
  refuseSmaller('feed-forward units', target.intermediateSize, from.intermediateSize);
  if (from.headDim !== undefined) {
    refuseSmaller('attention heads', target.numAttentionHeads, from.numAttentionHeads);
  }
  const unitsPerHead = from.hiddenSize / from.numAttentionHeads;
  const mustDivide = target.headDim === undefined || !source.namesHeadSize;
  if (
    mustDivide &&
    Number.isInteger(unitsPerHead) &&
    target.hiddenSize % target.numAttentionHeads !== 0
  ) {
    const below = Math.max(1, Math.floor(target.hiddenSize / unitsPerHead)) * unitsPerHead;
    found.push({
      reason: `${target.hiddenSize} hidden units do not divide into ${target.numAttentionHeads} heads.`,
      remedy: `With the source's ${unitsPerHead} units for each head, ${below} or ${below + unitsPerHead} hidden units divide.`,
    });
  } else if (headSizeOf(target) !== headSize) {
    found.push(resizedHeads(headSize, headSizeOf(target)));
  }
  found.push(...keyValueRefusals(from, target), ...layerTypeRefusals(source, target));
  if (found.length === 0 && sameSizes(from, target)) {
    found.push({
      reason: 'The target has the same sizes as the source, so nothing would grow.',
      remedy: advise`Ask for more layers${by('layers')}, more hidden units${by('hidden')} or both.`,
    });
  }
  return found;
}

const resizedHeads = (from: number, to: number): Refusal => ({
  reason: `The head size would change from ${from} to ${to}; a width operator appends heads, it cannot resize them.`,
  remedy: `Ask for hidden units and heads with ${from} units a head.`,
});

/** Heads that share keys and values come and go together: only whole groups of them are appended. */
function keyValueRefusals(from: Dimensions, target: Dimensions): Refusal[] {
  const [small, large] = [keyValueHeadsOf(from), keyValueHeadsOf(target)];
  if (small === from.numAttentionHeads && large === target.numAttentionHeads) return [];
  if (small === 1 && large === 1) return [];
  const group = from.numAttentionHeads / small;
  if (large * group === target.numAttentionHeads) return [];
  const below = Math.max(small, Math.floor(target.numAttentionHeads / group));
  const sizes = [below, below + 1]
    .map(groups => `${groups * group} heads with ${groups}`)
    .join(' or ');
  return [
    {
      reason: `The target has ${counted(target.numAttentionHeads, 'attention head')} for ${counted(large, 'key-value head')}, and the source ${group} for each: only whole groups are appended.`,
      remedy:
        small === 1
          ? advise`Keep one key-value head${by(['kvHeads', 1])}, which all heads share.`
          : advise`Ask for ${sizes} key-value heads${by('heads', 'kvHeads')}, and hidden units for them.`,
    },
  ];
}

/** Layers that differ from each other come in whole periods, or each would stand where another was. */
function layerTypeRefusals(
  { layerTypes, dimensions }: Architecture,
  { numHiddenLayers: layers }: Dimensions,
): Refusal[] {
  if (!layerTypes || layers === dimensions.numHiddenLayers) return [];
  const period = periodOf(layerTypes);
  if (layers % period === 0) return [];
  const below = Math.max(dimensions.numHiddenLayers, Math.floor(layers / period) * period);
  return [
    {
      reason: `The target has ${counted(layers, 'layer')}, and in this model every ${period} layers repeat the same kinds of layers in turn.`,
      remedy: `Ask for ${below} or ${below + period} layers.`,
    },
  ];
}

const sameSizes = (a: Dimensions, b: Dimensions): boolean =>
  a.numHiddenLayers === b.numHiddenLayers &&
  a.hiddenSize === b.hiddenSize &&
  a.numAttentionHeads === b.numAttentionHeads &&
  a.intermediateSize === b.intermediateSize;

/** Why a target config.json asks for more than growing: fields that must equal the source's. */
export function configRefusals(source: ModelConfig, target: ModelConfig): Refusal[] {
  return fixedFieldsThatDiffer(source, target).map(({ field, what, from, to }) => ({
    reason: `The target config changes the ${what} (${field}) from ${JSON.stringify(from)} to ${JSON.stringify(to)}.`,
    remedy: `Growing keeps the ${what}: set ${field} to ${JSON.stringify(from)} in the target config.`,
  }));
}

/** What a target config.json says besides sizes that the grown model does not follow. */
export function notesOnTarget(grown: ModelConfig, target: ModelConfig): Note[] {
  const fields = fieldsNotFollowed(grown, target);
  if (fields.length === 0) return [];
  const shown = fields.slice(0, 4).map(field => `${field} ${shortJson(target[field], 40)}`);
  const more = fields.length > 4 ? ` and ${counted(fields.length - 4, 'other field')}` : '';
  return [
    {
      message: `The target config has ${shown.join(', ')}${more}; only sizes are taken from it, and the grown model keeps what the source has.`,
      remedy: 'Change them in the grown config.json, if that is what you want, and train it so.',
    },
  ];
}

/** Throws UsageError when a named size is not a positive integer of sane magnitude. */
export function checkRequest(request: TargetSizes): void {
  for (const size of askedSizes) {
    const value = request[size];
    const option = sizeOption(size);
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 20)) {
      throw new UsageError(
        `--${option} is ${value}, not a whole number between 1 and 1,048,576.`,
        `Give --${option} a positive whole number.`,
      );
    }
  }
}
