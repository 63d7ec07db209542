// What we compute of a checkpoint, for readBack.py to ask transformers about:
//   node --import tsx test/reference/ours.ts logits <checkpoint>            scores of a batch of tokens
//   node --import tsx test/reference/ours.ts loss <checkpoint> <data>       held-out loss, and its windows
import { describeTokenizer } from '../../src/data/tokenizer';
import { evaluate, input, type TensorData } from '../../src/graph';
import { logits, plainWeights } from '../../src/architecture';
import { randomGenerator } from '../../src/random';
import { readParameters } from '../../src/run/open/model';
import { plainModel, scoreModel } from '../../src/run/score/scoring';
import { batchFeeds } from '../../src/training';
import { recorded } from '../unit/run/support';
import { withData, withEngine, withModel } from '../support/opened';

const [what, path, data] = process.argv.slice(2);
const print = (result: unknown): boolean => process.stdout.write(`${JSON.stringify(result)}\n`);

if (what === 'logits') {
  const shape = { batchSize: 2, sequenceLength: 12, targets: 24 };
  await withModel(path!, async model => {
    const { architecture } = model;
    const values = await readParameters(model);
    const inputs = new Map(architecture.parameters.map(({ id, shape: of }) => [id, input(id, of)]));
    const feeds = batchFeeds(architecture, shape);
    const random = randomGenerator(5, 0x726561);
    const { accepts } = architecture;
    const batch: Record<string, TensorData> = { ...values };
    let ids = new Int32Array();
    let pixels: number[] = [];
    if (accepts.kind === 'tokens') {
      ids = Int32Array.from({ length: 24 }, () => random.integer(accepts.vocabularySize));
      batch['input_ids'] = ids;
      const positions = architecture.positionIds?.(ids, shape.sequenceLength);
      if (positions) batch['position_ids'] = positions;
    } else {
      const count = shape.batchSize * accepts.channels * accepts.height * accepts.width;
      pixels = Array.from({ length: count }, () => Math.fround(random.normal()));
      batch['pixel_values'] = Float32Array.from(pixels);
    }
    const readout = architecture.forward(
      plainWeights(id => inputs.get(id)),
      feeds.forward,
    );
    const [scores] = evaluate([logits(readout.readout())], batch);
    print({ ids: [[...ids.slice(0, 12)], [...ids.slice(12)]], pixels, logits: [...scores!] });
  });
} else {
  const { context } = recorded();
  await withModel(path!, model =>
    withEngine(context, async engine =>
      withData(engine, model, { data: data!, seed: 0 }, async ({ batches, shape }) => {
        const scored = plainModel(model.architecture, await readParameters(model), 'model');
        const signal = new AbortController().signal;
        const { loss } = await scoreModel(engine, scored, batches, shape, signal);
        const windows: unknown[] = [];
        for (let index = 0; index < batches.evaluationBatches; index++) {
          const batch = await batches.evaluate(index);
          const of = (name: string): number[] => [...(batch[name] ?? [])];
          windows.push({
            ...{ ids: of('input_ids'), positions: of('positions') },
            ...{ targets: of('targets'), weights: of('weights') },
          });
        }
        const { vocabularySize } = await describeTokenizer(model.checkpoint);
        print({ loss, length: shape.sequenceLength, windows, vocabularySize });
      }),
    ),
  );
}
