import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import * as vscode from 'vscode';
import { evaluationOf, type Evaluation } from '../../protocol/evaluation';
import type { FromRunPanel, OperatorSnapshot, ToRunPanel } from '../../protocol/messages';
import { fromRunPanel } from '../../protocol/messageSchemas';
import { DisposableStore, throttle, type Disposable } from '../lifetime';
import type { Pages } from './pages';
import { pageInterval, type ProgressAction } from './progressView';
import type { RunChange, Runs } from '../runs/runs';
import type { RunRecord } from '../runs/runRecord';
import type { ServiceClient } from '../serviceClient';
import { snapshotOf } from '../runs/pictures';
import { describePhase } from '../runs/describePhase';
import { tickStep } from '../walkthrough';

/** Numbers of pictures that go into one message, so that packing it never holds the host up. */
const numbersPerMessage = 25_000;

/** What panels need from the rest of the host. */
export interface RunPanelParts {
  readonly pages: Pages;
  readonly runs: () => Promise<Runs>;
  readonly service: ServiceClient;
  readonly act: (action: ProgressAction) => void;
  readonly onError: (error: unknown) => void;
}

/** The panels of runs in the editor area, one a run. They come back after a reload. */
export class RunPanels implements vscode.WebviewPanelSerializer, Disposable {
  static readonly viewType = 'ligo.run';
  private readonly open = new Map<string, RunPanel>();

  constructor(private readonly parts: RunPanelParts) {}

  /** True when the panel of a run can be seen. */
  shows(run: string): boolean {
    return this.open.get(run)?.panel.visible === true;
  }

  show(record: RunRecord): void {
    const existing = this.open.get(record.request.id);
    if (existing) {
      existing.panel.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      RunPanels.viewType,
      record.request.title,
      vscode.ViewColumn.Active,
      { enableFindWidget: true },
    );
    this.attach(panel, record.request.id);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { run } = (state ?? {}) as { run?: unknown };
    const runs = await this.parts.runs();
    if (typeof run === 'string' && runs.get(run)) this.attach(panel, run);
    else panel.dispose();
  }

  refreshOptions(): void {
    for (const panel of this.open.values()) panel.sendOptions();
  }

  /** Lets go of the panels without closing them: the window brings them back when it is reloaded. */
  dispose(): void {
    for (const panel of this.open.values()) panel.dispose();
  }

  private attach(panel: vscode.WebviewPanel, run: string): void {
    this.open.set(run, new RunPanel(panel, run, this.parts));
    void tickStep('watch');
    panel.onDidDispose(() => {
      this.open.get(run)?.dispose();
      this.open.delete(run);
    });
  }
}

/** One panel: sends the whole when its page says it is ready, then increments while it is seen. */
class RunPanel implements Disposable {
  private readonly disposables = new DisposableStore();
  private following: Disposable | undefined;
  private ready = false;
  /** What happens is news to the page. */
  private collecting = false;
  /** Grows with every page that says ready, so that an older one's history is not sent on. */
  private generation = 0;
  private waiting = emptyIncrement();
  private readonly flush = throttle(pageInterval, () => this.sendIncrement());

  constructor(
    readonly panel: vscode.WebviewPanel,
    private readonly run: string,
    private readonly parts: RunPanelParts,
  ) {
    const { pages, runs, onError } = parts;
    panel.iconPath = parts.pages.icon;
    this.disposables.add(this.flush);
    this.disposables.add(
      panel.webview.onDidReceiveMessage((message: unknown) => {
        const parsed = fromRunPanel.safeParse(message);
        if (parsed.success) this.receive(parsed.data).catch(onError);
      }),
    );
    this.disposables.add(
      panel.onDidChangeViewState(() => {
        // A hidden page is gone; what it missed it will ask for.
        if (panel.visible) return;
        this.ready = false;
        this.collecting = false;
        this.waiting = emptyIncrement();
      }),
    );
    runs().then(
      service => this.disposables.add(service.onDidChange(change => this.onChange(change))),
      onError,
    );
    pages.show(panel.webview, 'run', panel.title);
  }

  sendOptions(): void {
    if (this.ready) this.post({ type: 'options', options: this.parts.pages.options });
  }

  dispose(): void {
    this.generation++;
    this.following?.dispose();
    this.disposables.dispose();
  }

  private async receive(message: FromRunPanel): Promise<void> {
    switch (message.type) {
      case 'ready':
        return this.hydrate();
      case 'history':
        return this.sendHistory();
      case 'control':
      case 'openReport':
      case 'revealOutput':
      case 'whatNext':
        this.parts.act({ ...message, run: this.run });
        return;
      case 'exactOperator':
        return this.sendExact(message.name);
      case 'export':
        return exportFile(message);
    }
  }

  /** Sends where the run stands, with the newest picture; the pictures before it wait to be asked for. */
  private async hydrate(): Promise<void> {
    const generation = ++this.generation;
    this.following?.dispose();
    this.ready = false;
    this.collecting = false;
    const runs = await this.parts.runs();
    const record = runs.get(this.run);
    if (!record || generation !== this.generation) return;
    this.post({ type: 'options', options: this.parts.pages.options });
    if (!runs.isLoaded(this.run)) {
      this.post({ type: 'run', run: record.detail(describePhase) });
    }
    await runs.load(this.run);
    if (generation !== this.generation) return;
    this.following = runs.followOperators(this.run);
    const newest = await runs.newestPicture(this.run);
    if (generation !== this.generation) return;
    this.waiting = emptyIncrement();
    this.collecting = true;
    const detail = record.detail(describePhase);
    const history = runs.pictureSteps(this.run);
    this.post({ type: 'run', run: { ...detail, snapshots: newest ? [newest] : [], history } });
    this.ready = true;
    this.flush.run();
  }

