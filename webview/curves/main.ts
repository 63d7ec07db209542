import type { ToCurves, FromCurves } from '../../src/protocol/messages';
import { element, pageRoot } from '../shared/dom';
import { connect } from '../shared/host';
import { setStrings, t } from '../shared/strings';
import { createCurvesView, type CurvesChoices } from './curvesView';
import './curves.css';

const host = connect<ToCurves, FromCurves, CurvesChoices & { readonly runs: readonly string[] }>(
  receive,
);
let view: ReturnType<typeof createCurvesView> | undefined;

function receive(message: ToCurves): void {
  if (message.type === 'options') {
    setStrings(message.options.strings);
    return;
  }
  if (!view) {
    view = createCurvesView(host.state, choices => host.remember(choices));
    pageRoot().replaceChildren(view.element);
  }
  view.update(message.runs);
  // A window that is reloaded brings the page back by these.
  const ids = message.runs.map(({ id }) => id);
  if (ids.join() !== host.state.runs?.join()) host.remember({ runs: ids });
}

pageRoot().replaceChildren(
  element('p', { class: 'quiet', text: t('Reading…'), attributes: { role: 'status' } }),
);
host.post({ type: 'ready' });
