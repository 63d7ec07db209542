import type { Architecture } from '../../architecture';
import { UnsupportedError, UsageError } from '../../errors';
import { counted } from '../../format';
import {
  middleLayers,
  readsLabelledText,
  rowsPerSequence,
  type BatchShape,
  type PartialShape,
} from '../../training';
import type { SubNetwork, TrainSettings } from '../settings';
import { by, larger, leaveOut } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** Steps in which the same part of a network is computed. */
export interface PartialSpan {
  /** Updates made before its first and after its last. */
  readonly begin: number;
  readonly end: number;
  /** Undefined: all of it. */
  readonly partial: PartialShape | undefined;
}

/**
 * Layer drop goes up with the steps as 1 − e^(−γ · step) of its highest rate (Zhang and He 2020,
 * arXiv 2010.13369), here in halves, as every rate is a program of its own. γ is 100 in a whole
 * training: what its authors recommend, 0.001 a step, in one of 100,000 steps.
 */
const layerDropGrowth = 100;
const layerDropLevels = [0, 0.5, 1];

/** The first step at which a level is nearer than the one below it. */
function levelStep(level: number, steps: number): number {
  const halfway = level - 1 / (2 * (layerDropLevels.length - 1));
  return Math.ceil((-Math.log(1 - halfway) * steps) / layerDropGrowth);
}

/**
 * The sequences of a batch that pass each layer by. The share grows from the bottom layer, which
 * none passes by, in even steps, as in the released LiGO code; whole sequences are left out so that
 * the number is right for all layers together.
 */
function sequencesToDrop(layers: number, rate: number, batchSize: number): number[] {
  let due = 0;
  let dropped = 0;
  return Array.from({ length: layers }, (_, layer) => {
    due += (rate * batchSize * layer) / layers;
    const here = Math.min(Math.round(due) - dropped, batchSize - 1);
    dropped += here;
    return here;
  });
}

/**
 * When a training computes which part of the network. Throws UsageError or UnsupportedError for
 * settings that leave nothing out, or too much.
 */
export function partialSpans(
  architecture: Architecture,
  settings: TrainSettings,
  shape: BatchShape,
): readonly PartialSpan[] {
  const { steps, subNetwork, layerDrop } = settings;
  const { numHiddenLayers } = architecture.dimensions;
  requireWholeTexts(architecture, settings);
  requireSubNetwork(numHiddenLayers, settings);
  requireLayerDrop(numHiddenLayers, settings, shape);
  const tokens = tokensToDrop(architecture, settings, shape);
  const levels = layerDrop === undefined ? [0] : layerDropLevels;
  const rises = levels.slice(1).map(level => levelStep(level, steps));
  const begins = [...new Set([0, ...(subNetwork ? [subNetwork.steps] : []), ...rises])]
    .filter(begin => begin < steps)
    .sort((a, b) => a - b);
  return begins.map((begin, index) => {
    const isSubNetwork = subNetwork !== undefined && begin < subNetwork.steps;
    const layers = isSubNetwork ? subNetworkLayers(subNetwork, numHiddenLayers) : numHiddenLayers;
    const level = levels[rises.filter(rise => rise <= begin).length]!;
    // A sub-network of one or two layers has none between.
    const droppedTokens = middleLayers(layers) ? tokens : 0;
    const droppedSequences = sequencesToDrop(layers, level * (layerDrop ?? 0), shape.batchSize);
    const isWhole =
      layers === numHiddenLayers &&
      droppedTokens === 0 &&
      droppedSequences.every(count => count === 0);
    return {
      begin,
      end: begins[index + 1] ?? steps,
      partial: isWhole ? undefined : { layers, droppedTokens, droppedSequences },
    };
  });
}

function requireShare(option: 'tokenDrop' | 'layerDrop', share: number): void {
  if (share > 0 && share < 1) return;
  const what = option === 'tokenDrop' ? 'tokens' : 'layers';
  throw new UsageError(
    `The share of ${what} to drop is ${share}; it must be above 0 and below 1.`,
    advise`Give a share such as 0.15${by(option)}.`,
  );
}

/** Of each sequence. */
function tokensToDrop(
  architecture: Architecture,
  { tokenDrop }: TrainSettings,
  shape: BatchShape,
): number {
  if (tokenDrop === undefined) return 0;
  requireShare('tokenDrop', tokenDrop);
  const { numHiddenLayers } = architecture.dimensions;
  if (!middleLayers(numHiddenLayers)) {
    throw new UnsupportedError(
      `Tokens are dropped between the first layers and the last; a model of ${numHiddenLayers} has none between.`,
      advise`${leaveOut('tokenDrop')}, or train a model of three layers or more.`,
    );
  }
  const length = rowsPerSequence(architecture, shape);
  const dropped = Math.round(tokenDrop * length);
  if (dropped > 0 && length - dropped > architecture.leadingTokens) return dropped;
  throw new UsageError(
    `A share of ${tokenDrop} of ${counted(length, 'token')} a sequence leaves out ${dropped === 0 ? 'none' : 'all but special ones'}.`,
    advise`Give another share${by('tokenDrop')}, or longer sequences.`,
  );
}

function requireLayerDrop(
  numHiddenLayers: number,
  { layerDrop }: TrainSettings,
  { batchSize }: BatchShape,
): void {
  if (layerDrop === undefined) return;
  requireShare('layerDrop', layerDrop);
  if (sequencesToDrop(numHiddenLayers, layerDrop, batchSize).some(count => count > 0)) return;
  throw new UsageError(
    `A share of ${layerDrop} leaves out no layer for any of ${counted(batchSize, 'sequence')}.`,
    advise`Give a higher share${by('layerDrop')}, or ${larger('batch')}.`,
  );
}

const subNetworkLayers = ({ layers }: SubNetwork, numHiddenLayers: number): number =>
  layers ?? Math.ceil(numHiddenLayers / 2);

function requireSubNetwork(numHiddenLayers: number, { subNetwork, steps }: TrainSettings): void {
  if (!subNetwork) return;
  const layers = subNetworkLayers(subNetwork, numHiddenLayers);
  if (layers < 1 || layers >= numHiddenLayers) {
    throw new UsageError(
      `A sub-network of ${counted(layers, 'layer')} is no part of a model of ${numHiddenLayers}.`,
      numHiddenLayers > 1
        ? advise`Give it 1 to ${numHiddenLayers - 1} layers${by('subNetworkLayers')}.`
        : advise`${leaveOut('subNetworkSteps')}.`,
    );
  }
  if (subNetwork.steps < 1 || subNetwork.steps >= steps) {
    throw new UsageError(
      `The sub-network would be trained for ${subNetwork.steps} of ${counted(steps, 'step')}, which leaves none for the whole.`,
      advise`Train it for fewer steps${by('subNetworkSteps')}, or the whole for more${by('steps')}.`,
    );
  }
}

/** Labelled texts are padded, and where a text is padded all of the network is computed. */
function requireWholeTexts(
  architecture: Architecture,
  { tokenDrop, layerDrop, subNetwork }: TrainSettings,
): void {
  if (!readsLabelledText(architecture)) return;
  if (tokenDrop === undefined && layerDrop === undefined && !subNetwork) return;
  throw new UnsupportedError(
    'A classifier of text is trained as a whole: dropping tokens or layers, and training a sub-network first, are for pretraining.',
    advise`Leave them out${by('tokenDrop', 'layerDrop', 'subNetworkSteps')}.`,
  );
}
