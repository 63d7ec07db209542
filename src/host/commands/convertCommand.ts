import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import type { ConversionRequest } from '../../protocol/conversion';
import { weightEnds, weightsIn } from '../checkpoints/weightsFile';
import { openInspector } from '../pages/inspector';
import type { ServiceClient } from '../serviceClient';
import { mayGrow } from '../trust';
import { freeOutput } from '../wizard/outputName';
import { chooseOutput, isTaken } from '../wizard/wizardSteps';
import { pathOf } from './growCommand';

/** What converting needs from the rest of the host. */
interface ConvertParts {
  readonly service: ServiceClient;
  readonly checkpoints: { refresh(): Promise<void> };
}

type Kind = Pick<ConversionRequest, 'format' | 'outtype'>;

/** Asks for a format and a place, and writes the checkpoint there in the helper process. */
export async function convertCheckpoint(parts: ConvertParts, resource?: unknown): Promise<void> {
  if (!(await mayGrow())) return;
  const checkpoint = pathOf(resource) ?? (await chooseCheckpoint());
  if (checkpoint === undefined) return;
  const kind = await chooseKind();
  if (!kind) return;
  const out = await chooseFolder(checkpoint, kind);
  if (out === undefined) return;
  const receipt = await convertShown(parts.service, { checkpoint, out, ...kind });
  if (!receipt) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('The conversion was cancelled; nothing was left behind.'),
    );
    return;
  }
  await parts.checkpoints.refresh();
  const { warnings, files } = receipt;
  const wrote = vscode.l10n.t('{0} was converted to {1}.', basename(checkpoint), out);
  const reveal = vscode.l10n.t('Reveal');
  const show =
    warnings.length > 0 ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
  void show([wrote, ...warnings].join(' '), reveal).then(async answer => {
    if (answer !== reveal) return;
    const uri = vscode.Uri.file(join(out, files.at(-1)!));
    if (vscode.workspace.getWorkspaceFolder(uri)) {
      await vscode.commands.executeCommand('revealInExplorer', uri);
    } else await openInspector((await weightsIn(out)) ?? uri.fsPath);
  });
}

async function chooseCheckpoint(): Promise<string | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      filters: { [vscode.l10n.t('Checkpoints')]: [...weightEnds] },
      openLabel: vscode.l10n.t('Convert'),
    })) ?? [];
  return uri?.fsPath;
}

async function chooseKind(): Promise<Kind | undefined> {
  const items: (vscode.QuickPickItem & { readonly to: Kind })[] = [
    {
      label: 'safetensors',
      description: vscode.l10n.t('any checkpoint; every tensor keeps its type'),
      to: { format: 'safetensors' },
    },
    {
      label: 'GGUF F16',
      description: vscode.l10n.t('a language model for llama.cpp, half precision'),
      to: { format: 'gguf', outtype: 'f16' },
    },
    {
      label: 'GGUF Q8_0',
      description: vscode.l10n.t('a language model for llama.cpp, 8 bits'),
      to: { format: 'gguf', outtype: 'q8_0' },
    },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Convert Checkpoint'),
    placeHolder: vscode.l10n.t('To which format?'),
    ignoreFocusOut: true,
  });
  return picked?.to;
}

/** Where the result goes: beside the checkpoint, or in a folder that a person chooses. */
async function chooseFolder(
  checkpoint: string,
  { format, outtype }: Kind,
): Promise<string | undefined> {
  const name = [format, ...(outtype ? [outtype] : [])].join('-');
  const file = (await weightsIn(checkpoint)) ?? checkpoint;
  const beside = await freeOutput(file, name, isTaken);
  const picked = await vscode.window.showQuickPick(
    [
      {
        label: `$(folder) ${basename(beside)}`,
        description: dirname(beside),
        isOther: false,
      },
      { label: `$(folder-opened) ${vscode.l10n.t('Another Folder…')}`, isOther: true },
    ],
    {
      title: vscode.l10n.t('Convert Checkpoint'),
      placeHolder: vscode.l10n.t('Where is the result written?'),
      ignoreFocusOut: true,
    },
  );
  if (!picked) return undefined;
  return picked.isOther ? chooseOutput(beside) : beside;
}

/** Converts with a notification of how far it is; undefined where it was cancelled. */
const convertShown = (service: ServiceClient, request: ConversionRequest) =>
  vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Converting {0}', basename(request.checkpoint)),
      cancellable: true,
    },
    async (progress, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      try {
        return await service.call('convert', request, {
          signal: controller.signal,
          onProgress: line => progress.report({ message: line }),
        });
      } catch (error) {
        if (controller.signal.aborted) return undefined;
        throw error;
      }
    },
  );
