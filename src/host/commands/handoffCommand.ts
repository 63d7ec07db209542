import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import type { Handoff, HandoffQuestion } from '../../protocol/handoff';
import type { ServiceClient } from '../serviceClient';
import { mayGrow } from '../trust';
import { askForHandoff } from '../wizard/handoffWizard';
import type { WizardParts } from '../wizard/wizardSteps';
import { pathOf } from './growCommand';

/** Asks where a checkpoint is to be trained on in PyTorch, writes the project for it and opens its README. */
export async function handOffCheckpoint(parts: WizardParts, resource?: unknown): Promise<void> {
  if (!(await mayGrow())) return;
  const question = await askForHandoff(parts, pathOf(resource));
  if (!question) return;
  const written = await handOffShown(parts.service, question);
  if (!written) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('The project was not written; nothing was left behind.'),
    );
    return;
  }
  const folder = vscode.Uri.file(question.out);
  const readme = vscode.Uri.file(join(question.out, 'README.md'));
  await vscode.window.showTextDocument(readme, { preview: true });
  const isInside = vscode.workspace.getWorkspaceFolder(folder) !== undefined;
  if (isInside) await vscode.commands.executeCommand('revealInExplorer', folder);
  void tell(question, written, isInside);
}

/** Says what was written and what does not carry over. */
async function tell({ out }: HandoffQuestion, written: Handoff, isInside: boolean): Promise<void> {
  const { notes, expected } = written;
  const text = [
    vscode.l10n.t('The project that goes on in PyTorch was written to {0}.', out),
    ...(expected
      ? [
          vscode.l10n.t(
            'The first held-out loss there is to be {0}, as in {1}.',
            expected.loss.toFixed(4),
            expected.from,
          ),
        ]
      : []),
    ...notes.map(({ message }) => message),
  ].join(' ');
  const show =
    notes.length > 0 ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
  const reveal = vscode.l10n.t('Reveal in File Manager');
  const answer = await show(text, ...(isInside ? [] : [reveal]));
  if (answer === reveal) {
    await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(out));
  }
}

/** Writes with a notification that can be cancelled; undefined where it was. */
const handOffShown = (service: ServiceClient, question: HandoffQuestion) =>
  vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Writing the project of {0}', basename(question.out)),
      cancellable: true,
    },
    async (_, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      try {
        return await service.call('handOff', question, { signal: controller.signal });
      } catch (error) {
        if (controller.signal.aborted) return undefined;
        throw error;
      }
    },
  );
