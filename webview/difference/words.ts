import type { TensorChange } from '../../src/protocol/differences';
import { t } from '../shared/strings';

/** What became of a tensor, in a word or two. */
export function changeWord(change: TensorChange): string {
  switch (change) {
    case 'removed':
      return t('removed');
    case 'added':
      return t('added');
    case 'reshaped':
      return t('reshaped');
    case 'retyped':
      return t('type changed');
    case 'unreadable':
      return t('not readable');
    case 'moved':
      return t('moved');
    case 'identical':
      return t('identical');
  }
}
