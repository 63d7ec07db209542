import { shortJson } from '../format';
import { listed } from './note';
import { BadRecord, parseObject, requireWhole, type TextRecord } from './records';

/** What labels are, as config.json declares it. */
export interface LabelRules {
  /** The class of the model, for sentences. */
  readonly modelClass: string;
  /** Whether a record is a text with a label, or words with a label each. */
  readonly of: 'texts' | 'words';
  /** By transformers' names. */
  readonly problem: 'single_label_classification' | 'multi_label_classification' | 'regression';
  /** Classes, or numbers. */
  readonly outputs: number;
  /** Of the classes, in their order. */
  readonly names: readonly string[];
}

/** A text with what is to be learned of it. */
export interface LabelledText extends TextRecord {
  readonly labelField: string;
  /** The number of a class; or a number for each output. */
  readonly targets: readonly number[];
}

/** Words with what is to be learned of each. */
export interface LabelledWords extends TextRecord {
  readonly labelField: string;
  readonly words: readonly string[];
  /** The number of a class for each word, or `ignoredLabel`. */
  readonly targets: readonly number[];
}

/** What transformers gives to what is not to be learned. */
export const ignoredLabel = -100;

/** Where the text of a labelled record is looked for, in this order. */
const textFields = ['text', 'sentence', 'content'];
const labelFields = ['label', 'labels'];
/** A second text, with which the first would be a pair. */
const pairFields = ['text_pair', 'text2', 'sentence2', 'question2', 'hypothesis'];
const wordFields = ['tokens', 'words'];
const tagFields = ['tags', 'ner_tags', 'pos_tags', 'chunk_tags'];

const textRemedy =
  'Each line is one object such as {"text": "…", "label": 0}; rename the field that holds the text, for example with: jq -c \'{text: .body, label}\'.';
const labelRemedy = 'Give each record its label in "label", or leave the record out.';
const wordsRemedy =
  'Each line is one object such as {"tokens": ["…", "…"], "labels": [0, 1]}, with as many labels as words.';

const present = (record: TextRecord['record'], fields: readonly string[]): string[] =>
  fields.filter(field => record[field] !== undefined && record[field] !== null);

/** A labelled text as a line of JSON holds it. Throws BadRecord. */
export function parseLabelledText(line: string, rules: LabelRules): LabelledText {
  const record = parseObject(line);
  const [pair] = present(record, pairFields);
  if (pair !== undefined) {
    throw new BadRecord(
      `has a second text in "${pair}"; pairs of texts are not learned.`,
      'Join both into one text, if the model was trained so, and remove the field.',
    );
  }
  const field = textFields.find(name => typeof record[name] === 'string');
  if (field === undefined) {
    const wrong = present(record, textFields)[0];
    throw new BadRecord(
      wrong === undefined
        ? `has no text in ${textFields.map(name => `"${name}"`).join(', ')}; its fields are ${listed(Object.keys(record), 8) || 'none'}.`
        : `has no text in "${wrong}", but ${shortJson(record[wrong])}.`,
      textRemedy,
    );
  }
  const text = record[field] as string;
  requireWhole(text, field);
  const { labelField, label } = labelOf(record);
  return { text, field, record, labelField, targets: targetsOf(label, labelField, rules) };
}

/** The one label of a record. */
function labelOf(record: TextRecord['record']): { labelField: string; label: unknown } {
  const [labelField, other] = present(record, labelFields);
  if (labelField === undefined) {
    throw new BadRecord(
      `has no label: no field ${labelFields.map(name => `"${name}"`).join(' or ')}; its fields are ${listed(Object.keys(record), 8)}.`,
      labelRemedy,
    );
  }
  if (other === undefined) return { labelField, label: record[labelField] };
  throw new BadRecord(
    `has both "${labelField}" and "${other}".`,
    'Remove the one that is not meant.',
  );
}

/** What a label asks of the model's outputs. */
function targetsOf(label: unknown, field: string, rules: LabelRules): readonly number[] {
  switch (rules.problem) {
    case 'single_label_classification':
      return [classOf(label, field, rules)];
    case 'multi_label_classification':
      return classesOf(label, field, rules);
    case 'regression':
      return numbersOf(label, field, rules);
  }
}

const classRemedy = ({ outputs, names }: LabelRules): string =>
  `Labels are numbers of classes from 0 to ${outputs - 1}, or their names: ${listed(names.map(name => JSON.stringify(name)))}; they stand in "id2label" of config.json.`;

