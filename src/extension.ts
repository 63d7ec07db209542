import { performance } from 'node:perf_hooks';
import * as vscode from 'vscode';
import type { ExtensionApi } from './host/commands/api';
import { Checkpoints } from './host/checkpoints/checkpoints';
import { showCheckpoints } from './host/checkpoints/checkpointsView';
import { compareSelectedWeights, compareWeights } from './host/commands/compareWeights';
import { exportTensor } from './host/commands/exportTensor';
import { DifferencePanels } from './host/pages/differencePanel';
import { convertCheckpoint } from './host/commands/convertCommand';
import { newComparison } from './host/wizard/compareWizard';
import { RecentData } from './host/wizard/dataChoices';
import { DeviceClaims } from './host/runs/deviceClaims';
import { setUpGpuEngine } from './host/commands/engineSetup';
import { CurvesPanels } from './host/pages/curvesPanel';
import { openExample } from './host/commands/example';
import { handOffCheckpoint } from './host/commands/handoffCommand';
import { openFromHub } from './host/commands/hubCommand';
import { Failures } from './host/failures';
import {
  compareMethods,
  growModel,
  inspectCheckpoint,
  methodWord,
  pathOf,
  startRun,
  trainModel,
  type GrowParts,
} from './host/commands/growCommand';
import { newRequest } from './host/wizard/growWizard';
import { newTraining } from './host/wizard/trainWizard';
import { inspectors } from './host/checkpoints/weightsFile';
import { InspectorProvider } from './host/pages/inspector';
import { registerTools } from './host/commands/languageModelTools';
import { Pages } from './host/pages/pages';
import { ProgressView, type ProgressAction } from './host/pages/progressView';
import { ReportPanels } from './host/pages/reportPanel';
import { RunCommands } from './host/commands/runCommands';
import { RunPanels } from './host/pages/runPanel';
import { localLauncher } from './host/runs/launcher';
import type { RunRecord } from './host/runs/runRecord';
import { Runs } from './host/runs/runs';
import { RunStatusItem } from './host/runs/runStatus';
import { ServiceClient } from './host/serviceClient';
import { Settings } from './host/settings';
import { Telemetry } from './host/telemetry';
import { copyLoadingCode, goOn, openReceipt, openRunOf, whatNext } from './host/commands/whatNext';
import { forkService, spawnRun } from './host/runs/workerProcess';

