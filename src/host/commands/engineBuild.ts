import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { EngineSurvey } from '../../protocol/engines';

/** TensorFlow.js, and what to build it with. */
export interface ChosenBuild {
  readonly engine: 'tfjs-gpu' | 'tfjs-node';
  /** Path of a wheel, or of a folder with TensorFlow's C library. */
  readonly tensorFlow: string;
}

/** Asks what to build TensorFlow.js with, and whether its native code is trusted; undefined where it is not. */
export async function chooseBuild(survey: EngineSurvey): Promise<ChosenBuild | undefined> {
  const engine = await chooseEngine(survey);
  if (!engine) return undefined;
  const kind = await vscode.window.showQuickPick(
    [
      {
        label: `$(file-zip) ${vscode.l10n.t('A Wheel…')}`,
        description: vscode.l10n.t('the .whl file that pip download fetches'),
        isFolder: false,
      },
      {
        label: `$(folder) ${vscode.l10n.t('A Folder…')}`,
        description: vscode.l10n.t(
          'TensorFlow’s C library with lib and include, or the package of pip',
        ),
        isFolder: true,
      },
    ],
    { title: vscode.l10n.t('Build with a TensorFlow I Have'), ignoreFocusOut: true },
  );
  if (!kind) return undefined;
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Build with a TensorFlow I Have'),
      openLabel: vscode.l10n.t('Choose'),
      canSelectFiles: !kind.isFolder,
      canSelectFolders: kind.isFolder,
      ...(!kind.isFolder && { filters: { [vscode.l10n.t('Python wheel')]: ['whl'] } }),
    })) ?? [];
  if (!chosen) return undefined;
  const build = vscode.l10n.t('Build');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Build TensorFlow.js with {0}?', basename(chosen.fsPath)),
    {
      modal: true,
      detail: vscode.l10n.t(
        'Native code of it is loaded and run on this machine: build only what you trust. It takes a compiler, some minutes, and about a gigabyte.',
      ),
    },
    build,
  );
  return answer === build ? { engine, tensorFlow: chosen.fsPath } : undefined;
}

/** The engine of the GPU is asked for only where one could run it. */
async function chooseEngine({ engines }: EngineSurvey): Promise<ChosenBuild['engine'] | undefined> {
  const names = ['tfjs-gpu', 'tfjs-node'] as const;
  const reports = names.flatMap(name => {
    const report = engines.find(each => each.name === name);
    return report && !(name === 'tfjs-gpu' && report.state === 'unusable')
      ? [{ name, report }]
      : [];
  });
  if (reports.length < 2) return reports[0]?.name;
  const picked = await vscode.window.showQuickPick(
    reports.map(({ name, report: { title, device } }) => ({
      label: title,
      description: device,
      name,
    })),
    { title: vscode.l10n.t('Build with a TensorFlow I Have'), ignoreFocusOut: true },
  );
  return picked?.name;
}
