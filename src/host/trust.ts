import * as vscode from 'vscode';
import { UserError } from '../errors';
import { explain } from './text';

const untrusted = (): UserError =>
  new UserError(
    vscode.l10n.t(
      'Growing or converting a model runs computations and writes files, which needs a trusted workspace.',
    ),
    vscode.l10n.t('Trust this workspace first. Checkpoints can be inspected without.'),
  );

/** @throws UserError in a workspace that is not trusted */
export function requireTrustToFetch(): void {
  if (vscode.workspace.isTrusted) return;
  throw new UserError(
    vscode.l10n.t(
      'Fetching a model uses the network and writes files, which needs a trusted workspace.',
    ),
    vscode.l10n.t('Trust this workspace first, or open another window.'),
  );
}

/** @throws UserError in a workspace that is not trusted */
export function requireTrust(): void {
  if (!vscode.workspace.isTrusted) throw untrusted();
}

/** Tells a person why growing is not possible here, and helps where it can. */
export async function mayGrow(): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  const { message, remedy } = explain(untrusted());
  const manage = vscode.l10n.t('Manage Workspace Trust');
  const answer = await vscode.window.showWarningMessage(`${message} ${remedy}`, manage);
  if (answer === manage) await vscode.commands.executeCommand('workbench.trust.manage');
  return false;
}