/** Puts the host together. Must be quick: it runs whenever a workspace holds a checkpoint. */
export function activate(context: vscode.ExtensionContext): ExtensionApi {
  const began = performance.now();
  const own = <T extends { dispose(): unknown }>(part: T): T => {
    context.subscriptions.push(part);
    return part;
  };
  const worker = {
    script: vscode.Uri.joinPath(context.extensionUri, 'dist', 'worker.js').fsPath,
    engines: vscode.Uri.joinPath(context.globalStorageUri, 'engines').fsPath,
  };
  const settings = new Settings();
  const telemetry = own(new Telemetry());
  const failures = own(new Failures());
  const service = own(new ServiceClient(() => forkService(worker)));
  const checkpoints = own(new Checkpoints(service, settings, failures.log));
  const pages = new Pages(context.extensionUri, settings);
  const recent = new RecentData(context.workspaceState);

  const restoreRuns = async (): Promise<Runs> => {
    const storage = context.storageUri ?? context.globalStorageUri;
    const runs = own(
      new Runs({
        folder: vscode.Uri.joinPath(storage, 'runs').fsPath,
        devices: new DeviceClaims(
          vscode.Uri.joinPath(context.globalStorageUri, 'devices').fsPath,
          () => vscode.workspace.name ?? '',
        ),
        launcher: localLauncher(folder => spawnRun(worker, settings.nodePath, folder)),
        keep: () => settings.runsKept,
        mayStart: () => vscode.workspace.isTrusted,
        onError: failures.log,
      }),
    );
    await runs.restore();
    own(runs.onDidChange(({ run, endedNow }) => endedNow && onEnd(run)));
    own(new RunStatusItem({ runs, isSeen, onError: failures.log }));
    return runs;
  };
  let restored: Promise<Runs> | undefined;
  const runs = (): Promise<Runs> => (restored ??= restoreRuns());

  const commands = {} as { runs: RunCommands };
  const grow: GrowParts = { service, checkpoints, settings, recent, runs, telemetry };
  const panels = own(
    new RunPanels({
      pages,
      runs,
      service,
      act,
      onError: failures.log,
    }),
  );
  const curves = own(new CurvesPanels({ pages, runs }));
  commands.runs = new RunCommands(runs, panels, own(new ReportPanels()), curves);
  const progress = own(new ProgressView(pages, runs, act, failures.log));
  const inspector = new InspectorProvider({
    pages,
    service,
    telemetry,
    grow: uri => void attempt(() => growModel(grow, uri)),
    exportTensor: (path, tensor) => void attempt(() => exportTensor(service, path, tensor)),
  });
  const differences = own(new DifferencePanels({ pages, service }));
  const weights = { checkpoints, panels: differences };

  /** Whether a person sees how a run ended without being told. */
  const isSeen = (run: RunRecord): boolean =>
    vscode.window.state.focused && (progress.visible || panels.shows(run.request.id));

  function onEnd(run: RunRecord): void {
    const method = methodWord(run.request);
    const seconds = run.state.receipt?.seconds ?? 0;
    telemetry.send('runEnded', { method, status: run.status, seconds });
    void checkpoints.refresh();
  }

  /** Whatever a person asked for and failed is told to them. */
  async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      void failures.show(error);
      return undefined;
    }
  }

  function act(action: ProgressAction): void {
    void attempt(async () => {
      switch (action.type) {
        case 'grow':
          await growModel(grow);
          return;
        case 'compare':
          await compareMethods(grow);
          return;
        case 'openReport':
          return commands.runs.openReport(action.run);
        case 'control':
          return commands.runs.control(action.command, action.run);
        case 'openRun':
          return commands.runs.open(action.run);
        case 'openLog':
          return commands.runs.showLog(action.run);
        case 'resumeRun':
          return commands.runs.resume(action.run);
        case 'revealOutput':
          return commands.runs.revealOutput(action.run);
        case 'next': {
          const path = await commands.runs.outputOf(action.run);
          if (path !== undefined) await goOn({ service, runs }, path, action.step);
          return;
        }
        case 'whatNext':
          await vscode.commands.executeCommand('ligo.whatNext', action.run);
          return;
      }
    });
  }

  /** For commands that need a checkpoint to be called on. */
  const onPath =
    (work: (path: string) => Promise<unknown>) =>
    async (argument?: unknown): Promise<unknown> => {
      const path = pathOf(argument);
      return path === undefined ? undefined : work(path);
    };

  const table: Record<string, (argument?: unknown, selected?: unknown) => Promise<unknown>> = {
    growModel: resource => growModel(grow, resource),
    trainModel: resource => trainModel(grow, resource),
    handoff: resource => handOffCheckpoint(grow, resource),
    compareMethods: resource => compareMethods(grow, resource),
    inspectCheckpoint,
    compareWeights: resource => compareWeights(weights, resource),
    compareSelectedWeights: (resource, selected) =>
      compareSelectedWeights(weights, resource, selected),
    convertCheckpoint: resource => convertCheckpoint({ service, checkpoints }, resource),
    openFromHub: reference =>
      openFromHub({ service, grow: path => void attempt(() => growModel(grow, path)) }, reference),
    refreshCheckpoints: () => checkpoints.refresh(),
    openRun: id => commands.runs.open(id),
    pauseRun: id => commands.runs.control('pause', id),
    resumeRun: id => commands.runs.resume(id),
    stopRun: id => commands.runs.control('stopAndKeep', id),
    cancelRun: id => commands.runs.control('cancel', id),
    showLog: id => commands.runs.showLog(id),
    revealOutput: id => commands.runs.revealOutput(id),
    openReport: id => commands.runs.openReport(id),
    compareCurves: () => commands.runs.compareCurves(),
    removeRun: id => commands.runs.remove(id),
    whatNext: async argument => {
      // Of a run its id is given, of a checkpoint its row or file.
      const isRun = typeof argument === 'string' || argument === undefined;
      const path = isRun ? await commands.runs.outputOf(argument) : pathOf(argument);
      if (path !== undefined) await whatNext({ service, runs }, path);
    },
    openReceipt: onPath(path => openReceipt(path)),
    openRunOfCheckpoint: onPath(path => openRunOf({ service, runs }, path)),
    copyLoadingCode: onPath(path => copyLoadingCode({ service, runs }, path)),
    copyCheckpointPath: onPath(async path => vscode.env.clipboard.writeText(path)),
    revealCheckpoint: onPath(async path =>
      vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(path)),
    ),
    openExample: () => openExample(context.extensionUri),
    setUpGpuEngine: () => setUpGpuEngine({ service, settings }),
  };
  for (const [name, work] of Object.entries(table)) {
    own(
      vscode.commands.registerCommand(`ligo.${name}`, (argument?: unknown, selected?: unknown) =>
        attempt(() => work(argument, selected)),
      ),
    );
  }

  own(showCheckpoints(checkpoints));
  own(vscode.window.registerWebviewViewProvider(ProgressView.id, progress));
  own(vscode.window.registerWebviewPanelSerializer(RunPanels.viewType, panels));
  own(vscode.window.registerWebviewPanelSerializer(DifferencePanels.viewType, differences));
  own(vscode.window.registerWebviewPanelSerializer(CurvesPanels.viewType, curves));
  for (const viewType of inspectors) {
    const options = { supportsMultipleEditorsPerDocument: true };
    own(vscode.window.registerCustomEditorProvider(viewType, inspector, options));
  }
  own(registerTools(grow));
  own(
    settings.onDidChange(affects => {
      if (affects('heatmap'))
        for (const page of [progress, panels, inspector, differences]) page.refreshOptions();
      if (affects('checkpoints')) void checkpoints.refresh();
    }),
  );
  own(
    vscode.workspace.onDidGrantWorkspaceTrust(
      () => void attempt(async () => (await runs()).wake()),
    ),
  );

  // What takes time comes after everybody who waits for us has gone on.
  const later = setImmediate(() => {
    checkpoints.start();
    void attempt(runs);
  });
  own({ dispose: () => clearImmediate(later) });

  const activationMilliseconds = performance.now() - began;
  telemetry.send('activate', { milliseconds: activationMilliseconds });
  return {
    activationMilliseconds,
    checkpoints,
    runs,
    startGrowth: given => startRun(grow, newRequest(given)),
    startComparison: given => startRun(grow, newComparison(given)),
    startTraining: given => startRun(grow, newTraining(given)),
  };
}
