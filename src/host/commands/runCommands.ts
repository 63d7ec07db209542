import { join } from 'node:path';
import * as vscode from 'vscode';
import { comparisonFiles } from '../../protocol/comparison';
import { runFiles, type RunCommand } from '../../protocol/runFolder';
import { openInspector } from '../pages/inspector';
import type { CurvesPanels } from '../pages/curvesPanel';
import type { ReportPanels } from '../pages/reportPanel';
import { exists } from '../runs/runFolder';
import type { RunPanels } from '../pages/runPanel';
import type { RunRecord } from '../runs/runRecord';
import type { Runs } from '../runs/runs';
import { describePhase } from '../runs/describePhase';
import { mayGrow } from '../trust';
import { weightsIn } from '../checkpoints/weightsFile';

/** What stands for each kind of run. */
const icons = { grow: 'arrow-up', compare: 'graph-line', train: 'mortar-board' } as const;

/** What a person may do with runs, by command. Each takes a run's id, or asks which. */
export class RunCommands {
  constructor(
    private readonly runs: () => Promise<Runs>,
    private readonly panels: RunPanels,
    private readonly reports: ReportPanels,
    private readonly curves: CurvesPanels,
  ) {}

  async open(id?: unknown): Promise<void> {
    const record = await this.choose(id, () => true);
    if (record) this.panels.show(record);
  }

  async control(command: RunCommand, id?: unknown): Promise<void> {
    const record = await this.choose(id, ({ live, status }) => live || status === 'queued');
    if (record) await (await this.runs()).control(record.request.id, command);
  }

  /** Goes on with a run that is paused, or takes up one that was stopped. */
  async resume(id?: unknown): Promise<void> {
    const paused = (record: RunRecord): boolean => record.live && record.command === 'pause';
    const record = await this.choose(
      id,
      each => paused(each) || each.status === 'cancelled' || each.status === 'failed',
    );
    if (!record) return;
    const runs = await this.runs();
    if (record.live) await runs.control(record.request.id, 'run');
    else if (await mayGrow()) await runs.resume(record.request.id);
  }

  async showLog(id?: unknown): Promise<void> {
    const record = await this.choose(id, () => true);
    if (!record) return;
    const path = join(record.folder, runFiles.log);
    if (!(await exists(path))) {
      void vscode.window.showInformationMessage(vscode.l10n.t('This run has printed nothing yet.'));
      return;
    }
    const document = await vscode.workspace.openTextDocument(vscode.Uri.file(path));
    await vscode.window.showTextDocument(document, { preview: true });
  }

  /** Shows what a comparison found. */
  async openReport(id?: unknown): Promise<void> {
    const fits = ({ status, request }: RunRecord): boolean =>
      status === 'done' && request.kind === 'compare';
    const record = await this.choose(id, fits);
    if (record) await this.reports.show(record);
  }

  /** Draws the curves of several runs in one chart; asks which. */
  async compareCurves(): Promise<void> {
    const runs = (await this.runs()).list().filter(({ request }) => request.kind !== 'compare');
    if (runs.length < 2) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t('Curves are compared of two runs or more: grow or train again first.'),
      );
      return;
    }
    const picked = await vscode.window.showQuickPick(
      runs.map((run, index) => ({ ...lineOf(run), picked: index < 2 })),
      {
        placeHolder: vscode.l10n.t('Which runs? Type a part of a title, folder, data or date.'),
        canPickMany: true,
        matchOnDescription: true,
        matchOnDetail: true,
      },
    );
    if (!picked || picked.length === 0) return;
    await this.curves.show(picked.map(({ record }) => record.request.id));
  }

  /** The folder of the model that a run made or kept; asks which run where no id is given. */
  async outputOf(id?: unknown): Promise<string | undefined> {
    const record = await this.choose(id, run => modelOf(run) !== undefined);
    return record && modelOf(record);
  }

  /** Shows the grown checkpoint, or the report of a comparison, where a person can go on with it. */
  async revealOutput(id?: unknown): Promise<void> {
    const record = await this.choose(id, ({ status }) => status === 'done');
    if (!record) return;
    const compared = record.request.kind === 'compare';
    const { out } = record.request;
    const page = join(out, comparisonFiles.page);
    const path = compared ? (await exists(page)) && page : await weightsIn(out);
    if (!path) {
      void vscode.window.showWarningMessage(vscode.l10n.t('{0} is no longer there.', out));
      return;
    }
    const uri = vscode.Uri.file(path);
    if (vscode.workspace.getWorkspaceFolder(uri)) {
      await vscode.commands.executeCommand('revealInExplorer', uri);
    } else if (compared) await this.reports.show(record);
    else await openInspector(path);
  }

  async remove(id?: unknown): Promise<void> {
    const record = await this.choose(id, ({ ended }) => ended);
    if (record) await (await this.runs()).remove(record.request.id);
  }

  private async choose(
    id: unknown,
    fits: (record: RunRecord) => boolean,
  ): Promise<RunRecord | undefined> {
    const runs = await this.runs();
    if (typeof id === 'string') return runs.get(id);
    const fitting = runs.list().filter(fits);
    if (fitting.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('There is no such run.'));
      return undefined;
    }
    if (fitting.length === 1) return fitting[0];
    const pick = await vscode.window.showQuickPick(fitting.map(lineOf), {
      placeHolder: vscode.l10n.t('Which run? Type a part of its title, folder, data or date.'),
      matchOnDescription: true,
      matchOnDetail: true,
    });
    return pick?.record;
  }
}

/** A run as a line of a list, with all that it may be looked for by. */
function lineOf(record: RunRecord): vscode.QuickPickItem & { readonly record: RunRecord } {
  const { kind, title, created, out, data } = record.request;
  const when = new Date(created).toLocaleString(vscode.env.language);
  const places = [out, ...(data ? [data.path] : [])].map(path =>
    vscode.workspace.asRelativePath(path),
  );
  return {
    label: `$(${icons[kind]}) ${title}`,
    description: record.told(describePhase),
    detail: [when, ...places].join(' · '),
    record,
  };
}

/** The folder of a grown model, or of the winner that a comparison kept; undefined where there is none. */
function modelOf({ status, request, state }: RunRecord): string | undefined {
  if (status !== 'done') return undefined;
  if (!state.comparison) return request.out;
  const [winner] = state.comparison.models;
  return winner && join(request.out, winner.folder);
}
