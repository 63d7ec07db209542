import type { BatchSource } from '../../data/batches';
import type { LineSeparator } from '../../data/textSource';
import { describeTokenizer } from '../../data/tokenizer';
import type { Engine, Executable } from '../../engine';
import { openData, type DataSurvey } from '../open/data';
import type { DataOptions, OpenData } from '../open/openData';
import { readParameters, type Model } from '../open/model';
import { plainModel, withScoring } from './scoring';

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
  survey: DataSurvey,
): Promise<SeparatorChoice | undefined> {
  const { architecture, checkpoint } = model;
  if (architecture.objective !== 'causal-language-modeling' || architecture.head === 'none') {
    return undefined;
  }
  const { special } = await describeTokenizer(checkpoint);
  const known = architecture.spaceSizes.get('vocabulary') ?? 0;
  const isKnown = (id: number | undefined): id is number => id !== undefined && id < known;
  const ends = [
    { id: special.eos, label: 'the end-of-text token' },
    ...(special.bos === special.eos
      ? []
      : [{ id: special.bos, label: 'the beginning-of-text token' }]),
  ];
  const ways: { separator: LineSeparator; label: string }[] = [
    { separator: 'newline', label: 'a line feed' },
    ...ends.flatMap(({ id, label }) => (isKnown(id) ? [{ separator: [id], label }] : [])),
    { separator: 'none', label: 'nothing' },
  ];
  const opened: OpenData[] = [];
  try {
    for (const { separator } of ways) {
      const joined = { ...options, separator };
      opened.push(await openData(architecture, checkpoint, joined, survey));
    }
    const small = plainModel(architecture, await readParameters(model), 'model');
    const losses = await withScoring(engine, small, opened[0]!.shape, async executable => {
      const found: number[] = [];
      for (const { batches } of opened) found.push(await trainingLoss(executable, batches));
      return found;
    });
    return best(ways.map((way, index) => ({ ...way, loss: losses[index]! })));
  } finally {
    for (const { batches } of opened) await batches.close();
  }
}

/** The way with the lowest loss, and what all of them scored. */
function best(
  tried: readonly { separator: LineSeparator; label: string; loss: number }[],
): SeparatorChoice {
  const { separator, label } = tried.reduce((a, b) => (b.loss < a.loss ? b : a));
  const losses = tried.map(way => `${way.loss.toFixed(2)} with ${way.label}`).join(', ');
  return {
    separator,
    label,
    note: `Lines are joined by ${label}: the small model scores ${losses}.`,
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

async function trainingLoss(executable: Executable, batches: BatchSource): Promise<number> {
  let sum = 0;
  for (let step = 0; step < triedBatches; step++) {
    const { loss } = await executable.run(await batches.train(step));
    sum += loss![0]!;
  }
  return sum / triedBatches;
}
