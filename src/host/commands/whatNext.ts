import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../errors';
import { labelOf } from '../checkpoints/checkpointTree';
import { loadingCode } from './loadingCode';
import type { NextStep } from '../../protocol/messages';
import { exists } from '../runs/runFolder';
import type { Runs } from '../runs/runs';
import type { ServiceClient } from '../serviceClient';
import { inspectorOf, weightsIn } from '../checkpoints/weightsFile';

/** What a person may go on to do with a checkpoint. */
export interface NextParts {
  readonly service: ServiceClient;
  readonly runs: () => Promise<Runs>;
}

/** Receipts of what made a checkpoint, the newest first: a grown one that was trained on has both. */
const receipts = ['training.json', 'growth.json'] as const;

/** The newest receipt in a folder; undefined where there is none. */
async function receiptIn(folder: string): Promise<(typeof receipts)[number] | undefined> {
  for (const name of receipts) if (await exists(join(folder, name))) return name;
  return undefined;
}

/** Opens the receipt of a checkpoint that was grown or trained here. @throws UserError when it has none */
export async function openReceipt(path: string): Promise<void> {
  const folder = await folderOf(path);
  const name = await receiptIn(folder);
  if (!name) {
    throw new UserError(
      vscode.l10n.t('{0} has no receipt (growth.json, training.json).', labelOf(path)),
      vscode.l10n.t('Only what was grown or trained here has one.'),
    );
  }
  const receipt = join(folder, name);
  await vscode.window.showTextDocument(vscode.Uri.file(receipt), { preview: true });
}

/** Shows the run that made a checkpoint. @throws UserError when it is forgotten */
export async function openRunOf({ runs }: NextParts, path: string): Promise<void> {
  const folder = await folderOf(path);
  const run = (await runs()).list().find(({ request }) => request.out === folder);
  if (!run) {
    throw new UserError(
      vscode.l10n.t('The run that made {0} is not known here.', labelOf(path)),
      vscode.l10n.t('Open its receipt instead: it tells what happened.'),
    );
  }
  await vscode.commands.executeCommand('ligo.openRun', run.request.id);
}

/** Puts the Python lines that load a checkpoint on the clipboard. */
export async function copyLoadingCode({ service }: NextParts, path: string): Promise<void> {
  const { model } = await service.call('summarize', path);
  await vscode.env.clipboard.writeText(loadingCode(await folderOf(path), model));
  void vscode.window.showInformationMessage(vscode.l10n.t('The Python code was copied.'));
}

/** Goes on from a checkpoint as a run panel offers it. */
export async function goOn({ service }: NextParts, path: string, step: NextStep): Promise<void> {
  const run = (command: string, on: string) =>
    vscode.commands.executeCommand(command, vscode.Uri.file(on));
  switch (step) {
    case 'train':
      await run('ligo.trainModel', path);
      return;
    case 'handoff':
      await run('ligo.handoff', path);
      return;
    case 'inspect':
      await run('ligo.inspectCheckpoint', path);
      return;
    case 'compare': {
      // Methods are compared from where it came from, where that still is.
      const { parent } = await service.call('summarize', path);
      const hasParent = parent !== undefined && (await exists(parent.path));
      await run('ligo.compareMethods', hasParent ? parent.path : path);
    }
  }
}

/** Offers what can be done with a checkpoint, in one list. */
export async function whatNext(parts: NextParts, path: string): Promise<void> {
  const { parent } = await parts.service.call('summarize', path);
  const folder = await folderOf(path);
  const run = (command: string, ...rest: unknown[]) =>
    vscode.commands.executeCommand(command, ...rest);
  const uri = vscode.Uri.file(path);
  const receipt = await receiptIn(folder);
  const choices: (vscode.QuickPickItem & { readonly act: () => unknown })[] = [
    {
      label: `$(mortar-board) ${vscode.l10n.t('Train…')}`,
      description: vscode.l10n.t('on your data, from where it stands'),
      act: () => goOn(parts, path, 'train'),
    },
    {
      label: `$(rocket) ${vscode.l10n.t('Continue in PyTorch…')}`,
      description: vscode.l10n.t('a project for your GPUs, a cluster or a cloud'),
      act: () => goOn(parts, path, 'handoff'),
    },
    {
      label: `$(search) ${vscode.l10n.t('Inspect')}`,
      description: vscode.l10n.t('its tensors, with pictures'),
      act: () => goOn(parts, path, 'inspect'),
    },
    ...(parent && (await exists(parent.path))
      ? [
          {
            label: `$(split-horizontal) ${vscode.l10n.t('Compare with Parent')}`,
            description: vscode.l10n.t('the tensors of both, side by side'),
            act: () => inspectBeside(parent.path, path),
          },
        ]
      : []),
    {
      label: `$(graph-line) ${vscode.l10n.t('Compare Growth Methods…')}`,
      description: vscode.l10n.t('what each saves in training, from the same parent'),
      act: () => goOn(parts, path, 'compare'),
    },
    {
      label: `$(file-code) ${vscode.l10n.t('Copy transformers Code')}`,
      description: vscode.l10n.t('the Python lines that load it'),
      act: () => copyLoadingCode(parts, path),
    },
    ...(receipt
      ? [
          {
            label: `$(output) ${vscode.l10n.t('Open Receipt')}`,
            description: receipt,
            act: () => openReceipt(path),
          },
        ]
      : []),
    {
      label: `$(folder-opened) ${vscode.l10n.t('Reveal in File Manager')}`,
      description: folder,
      act: () => run('revealFileInOS', uri),
    },
  ];
  const chosen = await vscode.window.showQuickPick(choices, {
    title: labelOf(path),
    placeHolder: vscode.l10n.t('What next?'),
  });
  await chosen?.act();
}

/** A parent on the left, what was grown from it on the right. */
async function inspectBeside(parent: string, child: string): Promise<void> {
  const file = async (path: string): Promise<string> => (await weightsIn(path)) ?? path;
  const [left, right] = [await file(parent), await file(child)];
  const open = (path: string, column: vscode.ViewColumn) =>
    vscode.commands.executeCommand(
      'vscode.openWith',
      vscode.Uri.file(path),
      inspectorOf(path),
      column,
    );
  await open(left, vscode.ViewColumn.One);
  await open(right, vscode.ViewColumn.Two);
}

/** The folder of a checkpoint, given it or a file in it. */
const folderOf = async (path: string): Promise<string> =>
  (await weightsIn(path)) === undefined ? dirname(path) : path;
