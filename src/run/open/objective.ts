import type { Architecture } from '../../architecture';

/** What a model is trained to do, in words, with its loss where that is not the usual. */
export function describeObjective({ objective, problem, spaceSizes }: Architecture): string {
  const name = objective.replaceAll('-', ' ');
  const outputs = spaceSizes.get('class') ?? 0;
  if (objective === 'token-classification') {
    return `${name} (one of ${outputs} classes a word, by cross-entropy)`;
  }
  switch (problem) {
    case 'single_label_classification':
      return `${name} (one of ${outputs} classes a text, by cross-entropy)`;
    case 'multi_label_classification':
      return `${name} (any of ${outputs} classes a text, by binary cross-entropy)`;
    case 'regression':
      return `${name} (regression: ${outputs === 1 ? 'a number' : `${outputs} numbers`} a text, by mean squared error)`;
    default:
      return name;
  }
}
