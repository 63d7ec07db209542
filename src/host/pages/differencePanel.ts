import * as vscode from 'vscode';
import type { ComparedNames, ToDifference } from '../../protocol/differences';
import { fromDifference } from '../../protocol/messageSchemas';
import { labelOf } from '../checkpoints/checkpointTree';
import { DisposableStore, type Disposable } from '../lifetime';
import type { ServiceClient } from '../serviceClient';
import { explain } from '../text';
import type { Pages } from './pages';

/** Paths of two checkpoints, in the order in which they are compared. */
export interface ComparedPaths {
  readonly before: string;
  readonly after: string;
}

/** What the panels need from the rest of the host. */
export interface DifferenceParts {
  readonly pages: Pages;
  readonly service: ServiceClient;
}

/** Panels of what differs between two checkpoints, one a pair. They come back after a reload. */
export class DifferencePanels implements vscode.WebviewPanelSerializer, Disposable {
  static readonly viewType = 'ligo.difference';
  private readonly open = new Map<string, DifferencePanel>();

  constructor(private readonly parts: DifferenceParts) {}

  show(paths: ComparedPaths): void {
    const existing = this.open.get(keyOf(paths));
    if (existing) {
      existing.panel.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      DifferencePanels.viewType,
      titleOf(namesOf(paths)),
      vscode.ViewColumn.Active,
      { enableFindWidget: true },
    );
    this.attach(panel, paths);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { before, after } = (state ?? {}) as { before?: unknown; after?: unknown };
    if (typeof before === 'string' && typeof after === 'string') {
      this.attach(panel, { before, after });
    } else panel.dispose();
  }

  refreshOptions(): void {
    for (const panel of this.open.values()) panel.sendOptions();
  }

  dispose(): void {
    for (const panel of this.open.values()) panel.dispose();
  }

  private attach(panel: vscode.WebviewPanel, paths: ComparedPaths): void {
    const key = keyOf(paths);
    const swap = (): void => {
      panel.dispose();
      this.show({ before: paths.after, after: paths.before });
    };
    this.open.set(key, new DifferencePanel(panel, paths, this.parts, swap));
    panel.onDidDispose(() => {
      this.open.get(key)?.dispose();
      this.open.delete(key);
    });
  }
}

const keyOf = ({ before, after }: ComparedPaths): string => JSON.stringify([before, after]);

/** Two of one name are told apart by where they lie. */
function namesOf({ before, after }: ComparedPaths): ComparedNames {
  const isOne = labelOf(before) === labelOf(after);
  const nameOf = (path: string): string =>
    isOne ? vscode.workspace.asRelativePath(path) : labelOf(path);
  return {
    before: { name: nameOf(before), path: before },
    after: { name: nameOf(after), path: after },
  };
}

const titleOf = ({ before, after }: ComparedNames): string => `${before.name} → ${after.name}`;

/** One panel: compares in the helper process, and keeps what came out for a page that was hidden. */
class DifferencePanel implements Disposable {
  private readonly disposables = new DisposableStore();
  private readonly names: ComparedNames;
  /** What a page that says ready is told; absent until the first does. */
  private state: ToDifference | undefined;
  private comparing = new AbortController();
  private drawing = new AbortController();

  constructor(
    readonly panel: vscode.WebviewPanel,
    private readonly paths: ComparedPaths,
    private readonly parts: DifferenceParts,
    private readonly swap: () => void,
  ) {
    this.names = namesOf(paths);
    panel.iconPath = parts.pages.icon;
    panel.title = titleOf(this.names);
    this.disposables.add(
      panel.webview.onDidReceiveMessage((message: unknown) => this.receive(message)),
    );
    parts.pages.show(panel.webview, 'difference', panel.title);
  }

  sendOptions(): void {
    this.post({ type: 'options', options: this.parts.pages.options });
  }

  /** Nobody waits any more for what is being computed. */
  dispose(): void {
    this.comparing.abort();
    this.drawing.abort();
    this.disposables.dispose();
  }

  private receive(message: unknown): void {
    const parsed = fromDifference.safeParse(message);
    if (!parsed.success) return;
    switch (parsed.data.type) {
      case 'ready':
        this.sendOptions();
        if (this.state) this.post(this.state);
        else void this.compare();
        return;
      case 'compare':
        void this.compare();
        return;
      case 'cancel':
        this.comparing.abort();
        return;
      case 'swap':
        this.swap();
        return;
      case 'picture':
        void this.draw(parsed.data);
    }
  }

  private async compare(): Promise<void> {
    const { names, paths } = this;
    this.comparing.abort();
    const { signal } = (this.comparing = new AbortController());
    const tell = (state: ToDifference): void => {
      // A comparison that was begun anew tells for itself.
      if (this.comparing.signal === signal) this.post((this.state = state));
    };
    tell({ type: 'comparing', names, progress: '' });
    try {
      const difference = await this.parts.service.call('difference', paths, {
        signal,
        onProgress: progress => {
          if (!signal.aborted) tell({ type: 'comparing', names, progress });
        },
      });
      tell({ type: 'difference', names, difference });
    } catch (error) {
      tell(
        signal.aborted
          ? { type: 'cancelled', names }
          : { type: 'failed', picture: false, ...explain(error) },
      );
    }
  }

  private async draw(names: ComparedPaths): Promise<void> {
    this.drawing.abort();
    const { signal } = (this.drawing = new AbortController());
    const question = { paths: this.paths, names: { before: names.before, after: names.after } };
    try {
      const { picture } = await this.parts.service.call('differencePicture', question, { signal });
      if (!signal.aborted) this.post({ type: 'picture', name: names.before, picture });
    } catch (error) {
      if (!signal.aborted) this.post({ type: 'failed', picture: true, ...explain(error) });
    }
  }

  private post(message: ToDifference): void {
    void this.panel.webview.postMessage(message);
  }
}
