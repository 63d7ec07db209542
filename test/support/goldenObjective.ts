import { crossEntropy, logits, paddingId, positionIds, predictions } from '../../src/architecture';
import type { Architecture, Parameter } from '../../src/architecture';
import { topologicalOrder, type Tensor, type TensorData } from '../../src/graph';
import type { ObjectiveGraph } from '../../src/training';
import {
  parameterValues,
  readGolden,
  type FamilyName,
  type Fixture,
} from '../unit/architecture/fixtures';
import { fedForward, type PlainBatch } from '../unit/architecture/forward';

/** The loss that transformers computed for a fixture, as a graph, with the values it reads. */
export interface GoldenObjective {
  readonly architecture: Architecture;
  readonly objective: ObjectiveGraph;
  /** The input that holds each parameter, as the file does. */
  readonly parameters: readonly { readonly parameter: Parameter; readonly input: Tensor }[];
  /** Parameters by id, as the file holds them, and the batch by name. */
  readonly values: Readonly<Record<string, TensorData>>;
}

/** The golden batch, padding and token types included, in plain numbers. */
export function goldenBatch(family: FamilyName, { config }: Fixture): PlainBatch {
  const golden = readGolden(family);
  const pixels = golden.get('in.pixel_values');
  if (pixels) return { batchSize: pixels.shape[0]!, pixelValues: pixels.data as Float32Array };
  const ids = golden.get('in.input_ids')!;
  const [batchSize, sequenceLength] = ids.shape as [number, number];
  const attentionMask = Float32Array.from(golden.get('in.attention_mask')!.data);
  const types = golden.get('in.token_type_ids');
  return {
    batchSize,
    sequenceLength,
    inputIds: ids.data as Int32Array,
    attentionMask,
    ...(types && { tokenTypeIds: types.data as Int32Array }),
    ...(family === 'roberta' && {
      positionIds: positionIds(ids.data, sequenceLength, paddingId(config)),
    }),
    // Padding has a row of its own in OPT's table.
    ...(family === 'opt' && {
      positionIds: Int32Array.from(attentionMask, (seen, token) =>
        seen === 0 ? 1 : (token % sequenceLength) + 2,
      ),
    }),
  };
}

/** Rows the loss reads (undefined: all) and the label of each, -100 where it does not count. */
export function goldenTargets(
  family: FamilyName,
  { recognition }: Fixture,
): {
  rows: Int32Array | undefined;
  labels: Int32Array;
} {
  const golden = readGolden(family).get('in.labels')!;
  const labels = golden.data as Int32Array;
  const { objective } = recognition.architecture;
  if (objective !== 'causal-language-modeling') return { rows: undefined, labels };
  // A causal model is asked for the next token of each but the last.
  const length = golden.shape[1]!;
  const rows = Int32Array.from([...labels.keys()].filter(index => index % length < length - 1));
  return { rows, labels: rows.map(row => labels[row + 1]!) };
}

/** The objective of a family's golden batch over the parameters of a checkpoint of that family. */
export function goldenObjective(family: FamilyName, fixture: Fixture): GoldenObjective {
  const { architecture } = fixture.recognition;
  const values = parameterValues(fixture);
  const forward = fedForward(architecture, values, goldenBatch(family, fixture));
  const { rows, labels } = goldenTargets(family, fixture);
  const readout = forward.readout(rows && forward.feed('rows', rows));
  const targets = forward.feed(
    'targets',
    labels.map(label => Math.max(label, 0)),
  );
  const counted = Float32Array.from(labels, label => (label === -100 ? 0 : 1));
  const { loss } = crossEntropy(readout, targets, forward.feed('weights', counted));
  const parameters = architecture.parameters.map(parameter => ({
    parameter,
    input: forward.stored.get(parameter.id)!,
  }));
  const ofModel = new Set(parameters.map(({ input }) => input));
  const feeds = topologicalOrder([loss])
    .filter(({ op }) => op === 'Input')
    .map(({ outputs }) => outputs[0]!)
    .filter(input => !ofModel.has(input));
  return {
    architecture,
    objective: { feeds, loss, predictions: predictions(readout), logits: logits(readout) },
    parameters,
    values: forward.feeds,
  };
}
