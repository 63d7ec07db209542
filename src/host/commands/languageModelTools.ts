import { isAbsolute, normalize } from 'node:path';
import * as vscode from 'vscode';
import { startRun, type GrowParts } from './growCommand';
import { newRequest } from '../wizard/growWizard';
import { methodTitle } from '../../protocol/methodTitles';
import { labelOf } from '../checkpoints/checkpointTree';
import { DisposableStore, type Disposable } from '../lifetime';
import { outputHome } from '../wizard/outputHome';
import { freeOutput } from '../wizard/outputName';
import { exists } from '../runs/runFolder';
import { targetName } from '../wizard/targets';
import { explain, formatBytes, formatCompact } from '../text';
import { requireTrust } from '../trust';

interface InspectInput {
  readonly path: string;
}

interface GrowInput {
  readonly path: string;
  readonly layers?: number;
  readonly hidden?: number;
  readonly data?: string;
  readonly method?: string;
  readonly steps?: number;
}

/** Gives language models two tools, where the editor knows such things. */
export function registerTools(parts: GrowParts): Disposable {
  const tools = new DisposableStore();
  // Editors built on VS Code may have no language models.
  const api = (vscode as { lm?: Partial<typeof vscode.lm> }).lm;
  if (typeof api?.registerTool !== 'function') return tools;
  tools.add(api.registerTool('ligo_inspect_checkpoint', inspectTool(parts)));
  tools.add(api.registerTool('ligo_grow_model', growTool(parts)));
  return tools;
}

const inspectTool = (parts: GrowParts): vscode.LanguageModelTool<InspectInput> => ({
  prepareInvocation: ({ input }) => ({
    invocationMessage: vscode.l10n.t('Reading the header of {0}', input.path),
    // What a model read may have told it to ask for a file of somewhere else.
    ...(!inWorkspace(absolute(input.path)) && {
      confirmationMessages: {
        title: vscode.l10n.t('Inspect a checkpoint'),
        message: vscode.l10n.t('Read the header of {0}, outside of the workspace?', input.path),
      },
    }),
  }),
  invoke: ({ input }) =>
    answering(async () => {
      const checkpoint = await parts.service.call('inspect', absolute(input.path));
      const { facts, tensors, problems, notes, ignored } = checkpoint;
      return {
        ...Object.fromEntries(facts.map(({ label, value }) => [label, value])),
        problems,
        notes,
        ignored: ignored.slice(0, 20),
        // Enough to see the pattern of names; a model needs no more.
        tensors: tensors
          .slice(0, 60)
          .map(({ name, type, shape }) => `${name} ${type} [${shape.join(', ')}]`),
        tensorCount: tensors.length,
      };
    }),
});

const growTool = (parts: GrowParts): vscode.LanguageModelTool<GrowInput> => ({
  async prepareInvocation({ input }) {
    requireTrust();
    const { request, plan } = await prepare(parts, input);
    const { source, target, diskBytes } = plan;
    return {
      invocationMessage: vscode.l10n.t('Starting to grow {0}', request.title),
      confirmationMessages: {
        title: vscode.l10n.t('Grow a model'),
        message: vscode.l10n.t(
          'Grow {0} from {1} to {2} parameters by {3} and write {4} to {5}?',
          labelOf(request.checkpoint),
          formatCompact(source.parameters),
          formatCompact(target.parameters),
          methodTitle(request.method),
          formatBytes(diskBytes),
          request.out,
        ),
      },
    };
  },
  invoke: ({ input }) =>
    answering(async () => {
      requireTrust();
      const { request, plan, refusals } = await prepare(parts, input);
      if (refusals.length > 0) return { started: false, refusals };
      const run = await startRun(parts, request);
      return { started: true, run, out: request.out, parameters: plan.target.parameters };
    }),
});

async function prepare({ service, settings }: GrowParts, input: GrowInput) {
  const summary = await service.call('summarize', absolute(input.path));
  const { layers, hidden, data, method = 'ligo', steps = 100 } = input;
  const target = {
    ...(layers !== undefined && { layers }),
    ...(hidden !== undefined && { hidden }),
  };
  const place = { checkpoint: summary.path, target };
  const plan = await service.call('plan', { ...place, steps });
  const offers = plan.refusals.length > 0 ? [] : await service.call('methods', place);
  const refusals = [
    ...plan.refusals,
    ...(offers.find(({ name }) => name === method)?.refusals ?? []),
  ];
  const { engine, threads } = settings;
  const request = newRequest({
    checkpoint: summary.path,
    target,
    method,
    steps,
    title: `${labelOf(summary.path)} → ${plan.target.layers} × ${plan.target.hidden}`,
    out: await freeOutput(
      summary.path,
      `grown-${targetName(target, plan.source)}`,
      exists,
      outputHome(),
    ),
    ...(data !== undefined && { data: { path: absolute(data) } }),
    engine,
    ...(threads !== undefined && { threads }),
  });
  return { request, plan, refusals };
}

/** Models name files as people see them: from the workspace's folder. */
function absolute(path: string): string {
  if (isAbsolute(path)) return path;
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  return folder ? vscode.Uri.joinPath(folder, path).fsPath : path;
}

/** Links are not followed: a workspace's own links are its own. */
const inWorkspace = (path: string): boolean =>
  vscode.workspace.getWorkspaceFolder(vscode.Uri.file(normalize(path))) !== undefined;

/** An answer as JSON; failures are told in words that a model can act on. */
async function answering(work: () => Promise<unknown>): Promise<vscode.LanguageModelToolResult> {
  try {
    const text = JSON.stringify(await work());
    return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
  } catch (error) {
    const { message, remedy } = explain(error);
    throw new Error(`${message} ${remedy}`, { cause: error });
  }
}
