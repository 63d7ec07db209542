import type { Architecture } from '../../architecture';
import type { UsualBatch } from '../../protocol/service';

/** Sequences or images; they fit a small machine. */
const sizes = { text: 16, images: 64 };
/** Tokens. */
const longestUsualSequence = 128;

/** How data of an architecture is cut into batches unless a person says otherwise. */
export function usualBatch({ objective, accepts }: Architecture): UsualBatch {
  if (objective === 'image-classification') return { size: sizes.images };
  const longest = accepts.kind === 'tokens' ? accepts.longestSequence : 1;
  return {
    size: sizes.text,
    sequence: { length: Math.min(longestUsualSequence, longest), longest },
  };
}
