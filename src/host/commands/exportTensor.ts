import { basename, extname } from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../format';
import type { TensorRow } from '../../protocol/messages';
import type { ServiceClient } from '../serviceClient';

/** Elements from which on a CSV is asked about. */
const largeCsv = 1e7;
/** Bytes that the text of an element has about. */
const textBytes = 14;

/** Asks where a tensor is to be written, as .npy or CSV, and has it written. */
export async function exportTensor(
  service: ServiceClient,
  path: string,
  tensor: TensorRow,
): Promise<void> {
  const target = await askTarget(tensor);
  if (!target || !(await mayBeLarge(tensor, target))) return;
  const question = { path, tensor: tensor.name, to: target.fsPath };
  const written = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Exporting {0}', tensor.name),
      cancellable: true,
    },
    async (_progress, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      try {
        return await service.call('exportTensor', question, { signal: controller.signal });
      } catch (error) {
        if (controller.signal.aborted) return undefined;
        throw error;
      }
    },
  );
  const said = written
    ? [vscode.l10n.t('{0} was written.', basename(written.file)), ...written.notes].join(' ')
    : vscode.l10n.t('The export was cancelled; nothing was written.');
  void vscode.window.showInformationMessage(said);
}

function askTarget({ name }: TensorRow): Thenable<vscode.Uri | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const fileName = `${name.replace(/[/\\:*?"<>|]/g, '-').slice(-200)}.npy`;
  return vscode.window.showSaveDialog({
    ...(folder && { defaultUri: vscode.Uri.joinPath(folder, fileName) }),
    filters: { [vscode.l10n.t('NumPy array')]: ['npy'], CSV: ['csv'] },
    title: vscode.l10n.t('Export Tensor'),
  });
}

/** Whether a person wants a CSV of the size it would have; asked of large ones alone. */
async function mayBeLarge({ shape }: TensorRow, target: vscode.Uri): Promise<boolean> {
  const elements = shape.reduce((product, axis) => product * axis, 1);
  if (extname(target.fsPath).toLowerCase() !== '.csv' || elements < largeCsv) return true;
  const go = vscode.l10n.t('Export');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('This CSV would have about {0}.', formatBytes(elements * textBytes)),
    { modal: true, detail: vscode.l10n.t('A .npy file is several times smaller and exact too.') },
    go,
  );
  return answer === go;
}
