import { UsageError } from '../errors';
import {
  fixedFieldsThatDiffer,
  type Architecture,
  type Dimensions,
  type ModelConfig,
} from '../architecture';

/** What a person names of the target; the rest keeps its ratio to the source. */
export interface TargetRequest {
  readonly layers?: number;
  readonly hidden?: number;
  readonly heads?: number;
  readonly ffn?: number;
}

/** The target's sizes: head size stays, the feed-forward size keeps its ratio to the hidden size. */
export function targetDimensions(source: Dimensions, request: TargetRequest): Dimensions {
  const headSize = source.hiddenSize / source.numAttentionHeads;
  const hiddenSize =
    request.hidden ?? (request.heads ? request.heads * headSize : source.hiddenSize);
  return {
    numHiddenLayers: request.layers ?? source.numHiddenLayers,
    hiddenSize,
    numAttentionHeads: request.heads ?? Math.max(1, Math.floor(hiddenSize / headSize)),
    intermediateSize:
      request.ffn ?? Math.round((hiddenSize * source.intermediateSize) / source.hiddenSize),
  };
}

/** One reason why a growth is impossible, with what would make it possible. */
export interface Refusal {
  readonly reason: string;
  readonly remedy: string;
}

/** Why the source cannot grow to these sizes; empty when it can. */
export function refusals(source: Architecture, target: Dimensions): Refusal[] {
  const from = source.dimensions;
  const found: Refusal[] = [];
  const headSize = from.hiddenSize / from.numAttentionHeads;
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
  if (target.hiddenSize % target.numAttentionHeads !== 0) {
    const below = Math.max(1, Math.floor(target.hiddenSize / headSize)) * headSize;
    found.push({
      reason: `${target.hiddenSize} hidden units do not divide into ${target.numAttentionHeads} heads.`,
      remedy: `With the source's head size of ${headSize}, ${below} or ${below + headSize} hidden units divide.`,
    });
  } else if (target.hiddenSize / target.numAttentionHeads !== headSize) {
    const size = target.hiddenSize / target.numAttentionHeads;
    found.push({
      reason: `The head size would change from ${headSize} to ${size}; a width operator appends heads, it cannot resize them.`,
      remedy: `Ask for hidden units and heads with ${headSize} units a head.`,
    });
  }
  if (found.length === 0 && sameSizes(from, target)) {
    found.push({
      reason: 'The target has the same sizes as the source, so nothing would grow.',
      remedy: 'Ask for more layers (--layers), more hidden units (--hidden) or both.',
    });
  }
  return found;
}

const sameSizes = (a: Dimensions, b: Dimensions): boolean =>
  a.numHiddenLayers === b.numHiddenLayers &&
  a.hiddenSize === b.hiddenSize &&
  a.intermediateSize === b.intermediateSize;

/** Why a target config.json asks for more than growing: fields that must equal the source's. */
export function configRefusals(source: ModelConfig, target: ModelConfig): Refusal[] {
  return fixedFieldsThatDiffer(source, target).map(({ field, what, from, to }) => ({
    reason: `The target config changes the ${what} (${field}) from ${JSON.stringify(from)} to ${JSON.stringify(to)}.`,
    remedy: `Growing keeps the ${what}: set ${field} to ${JSON.stringify(from)} in the target config.`,
  }));
}

/** Throws UsageError when a named size is not a positive integer of sane magnitude. */
export function checkRequest(request: TargetRequest): void {
  for (const [name, value] of Object.entries(request)) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 20)) {
      throw new UsageError(
        `--${name} is ${value}, not a whole number between 1 and 1,048,576.`,
        `Give --${name} a positive whole number.`,
      );
    }
  }
}
