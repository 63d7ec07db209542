import type { FromRunPanel, PageOptions, ToRunPanel } from '../../src/protocol/messages';
import { element, pageRoot } from '../shared/dom';
import { connect } from '../shared/host';
import { setStrings, t } from '../shared/strings';
import { createComparisonPage } from './comparisonPage';
import { createGrowthPage } from './growthPage';
import type { PageState, RunContents } from './page';
import { createTrainingPage } from './trainingPage';
import { appendTo, pageRun, type PageRun } from './runState';
import './run.css';

const host = connect<ToRunPanel, FromRunPanel, PageState>(receive);
let colorMap: PageOptions['colorMap'] = 'RdBu';
let run: PageRun | undefined;
let contents: RunContents | undefined;

function receive(message: ToRunPanel): void {
  switch (message.type) {
    case 'options':
      setStrings(message.options.strings);
      colorMap = message.options.colorMap;
      if (run === undefined) return;
      contents = build(run);
      contents.update(run);
      return;
    case 'run':
      show(pageRun(message.run));
      return;
    case 'append':
      if (run !== undefined && run.summary.id === message.summary.id) show(appendTo(run, message));
      return;
    case 'exactOperator':
      contents?.setExact(message.name, message.shape, message.values);
  }
}

function show(next: PageRun): void {
  const first = run === undefined;
  run = next;
  contents ??= build(next);
  contents.update(next);
  if (host.state.run !== next.summary.id) host.remember({ run: next.summary.id });
  if (first) requestAnimationFrame(() => scrollTo(0, host.state.scroll ?? 0));
}

/** Puts the contents for a run on the page. */
function build({ summary }: PageRun): RunContents {
  const pages = {
    grow: () => createGrowthPage(host, colorMap),
    compare: () => createComparisonPage(host),
    train: () => createTrainingPage(host),
  };
  const made = pages[summary.kind]();
  pageRoot().replaceChildren(...made.elements);
  return made;
}

let scrolling: ReturnType<typeof setTimeout> | undefined;
addEventListener('scroll', () => {
  clearTimeout(scrolling);
  scrolling = setTimeout(() => host.remember({ scroll: scrollY }), 200);
});

pageRoot().replaceChildren(
  element('p', { class: 'quiet', text: t('Reading…'), attributes: { role: 'status' } }),
);
host.post({ type: 'ready' });
