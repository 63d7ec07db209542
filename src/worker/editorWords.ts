/** Wording of the command line, and what it is called in the editor; the first that fits counts first. */
const wordings: readonly (readonly [RegExp, string])[] = [
  [/ \(--sequence-length \d+\)/g, ' (Sequence Length… in the plan)'],
  [/ \(--[a-z-]+( [\w-]+)*\)/g, ''],
  [/^Give (?=--(recompute|share-ffn|batch 1 --accumulate))/, 'Under More…, set '],
  [/--recompute/g, 'Recompute Activations'],
  [/--share-ffn/g, 'Share Feed-Forward Operators'],
  [/--batch 1 --accumulate (\d+)/g, 'Accumulate to $1 with batches of one'],
  [/a smaller --sequence-length/g, 'shorter sequences'],
  [/a larger --sequence-length/g, 'longer sequences'],
  [/a larger --batch/g, 'a larger batch'],
  [/--batch or --sequence-length/g, 'the batch or the length of sequences'],
  [/Give --sequence-length (\d+) or less/g, 'Use sequences of at most $1 tokens'],
  [/`?ligo doctor --install [\w-]+`?/g, 'the command LiGO: Set Up GPU Engine'],
  [
    /Run the same command with --resume and --engine (\w+)/g,
    'Set ligo.engine to $1 and resume the run',
  ],
  [/Run the same command with --resume/g, 'Resume the run'],
  [/run the same command with --resume/g, 'resume the run'],
  [/Give --engine (\w+)/g, 'Set ligo.engine to $1'],
  [/give --engine (\w+)/g, 'set ligo.engine to $1'],
  [/--engine (\w+)/g, 'ligo.engine as $1'],
  [/Give --precision (\w+)/g, 'Under More…, set the precision to $1'],
  [/Leave --precision out/g, 'Under More…, choose the usual precision'],
  [/--method ([\w-]+)/g, 'the method $1'],
  [/Give --data\b/g, 'Choose data'],
  [/Pass --overwrite to replace it, or choose/g, 'Choose'],
  [/,? with(out)? --(overwrite|resume|parallel|engine-folder)/g, ''],
  [/by --resume/g, 'by Resume'],
  [/with --line-separator/g, 'on the command line'],
  // What only the command line offers.
  [/--([a-z-]+) on the command line/g, 'the option $1 on the command line'],
  [/--([a-z-]+)/g, 'the command line’s option $1'],
];

/** A remedy in the words of the editor: its plans say how data is cut, engines have a command and a setting. */
export const inEditor = (remedy: string): string =>
  wordings.reduce((text, [pattern, words]) => text.replace(pattern, words), remedy);

/** An answer with every remedy in it in the words of the editor. */
export function forEditor<T>(answer: T): T {
  if (typeof answer !== 'object' || answer === null || ArrayBuffer.isView(answer)) return answer;
  if (Array.isArray(answer)) return answer.map(forEditor) as T;
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]: [string, unknown]) => [
      name,
      name === 'remedy' && typeof value === 'string' ? inEditor(value) : forEditor(value),
    ]),
  ) as T;
}
