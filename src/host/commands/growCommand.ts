import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../errors';
import type { WorkerRequest } from '../../protocol/runFolder';
import { askForComparison } from '../wizard/compareWizard';
import { askForGrowth } from '../wizard/growWizard';
import { askForTraining } from '../wizard/trainWizard';
import { openInspector } from '../pages/inspector';
import { ProgressView } from '../pages/progressView';
import type { Runs } from '../runs/runs';
import type { Telemetry } from '../telemetry';
import { mayGrow, requireTrust } from '../trust';
import { tickStep } from '../walkthrough';
import { weightEnds, weightsIn } from '../checkpoints/weightsFile';
import type { WizardParts } from '../wizard/wizardSteps';

/** What growing needs from the rest of the host. */
export interface GrowParts extends WizardParts {
  readonly runs: () => Promise<Runs>;
  readonly telemetry: Telemetry;
}

/** Asks for a growth and starts it; shows the progress view. */
export async function growModel(parts: GrowParts, resource?: unknown): Promise<string | undefined> {
  if (!(await mayGrow())) return undefined;
  return startShown(parts, await askForGrowth(parts, pathOf(resource)));
}

/** Asks for a comparison of methods and starts it; shows the progress view. */
export async function compareMethods(
  parts: GrowParts,
  resource?: unknown,
): Promise<string | undefined> {
  if (!(await mayGrow())) return undefined;
  return startShown(parts, await askForComparison(parts, pathOf(resource)));
}

/** Asks for a training and starts it; shows the progress view. */
export async function trainModel(
  parts: GrowParts,
  resource?: unknown,
): Promise<string | undefined> {
  if (!(await mayGrow())) return undefined;
  return startShown(parts, await askForTraining(parts, pathOf(resource)));
}

async function startShown(
  parts: GrowParts,
  request: WorkerRequest | undefined,
): Promise<string | undefined> {
  if (!request) return undefined;
  const id = await startRun(parts, request);
  await vscode.commands.executeCommand(`${ProgressView.id}.focus`);
  return id;
}

/** Starts a run without asking; gives its id. @throws UserError when not allowed */
export async function startRun(parts: GrowParts, request: WorkerRequest): Promise<string> {
  requireTrust();
  if (request.data && !isAbsolute(request.data.path)) throw new Error('the data has no full path');
  const runs = await parts.runs();
  const { family = 'unknown' } =
    (await parts.service.call('summarize', request.checkpoint)).model ?? {};
  const record = await runs.start(request);
  await tickStep('grow');
  parts.telemetry.send('runStarted', { method: methodWord(request), family });
  return record.request.id;
}

/** What is told of what a run does: the method of a growth, or the kind of another one. */
export const methodWord = (request: WorkerRequest): string =>
  request.kind === 'grow' ? request.method : request.kind;

/** The path of what a command was called on: a file or folder, or an item of the tree. */
export function pathOf(resource: unknown): string | undefined {
  if (resource instanceof vscode.Uri)
    return resource.scheme === 'file' ? resource.fsPath : undefined;
  if (typeof resource === 'string') return resource;
  const path = (resource as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : undefined;
}

/** Opens a checkpoint in the inspector. */
export async function inspectCheckpoint(resource?: unknown): Promise<void> {
  const path = pathOf(resource) ?? (await chooseWeights(vscode.l10n.t('Inspect')));
  if (path !== undefined) await openInspector(await weightsAt(path));
}

/** A file of weights that a person chooses. @param openLabel what the button says */
export async function chooseWeights(openLabel: string): Promise<string | undefined> {
  const filters = { [vscode.l10n.t('Checkpoints')]: [...weightEnds] };
  const [uri] = (await vscode.window.showOpenDialog({ filters, openLabel })) ?? [];
  return uri?.fsPath;
}

/** The file of weights that a path means: itself, or what lies in the folder. @throws UserError */
export async function weightsAt(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) return path;
  const file = await weightsIn(path);
  if (file) return file;
  throw new UserError(
    vscode.l10n.t('{0} holds no checkpoint.', path),
    vscode.l10n.t('Choose a file of weights.'),
  );
}