/** The number of a class, by its number or its name. */
function classOf(label: unknown, field: string, rules: LabelRules): number {
  const { outputs, names } = rules;
  if (typeof label === 'number' && Number.isInteger(label) && label >= 0 && label < outputs) {
    return label;
  }
  if (typeof label === 'string') {
    const index = names.indexOf(label);
    if (index >= 0 && names.indexOf(label, index + 1) < 0) return index;
    throw new BadRecord(
      index < 0
        ? `has the label ${shortJson(label)}, which is the name of no class.`
        : `has the label ${shortJson(label)}, which is the name of two classes.`,
      classRemedy(rules),
    );
  }
  if (Array.isArray(label) && rules.of === 'texts') {
    throw new BadRecord(
      `has a list in "${field}", but config.json says that a text is of one class.`,
      'Set "problem_type" in config.json to "multi_label_classification" if the model was trained so, or give one label.',
    );
  }
  throw new BadRecord(`has the label ${shortJson(label)}, which is no class.`, classRemedy(rules));
}

/** 0 or 1 for every class: from as many of these, or from names. */
function classesOf(label: unknown, field: string, rules: LabelRules): readonly number[] {
  const { outputs } = rules;
  const remedy = `Give a list of names, or one with a 0 or a 1 for each of the ${outputs} classes. ${classRemedy(rules)}`;
  if (!Array.isArray(label)) {
    throw new BadRecord(
      `has no list in "${field}" but ${shortJson(label)}, though config.json says "multi_label_classification".`,
      remedy,
    );
  }
  if (label.every(entry => typeof entry === 'string')) {
    const set = new Set(label.map(name => classOf(name, field, rules)));
    return Array.from({ length: outputs }, (_, index) => (set.has(index) ? 1 : 0));
  }
  if (label.length === outputs && label.every(entry => entry === 0 || entry === 1)) {
    return label as number[];
  }
  throw new BadRecord(
    `has ${shortJson(label)} in "${field}", which is neither a list of names nor a 0 or a 1 for each of ${outputs} classes.`,
    remedy,
  );
}

/** A number, or as many as there are outputs. */
function numbersOf(label: unknown, field: string, { outputs }: LabelRules): readonly number[] {
  const numbers: readonly unknown[] = Array.isArray(label) ? label : [label];
  // float32 ends at 3.4e38; JSON has no infinity, but 1e999 is read as one.
  const isNumber = (value: unknown): value is number =>
    typeof value === 'number' && Number.isFinite(Math.fround(value));
  if (numbers.length === outputs && numbers.every(isNumber)) return numbers;
  const wanted = outputs === 1 ? 'a number' : `a list of ${outputs} numbers`;
  throw new BadRecord(
    `has ${shortJson(label)} in "${field}", not ${wanted}, though the model is one for regression.`,
    `Give ${wanted} as the label; a model of classes has "problem_type" "single_label_classification" in config.json.`,
  );
}

/** Labelled words as a line of JSON holds them. Throws BadRecord. */
export function parseLabelledWords(line: string, rules: LabelRules): LabelledWords {
  const record = parseObject(line);
  const [field, second] = present(record, wordFields);
  if (field === undefined || second !== undefined) {
    throw new BadRecord(
      field === undefined
        ? `has no words in "tokens" or "words"; its fields are ${listed(Object.keys(record), 8) || 'none'}.`
        : `has both "${field}" and "${second!}".`,
      wordsRemedy,
    );
  }
  const words = record[field];
  if (!Array.isArray(words) || !words.every(word => typeof word === 'string')) {
    throw new BadRecord(`has no list of words in "${field}".`, wordsRemedy);
  }
  for (const word of words) requireWhole(word, field);
  const labelField = tagFieldOf(record);
  const labels = record[labelField];
  if (!Array.isArray(labels) || labels.length !== words.length) {
    throw new BadRecord(
      Array.isArray(labels)
        ? `has ${words.length} words in "${field}", but ${labels.length} labels in "${labelField}".`
        : `has no list of labels in "${labelField}".`,
      wordsRemedy,
    );
  }
  const targets = labels.map((label: unknown) =>
    label === ignoredLabel ? ignoredLabel : classOf(label, labelField, rules),
  );
  return { text: words.join(' '), field, record, words, labelField, targets };
}

/** Where the labels of words are: in "labels", else in the one field of tags that there is. */
function tagFieldOf(record: TextRecord['record']): string {
  if (present(record, ['labels']).length > 0) return 'labels';
  const [field, ...others] = present(record, tagFields);
  if (field !== undefined && others.length === 0) return field;
  throw new BadRecord(
    field === undefined
      ? `has no labels of its words; its fields are ${listed(Object.keys(record), 8)}.`
      : `has labels of its words in ${[field, ...others].map(name => `"${name}"`).join(', ')}, and none of them is "labels".`,
    field === undefined
      ? wordsRemedy
      : `Say which are meant, for example with: jq -c '{tokens, labels: .${field}}'.`,
  );
}
