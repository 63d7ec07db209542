import * as vscode from 'vscode';
import { harmless } from '../harmless';
import type { Checkpoints } from './checkpoints';
import type { CheckpointNode } from './checkpointTree';
import { formatBytes, formatCount } from './text';

/** Shows checkpoints as a tree: grown ones below what they were grown from. */
export class CheckpointsView implements vscode.TreeDataProvider<CheckpointNode> {
  static readonly id = 'ligo.checkpoints';
  readonly onDidChangeTreeData: vscode.Event<void>;

  constructor(private readonly checkpoints: Checkpoints) {
    this.onDidChangeTreeData = checkpoints.onDidChange;
  }

  getChildren(node?: CheckpointNode): CheckpointNode[] {
    return [...(node ? node.children : this.checkpoints.tree)];
  }

  getParent(node: CheckpointNode): CheckpointNode | undefined {
    return node.parent;
  }

  getTreeItem(node: CheckpointNode): vscode.TreeItem {
    const { path, children } = node;
    const label = harmless(node.label);
    const { None, Expanded } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(label, children.length > 0 ? Expanded : None);
    // Another id once it has children: the editor remembers that an item without any was not open.
    item.id = children.length > 0 ? `${path}#parent` : path;
    item.contextValue = contextOf(node);
    item.description = harmless(describe(node));
    item.tooltip = tooltip(node);
    item.iconPath = iconOf(node);
    item.accessibilityInformation = { label: `${label}, ${item.description}` };
    item.command = {
      command: 'ligo.inspectCheckpoint',
      title: vscode.l10n.t('Inspect Checkpoint'),
      arguments: [node],
    };
    return item;
  }
}

/** What menus are shown by. */
function contextOf({ failure, summary }: CheckpointNode): string {
  if (failure) return 'broken';
  if (summary?.kind !== 'model') return 'tensors';
  return summary.parent ? 'model.grown' : 'model';
}

function describe({ summary, failure }: CheckpointNode): string {
  if (failure) return vscode.l10n.t('cannot be read');
  const { model, elementTypes = '', bytes = 0 } = summary ?? {};
  if (!model) return [kindName(summary), formatBytes(bytes), elementTypes].join(' · ');
  const { family, layers, hidden, parameters } = model;
  return `${family} · ${layers} × ${hidden} · ${formatCount(parameters)} · ${elementTypes}`;
}

/** What a checkpoint that cannot grow is. */
function kindName(summary: CheckpointNode['summary']): string {
  if (summary?.kind === 'unsupported') return vscode.l10n.t('not supported');
  if (summary?.kind === 'broken') return vscode.l10n.t('damaged or incomplete');
  return vscode.l10n.t('tensors only');
}

function iconOf({ summary, failure, parent }: CheckpointNode): vscode.ThemeIcon {
  if (failure || summary?.kind === 'broken')
    return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  if (summary?.kind === 'unsupported') return new vscode.ThemeIcon('circle-slash');
  if (summary?.kind !== 'model') return new vscode.ThemeIcon('file-binary');
  return new vscode.ThemeIcon(parent ? 'type-hierarchy-sub' : 'layers');
}

function tooltip({ path, summary, failure }: CheckpointNode): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  // Messages hold names out of files, so nothing in them may become a link or a command.
  const line = (value: string): void =>
    void text.appendText(harmless(value)).appendMarkdown('\n\n');
  if (failure) {
    line(failure.message);
    line(failure.remedy);
    return text;
  }
  const { model, problem, parent, bytes = 0, files = [] } = summary ?? {};
  line(path);
  if (model) {
    line(
      vscode.l10n.t(
        '{0}: {1} layers, {2} hidden units, {3} heads, {4} parameters',
        model.modelClass,
        model.layers,
        model.hidden,
        model.heads,
        model.parameters.toLocaleString(vscode.env.language),
      ),
    );
  }
  line(vscode.l10n.t('{0} in {1} file(s)', formatBytes(bytes), files.length));
  if (parent) line(vscode.l10n.t('Grown from {0}', parent.path));
  if (problem) line(`${problem.message} ${problem.remedy}`);
  return text;
}
