import type { Architecture } from '../../architecture';
import { listed } from '../../data/note';
import { CorruptFileError, type Note } from '../../errors';
import { counted } from '../../format';

/**
 * Labels in class order from `id2label`, when the config names them.
 * @throws CorruptFileError where they are not numbered 0, 1, 2, … or more than the model's classes
 */
export function labelsOf({ config, spaceSizes }: Architecture): {
  labels: string[] | undefined;
  notes: Note[];
} {
  const named = config['id2label'];
  if (typeof named !== 'object' || named === null) return { labels: undefined, notes: [] };
  const entries = Object.entries(named as Record<string, unknown>).sort(
    ([a], [b]) => Number(a) - Number(b),
  );
  if (entries.some(([key], index) => Number(key) !== index || key.trim() === '')) {
    throw new CorruptFileError(
      `config.json: "id2label" does not number its ${entries.length} classes from 0 on without a gap (${entries
        .slice(0, 5)
        .map(([key]) => key)
        .join(
          ', ',
        )}${entries.length > 5 ? ', …' : ''}), so it does not say which output is which class.`,
      'Correct "id2label" in config.json.',
    );
  }
  const labels = entries.map(([, label]) => String(label));
  const classes = spaceSizes.get('class') ?? labels.length;
  const notes: Note[] = [];
  if (labels.length < classes) {
    notes.push({
      message: `config.json names ${counted(labels.length, 'class', 'classes')} in "id2label", but the model tells ${classes} apart.`,
      remedy: 'Name all classes in "id2label", so that folders can be matched to them.',
    });
  }
  const numbers = config['label2id'];
  const wrong = labels.filter((label, index) => {
    if (typeof numbers !== 'object' || numbers === null) return false;
    const number = (numbers as Record<string, unknown>)[label];
    return number !== undefined && Number(number) !== index && labels.indexOf(label) === index;
  });
  if (wrong.length > 0) {
    notes.push({
      message: `config.json contradicts itself: "label2id" numbers ${listed(wrong)} otherwise than "id2label", which is followed.`,
      remedy: 'Correct "id2label" and "label2id" in config.json.',
    });
  }
  return { labels, notes };
}
