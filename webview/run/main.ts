import type { FromRunPanel, PageOptions, ToRunPanel } from '../../src/protocol/messages';
import { fileName } from '../heatmap/exports';
import { element, pageRoot, setText } from '../shared/dom';
import { connect } from '../shared/host';
import { setStrings, t } from '../shared/strings';
import { button } from '../shared/ui/components';
import { curveCsv, curveSvg } from './chartExport';
import { levelName, levelsOf } from './chartFrame';
import { createHeader } from './header';
import { createLossChart, type ChartChoices } from './lossChart';
import { createOperatorsView, type OperatorChoices } from './operators';
import { createPlanView } from './planView';
import { createReceiptView } from './receiptView';
import { appendTo, pageRun, type PageRun } from './runState';
import './run.css';

/** What the page remembers over hiding and reloading; `run` is for the host's panel serializer. */
interface State {
  readonly run: string;
  readonly chart: ChartChoices;
  readonly operators: OperatorChoices;
  readonly scroll: number;
}

const host = connect<ToRunPanel, FromRunPanel, State>(receive);
let colorMap: PageOptions['colorMap'] = 'RdBu';
let run: PageRun | undefined;
let page: Page | undefined;

interface Page {
  update(run: PageRun): void;
  readonly operators: ReturnType<typeof createOperatorsView>;
}

function receive(message: ToRunPanel): void {
  switch (message.type) {
    case 'options':
      setStrings(message.options.strings);
      colorMap = message.options.colorMap;
      page = build();
      if (run !== undefined) page.update(run);
      return;
    case 'run':
      show(pageRun(message.run));
      return;
    case 'append':
      if (run !== undefined && run.summary.id === message.summary.id) show(appendTo(run, message));
      return;
    case 'exactOperator':
      page?.operators.setExact(message.name, message.shape, message.values);
  }
}

function show(next: PageRun): void {
  const first = run === undefined;
  run = next;
  page ??= build();
  page.update(next);
  if (host.state.run !== next.summary.id) host.remember({ run: next.summary.id });
  if (first) requestAnimationFrame(() => scrollTo(0, host.state.scroll ?? 0));
}

function build(): Page {
  const header = createHeader(command => host.post({ type: 'control', command }));
  const chart = createLossChart(host.state.chart ?? { logarithmic: false, smoothing: 0 }, choices =>
    host.remember({ chart: choices }),
  );
  const operators = createOperatorsView(
    host.state.operators ?? { colorMap, limitKind: 'maximum', shown: 'values' },
    choices => host.remember({ operators: choices }),
    host.post,
  );
  const receipt = createReceiptView();
  const plan = createPlanView();
  const warnings = element('div', { class: 'stack', attributes: { role: 'status' } });
  const save = (format: 'png' | 'svg' | 'csv'): HTMLElement =>
    button(format.toUpperCase(), () => exportCurve(format, chart.picture()), {
      label: t('Save the loss curve as {0}', format.toUpperCase()),
    });
  chart.element.append(
    element('div', { class: 'actions chart-exports' }, save('png'), save('svg'), save('csv')),
  );
  pageRoot().replaceChildren(
    header.element,
    warnings,
    chart.element,
    operators.element,
    receipt.element,
    plan.element,
  );
  return {
    operators,
    update: next => {
      header.update(next.summary);
      chart.update(next);
      operators.update(next);
      receipt.update(next.receipt);
      plan.update(next.plan);
      const texts = [...new Set([...next.warnings, ...(next.receipt?.warnings ?? [])])];
      warnings.hidden = texts.length === 0;
      while (warnings.childElementCount > texts.length) warnings.lastElementChild?.remove();
      texts.forEach((text, index) => {
        const present = warnings.children[index];
        if (present !== undefined) setText(present, text);
        else warnings.append(element('div', { class: 'notice', text }));
      });
    },
  };
}

function exportCurve(format: 'png' | 'svg' | 'csv', picture: HTMLCanvasElement | undefined): void {
  if (run === undefined) return;
  const name = `${fileName(`${run.summary.title} ${t('Loss')}`)}.${format}`;
  const { steps, losses } = run.curve;
  const levels = levelsOf(run.evaluations).map(({ model, loss }) => ({
    name: levelName(model),
    loss,
  }));
  if (format === 'png') {
    const content = picture?.toDataURL().split(',')[1];
    if (content !== undefined) host.post({ type: 'export', format, name, content });
    return;
  }
  const content =
    format === 'csv'
      ? curveCsv(steps, losses, levels)
      : curveSvg(run.summary.title, steps, losses, levels);
  host.post({ type: 'export', format, name, content });
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
