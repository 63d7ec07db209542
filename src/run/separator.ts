import { plainWeights } from '../architecture';
import type { LineSeparator } from '../data/textSource';
import { loadTokenizer } from '../data/tokenizer';
import type { Engine } from '../engine';
import { input } from '../graph';
import { batchFeeds, evaluationProgram, objectiveGraph } from '../training';
import { openData, type DataOptions, type OpenData } from './data';
import { readParameters, type Model } from './model';

/** Training batches each way of joining lines is tried on. */
const triedBatches = 2;

/** A way of joining lines, and what the small model thinks of it. */
export interface SeparatorChoice {
  readonly separator: LineSeparator;
  /** For people: `newline`, `<|endoftext|>`, `nothing`. */
  readonly label: string;
  readonly note: string;
}

/**
 * How a causal model's text was joined is not written anywhere, and a wrong guess costs a nat. So
 * each usual way is tried on two training batches, and the small model's own loss decides.
 */
export async function chooseSeparator(
  engine: Engine,
  model: Model,
  options: DataOptions,
): Promise<SeparatorChoice | undefined> {
  const { architecture, checkpoint } = model;
  if (architecture.objective !== 'causal-language-modeling' || architecture.head === 'none') {
    return undefined;
  }
  const { special } = await loadTokenizer(checkpoint.directory);
  const end = special.eos ?? special.bos;
  const ways: { separator: LineSeparator; label: string }[] = [
    { separator: 'newline', label: 'a line feed' },
    ...(end === undefined ? [] : [{ separator: [end], label: 'the end-of-text token' }]),
    { separator: 'none', label: 'nothing' },
  ];
  const tried: { way: (typeof ways)[number]; loss: number }[] = [];
  for (const way of ways) {
    const data = await openData(architecture, checkpoint.directory, {
      ...options,
      separator: way.separator,
    });
    try {
      tried.push({ way, loss: await smallLoss(engine, model, data) });
    } finally {
      await data.batches.close();
    }
  }
  const best = tried.reduce((a, b) => (b.loss < a.loss ? b : a));
  const losses = tried.map(({ way, loss }) => `${loss.toFixed(2)} with ${way.label}`).join(', ');
  return {
    ...best.way,
    note: `Lines are joined by ${best.way.label}: the small model scores ${losses}.`,
  };
}

/** The note of a separator that a person asked for; undefined where lines are not joined. */
export function describeSeparator(
  { architecture }: Model,
  separator: LineSeparator | undefined,
): string | undefined {
  if (separator === undefined || architecture.objective !== 'causal-language-modeling') {
    return undefined;
  }
  const labels = { newline: 'a line feed', none: 'nothing' };
  const label = typeof separator === 'string' ? labels[separator] : `token ${separator.join(', ')}`;
  return `Lines are joined by ${label}, as was asked for.`;
}

async function smallLoss(engine: Engine, model: Model, data: OpenData): Promise<number> {
  const { architecture } = model;
  const inputs = new Map(
    architecture.parameters.map(({ id, shape }) => [id, input(id, shape)] as const),
  );
  const objective = objectiveGraph(
    architecture,
    plainWeights(id => inputs.get(id)),
    batchFeeds(architecture, data.shape),
  );
  const executable = await engine.compile(evaluationProgram(objective, [...inputs.values()]));
  try {
    executable.load(await readParameters(model));
    let sum = 0;
    for (let step = 0; step < triedBatches; step++) {
      const { loss } = await executable.run(await data.batches.train(step));
      sum += loss![0]!;
    }
    return sum / triedBatches;
  } finally {
    await executable.dispose();
  }
}
