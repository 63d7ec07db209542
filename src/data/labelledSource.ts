import { basename, extname } from 'node:path';
import { UnsupportedError, UserError, type Note } from '../errors';
import { counted } from '../format';
import { partNames } from './classFolders';
import {
  ignoredLabel,
  parseLabelledText,
  parseLabelledWords,
  type LabelledText,
  type LabelledWords,
  type LabelRules,
} from './labels';
import { lineReader } from './lines';
import { listed } from './note';
import { BadRecord } from './records';
import { readBytes, type ReadBytes, type SourceFile } from './sourceFiles';
import { checkTextFile } from './textCheck';
import { textFormat } from './textFormat';
import { textFiles } from './textSurvey';
import { by } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/** Records that are remembered, by eight bytes each. */
const mostRecords = 20_000_000;

/** Labelled records of one or more files, all of which were looked at; their texts stay on disk. */
export interface LabelledSource {
  readonly files: readonly SourceFile[];
  readonly rules: LabelRules;
  /** Records. */
  readonly count: number;
  /** Records, or words, of each class; none where labels are numbers. */
  readonly counts: Float64Array;
  /** Records with a class, or words with one: what `counts` are parts of. */
  readonly labelled: number;
  readonly notes: readonly Note[];
  /** The record `index`, in 0…count − 1. @throws UserError where the file has changed */
  read(index: number): Promise<LabelledText | LabelledWords>;
  clear(): void;
}

/** Numbers without an end that is known before: doubles as it fills. */
function growing(): {
  push(value: number): void;
  readonly length: number;
  at(index: number): number;
} {
  let values = new Float64Array(1024);
  let length = 0;
  return {
    push(value) {
      if (length === values.length) {
        const larger = new Float64Array(2 * length);
        larger.set(values);
        values = larger;
      }
      values[length++] = value;
    },
    get length() {
      return length;
    },
    at: index => values[index]!,
  };
}

/** What the remedy is against a file that has no labels. */
function asRecords({ name }: SourceFile): string {
  const extension = extname(name).toLowerCase();
  if (extension !== '.csv' && extension !== '.tsv') {
    return 'Give JSON lines, each an object such as {"text": "…", "label": 0}.';
  }
  const separator = extension === '.tsv' ? ', sep="\\t"' : '';
  return `Write it as JSON lines, in Python: pandas.read_csv("${name}"${separator}).to_json("labelled.jsonl", orient="records", lines=True).`;
}

const isPart = ({ name }: SourceFile, parts: readonly string[]): boolean =>
  parts.includes(basename(name, extname(name)).toLowerCase());

/** Refuses a folder whose files are parts of a set, which would be learned from and evaluated on at once. */
function refuseParts(path: string, files: readonly SourceFile[]): void {
  const train = files.find(file => isPart(file, partNames.train));
  const heldOut = files.find(file => isPart(file, partNames.heldOut));
  if (!train || !heldOut) return;
  throw new UserError(
    `${path} holds ${train.name} and ${heldOut.name}, which are parts of one set: all would be learned from.`,
    advise`Give ${train.name} as the data, and ${heldOut.name} as the data to evaluate on${by('evalData')}.`,
  );
}

/**
 * Finds the labelled texts of a file of JSON lines, or of a folder of such, and looks at all of them:
 * that each has a text and a label that the model can learn.
 * @throws UserError naming the file, the line and what helps
 */
