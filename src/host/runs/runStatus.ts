import * as vscode from 'vscode';
import type { WorkerRequest } from '../../protocol/runFolder';
import { DisposableStore, throttle, type Disposable } from '../lifetime';
import type { RunChange, Runs } from './runs';
import type { RunRecord } from './runRecord';
import { describePhase } from './describePhase';
import { formatSeconds } from '../text';

/** Milliseconds between changes of the status bar: people read it, they do not watch it. */
const interval = 500;

/** What the status needs to know of what a person sees. */
export interface RunStatusParts {
  readonly runs: Runs;
  /** Something of ours shows this run already. */
  readonly isSeen: (run: RunRecord) => boolean;
  readonly onError: (error: unknown) => void;
}

/** One item in the status bar while a run lives, and one notification when it ends unseen. */
export class RunStatusItem implements Disposable {
  private item: vscode.StatusBarItem | undefined;
  private readonly disposables = new DisposableStore();
  private readonly update = throttle(interval, () => this.draw());

  constructor(private readonly parts: RunStatusParts) {
    this.disposables.add(this.update);
    this.disposables.add(parts.runs.onDidChange(change => this.onChange(change)));
    this.draw();
  }

  dispose(): void {
    this.disposables.dispose();
    this.item?.dispose();
  }

  private onChange({ run, endedNow }: RunChange): void {
    this.update.run();
    if (!endedNow || run.status === 'cancelled' || this.parts.isSeen(run)) return;
    notify(run).catch(this.parts.onError);
  }

  private draw(): void {
    const records = this.parts.runs.list();
    const live = records.filter(record => record.live);
    const [run] = live;
    void vscode.commands.executeCommand('setContext', 'ligo.runActive', run !== undefined);
    void vscode.commands.executeCommand('setContext', 'ligo.hasRuns', records.length > 0);
    if (!run) {
      this.item?.dispose();
      this.item = undefined;
      return;
    }
    const { step, steps, phase, secondsLeft, title } = run.summary(describePhase);
    this.item ??= vscode.window.createStatusBarItem('ligo.run', vscode.StatusBarAlignment.Left);
    const icon = run.command === 'pause' ? 'debug-pause' : 'sync~spin';
    const share = steps > 0 && step > 0 ? ` ${Math.floor((100 * step) / steps)} %` : '';
    this.item.name = vscode.l10n.t('LiGO run');
    this.item.text = `$(${icon}) LiGO${share}`;
    const left =
      secondsLeft === undefined
        ? ''
        : ` · ${vscode.l10n.t('{0} left', formatSeconds(secondsLeft))}`;
    this.item.tooltip = `${title}\n${phase}${left}`;
    this.item.command = {
      command: 'ligo.openRun',
      title: vscode.l10n.t('Open Run'),
      arguments: [run.request.id],
    };
    this.item.show();
  }
}

/** That a run is done, in a sentence. */
function doneText({ kind, title }: WorkerRequest): string {
  switch (kind) {
    case 'grow':
      return vscode.l10n.t('{0} has grown.', title);
    case 'compare':
      return vscode.l10n.t('{0}: the comparison is done.', title);
    case 'train':
      return vscode.l10n.t('{0}: the training is done.', title);
  }
}

async function notify(run: RunRecord): Promise<void> {
  const { title, id } = run.request;
  const openRun = vscode.l10n.t('Open Run');
  if (run.status === 'done') {
    const compared = run.request.kind === 'compare';
    const next = vscode.l10n.t('What Next…');
    const show = compared ? vscode.l10n.t('Open Report') : vscode.l10n.t('Show Checkpoint');
    const answer = await vscode.window.showInformationMessage(
      doneText(run.request),
      openRun,
      show,
      ...(compared && run.state.comparison?.models.length === 0 ? [] : [next]),
    );
    if (answer === next) await vscode.commands.executeCommand('ligo.whatNext', id);
    if (answer === openRun) await vscode.commands.executeCommand('ligo.openRun', id);
    if (answer === show) {
      const command = compared ? 'ligo.openReport' : 'ligo.revealOutput';
      await vscode.commands.executeCommand(command, id);
    }
    return;
  }
  const showLog = vscode.l10n.t('Show Log');
  const { message = '', remedy = '' } = run.failure ?? {};
  const answer = await vscode.window.showErrorMessage(
    vscode.l10n.t('{0} failed: {1} {2}', title, message, remedy),
    openRun,
    showLog,
  );
  if (answer === openRun) await vscode.commands.executeCommand('ligo.openRun', id);
  if (answer === showLog) await vscode.commands.executeCommand('ligo.showLog', id);
}