  /** Sends the pictures of a run so far, a few at a time. */
  private async sendHistory(): Promise<void> {
    const { generation } = this;
    const runs = await this.parts.runs();
    const record = runs.get(this.run);
    if (!record) return;
    const send = async (
      snapshots: readonly OperatorSnapshot[],
      past: 'some' | 'all',
    ): Promise<void> => {
      const nothing = { steps: [], losses: [], evaluations: [] };
      const summary = record.summary(describePhase);
      this.post({ type: 'append', summary, ...nothing, snapshots, past });
      await breathe();
    };
    let part: OperatorSnapshot[] = [];
    let numbers = 0;
    for await (const snapshot of runs.pictures(this.run)) {
      if (generation !== this.generation) return;
      part.push(snapshot);
      for (const { rows, columns } of snapshot.operators) numbers += rows * columns;
      if (numbers < numbersPerMessage) continue;
      await send(part, 'some');
      part = [];
      numbers = 0;
    }
    if (generation === this.generation) await send(part, 'all');
  }

  private onChange({ run, events }: RunChange): void {
    // What a page that cannot be seen misses, it gets with the whole.
    if (run.request.id !== this.run || !this.collecting) return;
    for (const event of events) {
      if (event.type === 'step') {
        this.waiting.steps.push(event.step);
        this.waiting.losses.push(event.loss);
      } else if (event.type === 'operators') {
        this.waiting.snapshots = [snapshotOf(event)];
      } else if (event.type === 'evaluation') {
        const { model, step } = event;
        this.waiting.evaluations.push({ model, step, ...evaluationOf(event) });
      } else if (event.type === 'comparisonRun' || event.type === 'comparison') {
        // While operators are learned only the summary changes.
        if (event.type === 'comparisonRun' || event.phase === 'training') {
          this.waiting.hasComparison = true;
        }
      } else if (event.type === 'done' || event.type === 'plan' || event.type === 'warning') {
        this.waiting.hasFacts = true;
        // A comparison that is done tells which models it kept.
        if (event.type === 'done') this.waiting.hasComparison = true;
      }
    }
    this.flush.run();
  }

  private sendIncrement(): void {
    if (!this.ready || !this.panel.visible) return;
    const { waiting, generation } = this;
    this.waiting = emptyIncrement();
    this.sendWaiting(waiting, generation).catch(this.parts.onError);
  }

  private async sendWaiting(waiting: Increment, generation: number): Promise<void> {
    const runs = await this.parts.runs();
    const record = runs.get(this.run);
    if (!record) return;
    const { hasFacts, hasComparison, ...increment } = waiting;
    // The log may have a smaller picture than there is.
    const newest = increment.snapshots.length > 0 && (await runs.newestPicture(this.run));
    if (generation !== this.generation) return;
    const summary = record.summary(describePhase);
    const snapshots = newest ? [newest] : increment.snapshots;
    const { plan, warnings, receipt, comparison } = record;
    const facts = hasFacts && { facts: { plan, warnings, receipt } };
    const compared = hasComparison && comparison && { comparison: comparison.detail };
    this.post({ type: 'append', summary, ...increment, snapshots, ...facts, ...compared });
  }

  private async sendExact(name: string): Promise<void> {
    const runs = await this.parts.runs();
    const record = runs.get(this.run);
    const path = record?.status === 'done' && join(record.request.out, 'operators.safetensors');
    if (!path) {
      this.post({ type: 'exactOperator', name, shape: [0, 0], values: undefined });
      return;
    }
    const answer = await this.parts.service
      .call('operator', { path, name })
      .catch((error: unknown) => {
        this.parts.onError(error);
        return undefined;
      });
    this.post({
      type: 'exactOperator',
      name,
      shape: answer?.shape ?? [0, 0],
      values: answer?.values,
    });
  }

  private post(message: ToRunPanel): void {
    void this.panel.webview.postMessage(message);
  }
}

interface Increment {
  steps: number[];
  losses: number[];
  snapshots: OperatorSnapshot[];
  evaluations: (Evaluation & { readonly model: string; readonly step: number })[];
  /** The plan, a warning or the receipt came. */
  hasFacts: boolean;
  /** A run of a comparison started, was evaluated or ended. */
  hasComparison: boolean;
}

const emptyIncrement = (): Increment => ({
  steps: [],
  losses: [],
  snapshots: [],
  evaluations: [],
  hasFacts: false,
  hasComparison: false,
});

/** Saves what a page made where the person says. */
async function exportFile({
  format,
  name,
  content,
}: Extract<FromRunPanel, { type: 'export' }>): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const fileName = name.replace(/[/\\:*?"<>|]/g, '-');
  const target = await vscode.window.showSaveDialog({
    ...(folder && { defaultUri: vscode.Uri.joinPath(folder, fileName) }),
    filters: { [format.toUpperCase()]: [format] },
    title: vscode.l10n.t('Export'),
  });
  if (!target) return;
  const bytes = Buffer.from(content, format === 'png' ? 'base64' : 'utf8');
  await vscode.workspace.fs.writeFile(target, bytes);
}