export async function openLabelledSource(
  path: string,
  rules: LabelRules,
  read: ReadBytes = readBytes,
  signal?: AbortSignal,
): Promise<LabelledSource> {
  const found = await textFiles(path);
  const notes = [...found.notes];
  refuseParts(path, found.files);
  const parse = rules.of === 'words' ? parseLabelledWords : parseLabelledText;

  const starts = growing();
  const files: SourceFile[] = [];
  /** Number of records before each file. */
  const before: number[] = [];
  const tally = tallyOf(rules);
  const plain: SourceFile[] = [];
  for (const file of found.files.filter(({ bytes }) => bytes > 0)) {
    const format = await textFormat(file, read);
    if (format === 'lines') {
      plain.push(file);
      continue;
    }
    files.push(file);
    before.push(starts.length);
    await checkTextFile(file, format, read, signal, (json, start) => {
      const record = parse(json, rules);
      if (starts.length === mostRecords) throw tooMany();
      starts.push(start);
      tally.take(record);
      return record;
    });
  }
  if (plain.length > 0 && files.length === 0) {
    throw new UnsupportedError(
      `${listed(plain.map(({ name }) => name))} ${plain.length === 1 ? 'is' : 'are'} no JSON lines, so there is text without labels; a ${rules.modelClass} learns from labels.`,
      asRecords(plain[0]!),
    );
  }
  if (plain.length > 0) {
    notes.push({
      message: `Left out, since only JSON lines have labels: ${listed(plain.map(({ name }) => name))}.`,
      remedy: asRecords(plain[0]!),
    });
  }
  if (starts.length === 0) {
    throw new UserError(`${path} is empty.`, 'Give a file of JSON lines with labelled texts.');
  }
  const lines = lineReader(read);
  return {
    files,
    rules,
    count: starts.length,
    ...tally.result(),
    notes: [...notes, ...tally.notes(files)],
    async read(index) {
      const number = before.findLastIndex(first => first <= index);
      const file = files[number]!;
      const start = starts.at(index);
      const line = await lines.text(file, await lines.lineAt(file, start, true));
      try {
        return parse(line, rules);
      } catch (error) {
        if (!(error instanceof BadRecord)) throw error;
        throw new UserError(
          `${file.name} has changed: the record at byte ${start} ${error.message}`,
          'Leave the data as it is during a run, or train on a copy.',
          { cause: error },
        );
      }
    },
    clear: () => lines.clear(),
  };
}

const tooMany = (): UserError =>
  new UserError(
    `There are more than ${mostRecords.toLocaleString('en')} labelled records.`,
    'Train on a part of them.',
  );

/** A class of so large a share makes accuracy say little. */
const largeShare = 0.8;

/** Counts what a source has, for notes. */
function tallyOf({ of, problem, outputs, names }: LabelRules) {
  const isOfClasses = problem !== 'regression';
  const counts = new Float64Array(isOfClasses ? outputs : 0);
  const used = new Map<string, number>();
  const others = new Set<string>();
  let [labelled, empty, ignored] = [0, 0, 0];

  function take({ text, field, labelField, record, targets }: LabelledText | LabelledWords): void {
    if (text.trim() === '') empty++;
    const fields = `"${field}" with "${labelField}"`;
    used.set(fields, (used.get(fields) ?? 0) + 1);
    for (const name of Object.keys(record)) {
      if (name !== field && name !== labelField && others.size < 100) others.add(name);
    }
    if (problem === 'single_label_classification') {
      for (const target of targets) {
        if (target === ignoredLabel) ignored++;
        else {
          counts[target]!++;
          labelled++;
        }
      }
    } else {
      labelled++;
      if (isOfClasses) targets.forEach((target, index) => (counts[index]! += target));
    }
  }

  function notes(files: readonly SourceFile[]): Note[] {
    const things = of === 'words' ? 'words' : 'texts';
    const from = [...used].map(([fields, count]) => `${fields} of ${counted(count, 'record')}`);
    const not = others.size > 0 ? `; other fields are not read (${listed([...others])})` : '';
    const told: Note[] = [
      {
        message: `${listed(files.map(({ name }) => name))} ${files.length === 1 ? 'is' : 'are'} read as labelled ${things}: ${from.join(' and ')}${not}.`,
        remedy: 'Rename the fields if others are meant.',
      },
    ];
    const add = (message: string, remedy: string): void => void told.push({ message, remedy });
    if (empty > 0) {
      add(
        `${counted(empty, 'record has', 'records have')} an empty text.`,
        'Look whether the text is in another field.',
      );
    }
    if (ignored > 0) {
      add(
        `${counted(ignored, 'word has', 'words have')} the label ${ignoredLabel} and ${ignored === 1 ? 'does' : 'do'} not count.`,
        'Nothing is to be done if that is meant.',
      );
    }
    const absent = [...counts.keys()].filter(index => counts[index] === 0);
    const nameOf = (index: number): string => names[index] ?? String(index);
    if (absent.length > 0) {
      add(
        `${counted(absent.length, 'class', 'classes')} of the model's ${outputs} ${absent.length === 1 ? 'is' : 'are'} in no label: ${listed(absent.map(nameOf))}.`,
        'Give examples of all classes, unless the model need not tell them apart any more.',
      );
    }
    const largest = counts.indexOf(Math.max(...counts));
    const share = counts[largest]! / labelled;
    if (problem === 'single_label_classification' && share >= largeShare && outputs > 1) {
      add(
        `${Math.floor(100 * share)} % of the ${things} are of the class ${nameOf(largest)}: a model that always says so has that accuracy.`,
        'Look at the loss rather than at the accuracy, or give more examples of the other classes.',
      );
    }
    return told;
  }

  return { take, notes, result: () => ({ counts, labelled }) };
}
