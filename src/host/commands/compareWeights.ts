import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../errors';
import { harmless } from '../../harmless';
import type { CheckpointNode } from '../checkpoints/checkpointTree';
import type { Checkpoints } from '../checkpoints/checkpoints';
import type { ComparedPaths, DifferencePanels } from '../pages/differencePanel';
import { chooseWeights, pathOf, weightsAt } from './growCommand';

/** What comparing weights needs from the rest of the host. */
export interface CompareWeightsParts {
  readonly checkpoints: Checkpoints;
  readonly panels: DifferencePanels;
}

/** Compares a checkpoint with another that a person chooses. */
export async function compareWeights(
  { checkpoints, panels }: CompareWeightsParts,
  resource?: unknown,
): Promise<void> {
  const given = pathOf(resource) ?? (await choose(checkpoints, undefined));
  if (given === undefined) return;
  const first = await weightsAt(given);
  const chosen = await choose(checkpoints, first);
  if (chosen === undefined) return;
  panels.show(inOrder(checkpoints, first, await weightsAt(chosen)));
}

/**
 * Compares the two that are selected in a list; where they are not two, as when the menu was opened beside
 * them, the one that it was opened on with another.
 */
export async function compareSelectedWeights(
  parts: CompareWeightsParts,
  resource: unknown,
  selected: unknown,
): Promise<void> {
  const paths = (Array.isArray(selected) ? selected : []).map(pathOf);
  const [first, second] = paths;
  if (paths.length !== 2 || first === undefined || second === undefined) {
    return compareWeights(parts, resource);
  }
  const { checkpoints, panels } = parts;
  panels.show(inOrder(checkpoints, await weightsAt(first), await weightsAt(second)));
}

/** What another was grown from comes first. @throws UserError when both are one */
function inOrder(checkpoints: Checkpoints, first: string, second: string): ComparedPaths {
  if (first === second) {
    throw new UserError(
      vscode.l10n.t('{0} is the same checkpoint.', first),
      vscode.l10n.t('Choose another to compare it with.'),
    );
  }
  const isGrown = allOf(checkpoints.tree).find(({ path }) => path === first)?.parent;
  return isGrown?.path === second
    ? { before: second, after: first }
    : { before: first, after: second };
}

const allOf = (nodes: readonly CheckpointNode[]): CheckpointNode[] =>
  nodes.flatMap(node => [node, ...allOf(node.children)]);

type Choice = vscode.QuickPickItem & { readonly path?: string };

/** One of the workspace's checkpoints, its kin first, or a file. */
async function choose(
  checkpoints: Checkpoints,
  first: string | undefined,
): Promise<string | undefined> {
  const all = allOf(checkpoints.tree).filter(({ failure, summary }) => !failure && summary);
  const own = all.find(({ path }) => path === first);
  const isKin = (node: CheckpointNode): boolean =>
    own !== undefined && (node.parent === own || own.parent === node);
  const others = all.filter(({ path }) => path !== first);
  const choices: Choice[] = [...others.filter(isKin), ...others.filter(node => !isKin(node))].map(
    node => ({
      label: `$(layers) ${harmless(node.label)}`,
      description: isKin(node) ? vscode.l10n.t('grown from one another') : '',
      detail: harmless(vscode.workspace.asRelativePath(node.path)),
      path: node.path,
    }),
  );
  choices.push({ label: `$(folder-opened) ${vscode.l10n.t('Choose a checkpoint…')}` });
  const answer = await vscode.window.showQuickPick(choices, {
    title: vscode.l10n.t('Compare Weights'),
    placeHolder:
      first === undefined
        ? vscode.l10n.t('Which checkpoint should be compared with another?')
        : vscode.l10n.t(
            'With which checkpoint should {0} be compared?',
            own?.label ?? dirname(first),
          ),
    matchOnDetail: true,
  });
  if (!answer) return undefined;
  return answer.path ?? chooseWeights(vscode.l10n.t('Compare'));
}
