import type { HandoffFacts, ImageFacts, ImagePart, TextFacts } from './facts';

/** Files of examples, one a line. */
const scoredFile = 'held-out.jsonl';
const trainFile = 'train.jsonl';

const jsonLines = (lines: readonly unknown[]): string =>
  lines.map(line => `${JSON.stringify(line)}\n`).join('');

/** `handoff.json`: all that `train.py` and `data.py` know of this checkpoint. */
export function settingsText({ software, model, objective, data, training }: HandoffFacts): string {
  const settings = {
    written_by: `${software.name} ${software.version}`,
    objective,
    model: {
      path: model.path,
      class: model.modelClass,
      companions: model.companions,
      optimizer: model.optimizer ?? null,
      ...(model.expected && { loss: model.expected.loss, loss_from: model.expected.from }),
    },
    data: {
      path: data.path,
      held_out: data.heldOut,
      held_out_batch: data.heldOutBatch,
      ...(data.kind === 'text' ? textSettings(data) : imageSettings(data)),
    },
    training: {
      steps: training.steps,
      rate: training.learningRate,
      warmup: training.warmup ?? null,
      schedule: training.schedule === 'constant' ? 'constant_with_warmup' : training.schedule,
      weight_decay: training.weightDecay,
      betas: training.betas,
      epsilon: training.epsilon,
      clip_norm: training.clipNorm,
      batch: training.batch,
      accumulate: training.accumulate,
      recompute: training.recompute,
      evaluate_every: training.evaluateEvery,
      precision: 'float32',
      seed: training.seed,
    },
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

const textSettings = ({ files, sequenceLength, separator, masked }: TextFacts) => ({
  // What is at an index is drawn already.
  order: 'sequential',
  files: files.map(({ name, bytes, trainBytes, records }) => ({
    name,
    bytes,
    train_bytes: trainBytes,
    records,
  })),
  sequence_length: sequenceLength,
  separator: separator === 'none' ? [] : separator,
  masked: masked
    ? {
        frame: masked.frame ?? null,
        mask: masked.mask,
        special: masked.special,
        vocabulary: masked.vocabulary,
        share: masked.share,
        replaced_by_mask: masked.replacedByMask,
        replaced_at_random: masked.replacedAtRandom,
      }
    : null,
  scored: scoredFile,
});

const partSettings = (list: string, { idx }: ImagePart) => ({ list, idx: idx ?? null });

function imageSettings(data: ImageFacts) {
  const { resize, crop } = data;
  return {
    order: 'random',
    train: partSettings(trainFile, data.train),
    scored: partSettings(scoredFile, data.scored),
    channels: data.channels,
    size: resize && 'width' in resize ? [resize.width, resize.height] : null,
    shortest_edge: resize && 'shortestEdge' in resize ? resize.shortestEdge : null,
    crop: crop ? [crop.width, crop.height] : null,
    resample: data.resample,
    rescale_factor: data.rescaleFactor,
    mean: data.mean,
    standard_deviation: data.standardDeviation,
  };
}

/** Examples that are handed over as they are. */
export const exampleFiles = (data: TextFacts | ImageFacts) =>
  data.kind === 'text'
    ? [
        {
          name: scoredFile,
          text: jsonLines(
            data.scored.map(({ inputIds, labels }) => ({ input_ids: inputIds, labels })),
          ),
        },
      ]
    : [
        { name: scoredFile, text: jsonLines(data.scored.images) },
        { name: trainFile, text: jsonLines(data.train.images) },
      ];
