import type {
  FromProgress,
  RunElsewhere,
  RunSummary,
  ToProgress,
} from '../../src/protocol/messages';
import { announcer, element, keyedList, pageRoot } from '../shared/dom';
import { connect } from '../shared/host';
import { isLive, statusText } from '../shared/runStatus';
import { setStrings, t } from '../shared/strings';
import { button } from '../shared/ui/components';
import { jobCard } from './job';
import { elsewhereItem, pastItem, queuedItem, type PastActions } from './lists';
import './progress.css';

/** What the page remembers: what it showed last, so that it is not empty while the host wakes up. */
interface State {
  readonly runs: readonly RunSummary[];
}

const host = connect<ToProgress, FromProgress, State>(receive);
let showRuns = build();
const known = new Map<string, RunSummary['status']>();

function receive(message: ToProgress): void {
  switch (message.type) {
    case 'options':
      setStrings(message.options.strings);
      showRuns = build();
      showRuns(host.state.runs ?? [], []);
      return;
    case 'runs':
      host.remember({ runs: message.runs });
      showRuns(message.runs, message.elsewhere);
  }
}

/** Builds the page; what it returns shows a list of runs, and those of other windows. */
function build(): (runs: readonly RunSummary[], elsewhere: readonly RunElsewhere[]) => void {
  const actions: PastActions = {
    cancel: run => host.post({ type: 'control', run, command: 'cancel' }),
    open: run => host.post({ type: 'openRun', run }),
    resume: run => host.post({ type: 'resumeRun', run }),
    reveal: run => host.post({ type: 'revealOutput', run }),
    report: run => host.post({ type: 'openReport', run }),
    log: run => host.post({ type: 'openLog', run }),
  };
  const section = (title: string, list: HTMLElement): HTMLElement =>
    element('section', {}, element('h2', { class: 'section-title', text: title }), list);
  const jobs = element('div', { class: 'jobs' });
  const queue = element('ul');
  const history = element('ul');
  const queueSection = section(t('Waiting'), queue);
  const others = element('ul');
  const othersSection = section(t('In other windows'), others);
  const historySection = section(t('Earlier runs'), history);
  const grow = (): void => host.post({ type: 'grow' });
  const empty = element(
    'div',
    { class: 'empty' },
    element('p', { text: t('Nothing is growing.') }),
    element('p', {
      class: 'quiet',
      text: t('Turn a trained model into a larger one that starts where it left off.'),
    }),
    element(
      'div',
      { class: 'actions' },
      button(t('Grow Model…'), grow, { look: 'primary' }),
      button(t('Compare Growth Methods…'), () => host.post({ type: 'compare' })),
    ),
  );
  const status = announcer();
  pageRoot().replaceChildren(
    element('h1', { class: 'visually-hidden', text: t('Growth runs') }),
    empty,
    jobs,
    queueSection,
    othersSection,
    historySection,
    status.element,
  );
  const keyOf = (run: RunSummary): string => run.id;
  const showJobs = keyedList<RunSummary>(jobs, keyOf, run =>
    jobCard(run, {
      control: (id, command) => host.post({ type: 'control', run: id, command }),
      open: actions.open,
    }),
  );
  const showQueue = keyedList<RunSummary>(queue, keyOf, run => queuedItem(run, actions));
  const showOthers = keyedList<RunElsewhere>(others, run => run.id, elsewhereItem);
  const showHistory = keyedList<RunSummary>(history, keyOf, run => pastItem(run, actions));

  return (runs, elsewhere) => {
    const live = runs.filter(run => isLive(run.status));
    const queued = runs.filter(run => run.status === 'queued');
    const past = runs
      .filter(run => !isLive(run.status) && run.status !== 'queued')
      .sort((a, b) => b.created - a.created);
    showJobs(live);
    showQueue(queued);
    showOthers(elsewhere);
    showHistory(past);
    empty.hidden = live.length + queued.length > 0;
    queueSection.hidden = queued.length === 0;
    othersSection.hidden = elsewhere.length === 0;
    historySection.hidden = past.length === 0;
    for (const run of runs) {
      const before = known.get(run.id);
      known.set(run.id, run.status);
      if (before !== undefined && before !== run.status) {
        status.say(`${run.title}: ${statusText(run.status)}`);
      }
    }
  };
}

showRuns(host.state.runs ?? [], []);
host.post({ type: 'ready' });
