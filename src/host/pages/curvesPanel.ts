import * as vscode from 'vscode';
import type { RunCurves, ToCurves } from '../../protocol/messages';
import { fromCurves } from '../../protocol/messageSchemas';
import { curvesOf } from '../../protocol/runViews';
import { DisposableStore, throttle, type Disposable } from '../lifetime';
import type { Pages } from './pages';
import { describePhase } from '../runs/describePhase';
import type { Runs } from '../runs/runs';

/** Milliseconds between two looks at runs that go on: curves of whole runs are drawn anew. */
const interval = 1000;

/** What panels of curves need from the rest of the host. */
export interface CurvesParts {
  readonly pages: Pages;
  readonly runs: () => Promise<Runs>;
}

/** Panels with the curves of several runs in one chart. They come back after a reload. */
export class CurvesPanels implements vscode.WebviewPanelSerializer, Disposable {
  static readonly viewType = 'ligo.curves';
  private readonly open = new Set<CurvesPanel>();

  constructor(private readonly parts: CurvesParts) {}

  /** Shows the curves of some runs, by their ids. */
  async show(ids: readonly string[]): Promise<void> {
    const runs = await this.parts.runs();
    await Promise.all(ids.map(id => runs.load(id)));
    const panel = vscode.window.createWebviewPanel(
      CurvesPanels.viewType,
      vscode.l10n.t('Curves of Runs'),
      vscode.ViewColumn.Active,
      { enableFindWidget: true },
    );
    this.attach(panel, ids, runs);
  }

  /** Brings a panel back with those of its runs that are still there; closes it where none is. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { runs: remembered } = (state ?? {}) as { runs?: unknown };
    const runs = await this.parts.runs();
    const ids = Array.isArray(remembered)
      ? remembered.filter((id): id is string => typeof id === 'string' && !!runs.get(id))
      : [];
    if (ids.length === 0) {
      panel.dispose();
      return;
    }
    await Promise.all(ids.map(id => runs.load(id)));
    this.attach(panel, ids, runs);
  }

  refreshOptions(): void {
    for (const panel of this.open) panel.sendOptions();
  }

  /** Lets go of the panels without closing them: the window brings them back when it is reloaded. */
  dispose(): void {
    for (const panel of this.open) panel.dispose();
  }

  private attach(panel: vscode.WebviewPanel, ids: readonly string[], runs: Runs): void {
    const curves = new CurvesPanel(panel, ids, runs, this.parts.pages);
    this.open.add(curves);
    panel.onDidDispose(() => {
      curves.dispose();
      this.open.delete(curves);
    });
  }
}

class CurvesPanel implements Disposable {
  private readonly disposables = new DisposableStore();
  private ready = false;
  private readonly update = throttle(interval, () => this.send());

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly ids: readonly string[],
    private readonly runs: Runs,
    private readonly pages: Pages,
  ) {
    panel.iconPath = pages.icon;
    this.disposables.add(this.update);
    this.disposables.add(
      panel.webview.onDidReceiveMessage((message: unknown) => {
        if (!fromCurves.safeParse(message).success) return;
        this.ready = true;
        this.sendOptions();
        this.send();
      }),
    );
    this.disposables.add(
      runs.onDidChange(({ run }) => {
        if (this.ids.includes(run.request.id)) this.update.run();
      }),
    );
    this.disposables.add(
      panel.onDidChangeViewState(() => {
        // A hidden page is gone; it says when it is there again.
        if (!panel.visible) this.ready = false;
      }),
    );
    pages.show(panel.webview, 'curves', panel.title);
  }

  sendOptions(): void {
    if (this.ready) this.post({ type: 'options', options: this.pages.options });
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private send(): void {
    if (!this.ready) return;
    const runs = this.ids.flatMap((id): readonly RunCurves[] => {
      const record = this.runs.get(id);
      if (!record) return [];
      const { title, status, created } = record.summary(describePhase);
      return [{ id, title, status, created, ...curvesOf(record.state) }];
    });
    this.post({ type: 'curves', runs });
  }

  private post(message: ToCurves): void {
    void this.panel.webview.postMessage(message);
  }
}
