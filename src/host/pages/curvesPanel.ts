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
  readonly onError: (error: unknown) => void;
}

/** Panels with the curves of several runs in one chart. */
export class CurvesPanels implements Disposable {
  private readonly open = new Set<CurvesPanel>();

  constructor(private readonly parts: CurvesParts) {}

  /** Shows the curves of some runs, by their ids. */
  async show(ids: readonly string[]): Promise<void> {
    const runs = await this.parts.runs();
    await Promise.all(ids.map(id => runs.load(id)));
    const panel: CurvesPanel = new CurvesPanel(ids, runs, this.parts, () =>
      this.open.delete(panel),
    );
    this.open.add(panel);
  }

  refreshOptions(): void {
    for (const panel of this.open) panel.sendOptions();
  }

  dispose(): void {
    for (const panel of this.open) panel.dispose();
  }
}

class CurvesPanel implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly panel: vscode.WebviewPanel;
  private ready = false;
  private readonly update = throttle(interval, () => this.send());

  constructor(
    private readonly ids: readonly string[],
    private readonly runs: Runs,
    private readonly parts: CurvesParts,
    onClosed: () => void,
  ) {
    const { pages } = parts;
    const title = vscode.l10n.t('Curves of Runs');
    this.panel = vscode.window.createWebviewPanel('ligo.curves', title, vscode.ViewColumn.Active, {
      enableFindWidget: true,
    });
    this.panel.iconPath = pages.icon;
    this.disposables.add(this.update);
    this.disposables.add(
      this.panel.webview.onDidReceiveMessage((message: unknown) => {
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
    this.panel.onDidChangeViewState(() => {
      // A hidden page is gone; it says when it is there again.
      if (!this.panel.visible) this.ready = false;
    });
    this.panel.onDidDispose(() => {
      this.disposables.dispose();
      onClosed();
    });
    pages.show(this.panel.webview, 'curves', title);
  }

  sendOptions(): void {
    if (this.ready) this.post({ type: 'options', options: this.parts.pages.options });
  }

  dispose(): void {
    this.panel.dispose();
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
