import type { Architecture } from '../../architecture';
import { openLabelledBatches } from '../../data/labelledBatches';
import { openLabelledSource } from '../../data/labelledSource';
import type { LabelledSets } from '../../data/labelledBatches';
import type { LabelRules } from '../../data/labels';
import { readJson, type SmallFiles } from '../../data/jsonFiles';
import type { TextTokenizer } from '../../data/tokenizer';
import { UnsupportedError, type Note } from '../../errors';
import { shortJson } from '../../format';
import type { BatchShape, TargetKind } from '../../training';
import { labelsOf } from './classLabels';
import type { DataOptions, OpenData } from './openData';
import { describeObjective } from './objective';
import { notesOnPadding, withPositions } from './positions';
import { tokenizerWithin } from './tokenizerWithin';
import { leaveOut } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** Labelled texts that were looked at. */
export interface LabelledSurvey extends LabelledSets {
  readonly notes: readonly Note[];
}

/** What labels a classifier of text takes, with what is odd about its config.json. */
interface LabelRulesOf {
  readonly rules: LabelRules;
  readonly notes: readonly Note[];
}

/**
 * The labels that a classifier of text takes. Throws UnsupportedError where there is nothing to learn,
 * CorruptFileError where its classes are not numbered.
 */
export function labelRules(architecture: Architecture): LabelRulesOf {
  const { modelClass, objective, problem = 'single_label_classification' } = architecture;
  const { spaceSizes } = architecture;
  const outputs = spaceSizes.get('class') ?? 0;
  if (problem === 'single_label_classification' && outputs < 2) {
    throw new UnsupportedError(
      'config.json makes this a classifier of one class, whose loss is always 0.',
      'Set "problem_type" in config.json to "regression" or "multi_label_classification", whichever the model was trained for.',
    );
  }
  const { labels, notes } = labelsOf(architecture);
  const names = labels ?? Array.from({ length: outputs }, (_, index) => `LABEL_${index}`);
  const of = objective === 'token-classification' ? 'words' : 'texts';
  return { rules: { modelClass, of, problem, outputs, names }, notes };
}

/** Finds and looks at all labelled texts. @throws UserError as `openLabelledSource` does */
export async function openLabelledSets(
  { rules, notes }: LabelRulesOf,
  path: string,
  evaluationPath: string | undefined,
): Promise<LabelledSurvey> {
  const train = await openLabelledSource(path, rules);
  if (evaluationPath === undefined) return { train, notes };
  const source = await openLabelledSource(evaluationPath, rules);
  return { train, heldOut: { path: evaluationPath, source }, notes };
}

/** Batches of labelled text that close the tokenizer with them. */
export async function openLabelled(
  architecture: Architecture,
  whole: TextTokenizer,
  options: DataOptions,
  task: {
    readonly shape: BatchShape;
    readonly files: SmallFiles;
    readonly survey: LabelledSurvey;
  },
): Promise<OpenData> {
  const { shape, files, survey } = task;
  const { tokenizer, notes } = tokenizerWithin(
    whole,
    architecture.spaceSizes.get('vocabulary') ?? 0,
  );
  await requireRight(files);
  const padding = paddingOf(architecture, tokenizer);
  const batches = await openLabelledBatches({
    sets: survey,
    tokenizer,
    seed: options.seed,
    paddingId: padding.id,
    batchSize: shape.batchSize,
    sequenceLength: shape.sequenceLength,
    reads: architecture.readsToken ?? 'all',
    evaluationBatches: options.evaluationBatches,
  });
  const { rules } = survey.train;
  return {
    batches: {
      ...withPositions(architecture, batches, shape.sequenceLength),
      async close() {
        try {
          await batches.close();
        } finally {
          await tokenizer.close();
        }
      },
    },
    shape,
    targets: targetKind(rules),
    notes: [
      {
        message: `What is learned is ${describeObjective(architecture)}.`,
        remedy:
          'Correct "problem_type" and "id2label" in config.json if the model is for something else.',
      },
      ...survey.notes,
      ...batches.notes,
      ...notes,
      ...padding.notes,
      ...notesOnPadding(architecture, tokenizer),
      ...separatorNotes(options),
    ],
  };
}

function targetKind({ problem, outputs }: LabelRules): TargetKind {
  switch (problem) {
    case 'single_label_classification':
      return { kind: 'class', classes: outputs };
    case 'multi_label_classification':
      return { kind: 'chances', outputs };
    case 'regression':
      return { kind: 'numbers', outputs };
  }
}

/** Lines are not joined, so nothing stands between them. */
const separatorNotes = ({ separator }: DataOptions): Note[] =>
  separator === undefined
    ? []
    : [
        {
          message:
            'Labelled texts are not joined, so what was asked for between lines is not used.',
          remedy: advise`${leaveOut('lineSeparator')}.`,
        },
      ];

/** Throws UnsupportedError for a tokenizer that pads or cuts texts at their beginning. */
async function requireRight(files: SmallFiles): Promise<void> {
  const config = await readJson(files, 'tokenizer_config.json');
  for (const field of ['padding_side', 'truncation_side']) {
    const side = config?.[field];
    if (side === undefined || side === null || side === 'right') continue;
    throw new UnsupportedError(
      `tokenizer_config.json sets ${field} to ${shortJson(side)}; labelled texts are padded and cut at their end here.`,
      `Set ${field} to "right" if the classifier was trained so.`,
    );
  }
}

/** What fills texts up. */
function paddingOf(
  { config, readsToken, modelClass, spaceSizes }: Architecture,
  { special }: TextTokenizer,
): { readonly id: number; readonly notes: readonly Note[] } {
  const configured = config['pad_token_id'];
  const known = spaceSizes.get('vocabulary') ?? 0;
  const isToken =
    typeof configured === 'number' &&
    Number.isInteger(configured) &&
    configured >= 0 &&
    configured < known;
  // Padding is masked; only a model that looks for the last token cares which it is.
  if (readsToken !== 'last') {
    return { id: special.pad ?? (isToken ? configured : 0), notes: [] };
  }
  if (!isToken) {
    throw new UnsupportedError(
      `config.json has no pad_token_id that is a token of the model; ${modelClass} reads the last token that is no padding.`,
      'Set pad_token_id in config.json to the padding of the tokenizer (many use the end-of-text token).',
    );
  }
  if (special.pad === undefined || special.pad === configured) return { id: configured, notes: [] };
  return {
    id: configured,
    notes: [
      {
        message: `config.json's pad_token_id is ${configured}, but the tokenizer pads with ${special.pad}: texts are padded with ${configured}, by which the model finds their last token.`,
        remedy: 'Correct one of them, so that transformers pads the same way.',
      },
    ],
  };
}
