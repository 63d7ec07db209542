import type { FromRunPanel } from '../../src/protocol/messages';
import { element, setText, type View } from '../shared/dom';
import type { ComparisonChoices } from './comparisonView';
import type { ChartChoices } from './lossChart';
import type { OperatorChoices } from './operators';
import type { PageRun } from './runState';

/** What the page remembers over hiding and reloading; `run` is for the host's panel serializer. */
export interface PageState {
  readonly run: string;
  readonly chart: ChartChoices;
  readonly comparison: ComparisonChoices;
  readonly operators: OperatorChoices;
  readonly scroll: number;
}

/** What the contents of the panel need from the page they are on. */
export interface PageParts {
  readonly post: (message: FromRunPanel) => void;
  readonly state: Partial<PageState>;
  readonly remember: (change: Partial<PageState>) => void;
}

/** What the panel shows: of a growth or of a comparison. */
export interface RunContents {
  readonly elements: readonly HTMLElement[];
  update(run: PageRun): void;
  /** Takes an operator at full resolution, or that there is none. */
  setExact(name: string, shape: readonly [number, number], values: Float32Array | undefined): void;
}

/** Warnings, one a line. */
export function createWarnings(): View<readonly string[]> {
  const list = element('div', { class: 'stack', attributes: { role: 'status' } });
  return {
    element: list,
    update: texts => {
      list.hidden = texts.length === 0;
      while (list.childElementCount > texts.length) list.lastElementChild?.remove();
      texts.forEach((text, index) => {
        const present = list.children[index];
        if (present !== undefined) setText(present, text);
        else list.append(element('div', { class: 'notice', text }));
      });
    },
  };
}
