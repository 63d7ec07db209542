import { join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../errors';
import { readTextFile } from '../../files';
import { comparisonFiles } from '../../protocol/comparison';
import type { Disposable } from '../lifetime';
import { reportHtml } from './reportHtml';
import type { RunRecord } from '../runs/runRecord';

/** Bytes of a page at most: those of large comparisons have a few million. */
const largestPage = 64 * 1024 * 1024;

/** The reports of comparisons in the editor area, one a run; they need neither browser nor network. */
export class ReportPanels implements Disposable {
  private readonly open = new Map<string, ReportPanel>();

  /** Shows the report of a comparison that is done. @throws UserError when it is not there */
  async show({ request }: RunRecord): Promise<void> {
    const path = join(request.out, comparisonFiles.page);
    const page = await readTextFile(path, largestPage).catch((error: unknown) => {
      throw new UserError(
        vscode.l10n.t('{0} cannot be read.', path),
        vscode.l10n.t('Run the comparison again.'),
        { cause: error },
      );
    });
    let report = this.open.get(request.id);
    if (!report) {
      report = new ReportPanel(request.title, () => this.open.delete(request.id));
      this.open.set(request.id, report);
    }
    report.show(page);
  }

  dispose(): void {
    for (const report of this.open.values()) report.dispose();
  }
}

/** One report, as light or dark as the editor. */
class ReportPanel implements Disposable {
  private readonly panel: vscode.WebviewPanel;
  private page = '';

  constructor(title: string, onClosed: () => void) {
    this.panel = vscode.window.createWebviewPanel(
      'ligo.report',
      vscode.l10n.t('Report: {0}', title),
      vscode.ViewColumn.Active,
      { enableScripts: false, enableFindWidget: true, localResourceRoots: [] },
    );
    const themes = vscode.window.onDidChangeActiveColorTheme(() => this.draw());
    this.panel.onDidDispose(() => {
      themes.dispose();
      onClosed();
    });
  }

  show(page: string): void {
    this.page = page;
    this.draw();
    this.panel.reveal();
  }

  dispose(): void {
    this.panel.dispose();
  }

  private draw(): void {
    const { kind } = vscode.window.activeColorTheme;
    this.panel.webview.html = reportHtml(this.page, isDark(kind));
  }
}

const isDark = (kind: vscode.ColorThemeKind): boolean =>
  kind === vscode.ColorThemeKind.Dark || kind === vscode.ColorThemeKind.HighContrast;
