import * as vscode from 'vscode';
import type { FromProgress, NextStep, ToProgress } from '../../protocol/messages';
import { fromProgress } from '../../protocol/messageSchemas';
import { DisposableStore, throttle, type Disposable } from '../lifetime';
import type { Pages } from './pages';
import type { Runs } from '../runs/runs';
import { describePhase, windowName } from '../runs/describePhase';

/** Milliseconds between increments sent to a page: about ten a second. */
export const pageInterval = 100;

/** What a person may do in the progress view. */
export type ProgressAction =
  | Exclude<FromProgress, { type: 'ready' }>
  /** Of the panel of a run alone. */
  | { readonly type: 'whatNext'; readonly run: string }
  | { readonly type: 'next'; readonly run: string; readonly step: NextStep };

/** The sidebar's view of the running job and the history. The page holds no truth. */
export class ProgressView implements vscode.WebviewViewProvider, Disposable {
  static readonly id = 'ligo.progress';
  private view: vscode.WebviewView | undefined;
  private ready = false;
  private readonly disposables = new DisposableStore();
  private readonly update = throttle(pageInterval, () => this.send());

  constructor(
    private readonly pages: Pages,
    private readonly runs: () => Promise<Runs>,
    private readonly act: (action: ProgressAction) => void,
    private readonly onError: (error: unknown) => void,
  ) {
    this.disposables.add(this.update);
  }

  get visible(): boolean {
    return this.view?.visible === true;
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.ready = false;
    const own = this.disposables.add(new DisposableStore());
    own.add(
      view.webview.onDidReceiveMessage((message: unknown) => {
        const parsed = fromProgress.safeParse(message);
        if (!parsed.success) return;
        if (parsed.data.type !== 'ready') {
          this.act(parsed.data);
          return;
        }
        this.ready = true;
        this.post({ type: 'options', options: this.pages.options });
        this.send();
      }),
    );
    own.add(view.onDidChangeVisibility(() => this.send()));
    own.add(
      view.onDidDispose(() => {
        own.dispose();
        if (this.view === view) this.view = undefined;
      }),
    );
    this.runs().then(
      runs => {
        own.add(runs.onDidChange(() => this.update.run()));
        own.add(runs.onDidChangeElsewhere(() => this.update.run()));
      },
      (error: unknown) => this.onError(error),
    );
    this.pages.show(view.webview, 'progress', vscode.l10n.t('Growth in progress'));
  }

  /** Tells the page of settings that changed. */
  refreshOptions(): void {
    if (this.ready) this.post({ type: 'options', options: this.pages.options });
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private send(): void {
    if (!this.ready || !this.visible) return;
    this.runs().then(
      runs => {
        const summaries = runs.list().map(record => record.summary(describePhase));
        const elsewhere = runs.elsewhere.map(({ id, title, window }) => ({
          id,
          title,
          window: windowName(window),
        }));
        this.post({ type: 'runs', runs: summaries, elsewhere });
      },
      (error: unknown) => this.onError(error),
    );
  }

  private post(message: ToProgress): void {
    void this.view?.webview.postMessage(message);
  }
}
