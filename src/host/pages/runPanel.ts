import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { FromRunPanel, OperatorSnapshot, ToRunPanel } from '../../protocol/messages';
import { fromRunPanel } from '../../protocol/messageSchemas';
import type { RunState } from '../../protocol/runState';
import { incrementBetween } from '../../protocol/runViews';
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
  /** What the page was told of; absent until it has the whole, and while it is hidden. */
  private shown: RunState | undefined;
  /** The newest picture of the operators that the page was not told of. */
  private picture: OperatorSnapshot | undefined;
  /** Grows with every page that says ready, so that an older one's history is not sent on. */
  private generation = 0;
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
        if (!panel.visible) this.shown = undefined;
      }),
    );
    runs().then(
      service => this.disposables.add(service.onDidChange(change => this.onChange(change))),
      onError,
    );
    pages.show(panel.webview, 'run', panel.title);
  }

  sendOptions(): void {
    if (this.shown) this.post({ type: 'options', options: this.parts.pages.options });
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
      case 'next':
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
    this.shown = undefined;
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
    this.shown = record.state;
    this.picture = undefined;
    const detail = record.detail(describePhase);
    const history = runs.pictureSteps(this.run);
    this.post({ type: 'run', run: { ...detail, snapshots: newest ? [newest] : [], history } });
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
    if (run.request.id !== this.run) return;
    for (const event of events) if (event.type === 'operators') this.picture = snapshotOf(event);
    this.flush.run();
  }

  private sendIncrement(): void {
    if (this.panel.visible) this.sendNews().catch(this.parts.onError);
  }

  private async sendNews(): Promise<void> {
    const runs = await this.parts.runs();
    const record = runs.get(this.run);
    // What a page that cannot be seen misses, it gets with the whole.
    if (!record || !this.shown) return;
    const { generation, picture } = this;
    this.picture = undefined;
    // The log may have a smaller picture than there is.
    const newest = picture && ((await runs.newestPicture(this.run)) ?? picture);
    const { shown } = this;
    if (!shown || generation !== this.generation) return;
    this.shown = record.state;
    this.post({
      type: 'append',
      summary: record.summary(describePhase),
      ...incrementBetween(shown, record.state),
      snapshots: newest ? [newest] : [],
    });
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
