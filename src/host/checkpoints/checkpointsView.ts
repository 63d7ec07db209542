import * as vscode from 'vscode';
import { harmless } from '../../harmless';
import type { Checkpoints } from './checkpoints';
import { isGroup, many, type GroupNode, type TreeNode } from './checkpointGroups';
import { shortReason, type CheckpointNode } from './checkpointTree';
import { formatBytes, formatCompact, plural } from '../text';
import { tickStep } from '../walkthrough';

/** Shows the tree, and says above it when there is more than it shows. */
export function showCheckpoints(checkpoints: Checkpoints): vscode.Disposable {
  const view = vscode.window.createTreeView(CheckpointsView.id, {
    treeDataProvider: new CheckpointsView(checkpoints),
    // Two can be compared.
    canSelectMany: true,
  });
  const tickWhenSeen = (): void => {
    if (view.visible && checkpoints.rows.length > 0) void tickStep('find');
  };
  const shown = view.onDidChangeVisibility(tickWhenSeen);
  const changes = checkpoints.onDidChange(() => {
    tickWhenSeen();
    const { limit } = checkpoints;
    const text = (most: number): string =>
      vscode.l10n.t(
        'There are more files than the {0} that are looked at. Exclude folders in the settings.',
        most.toLocaleString(vscode.env.language),
      );
    view.message = limit === undefined ? '' : text(limit);
  });
  return vscode.Disposable.from(view, changes, shown);
}

/** Grown ones below what they were grown from. */
class CheckpointsView implements vscode.TreeDataProvider<TreeNode> {
  static readonly id = 'ligo.checkpoints';
  readonly onDidChangeTreeData: vscode.Event<void>;

  constructor(private readonly checkpoints: Checkpoints) {
    this.onDidChangeTreeData = checkpoints.onDidChange;
  }

  getChildren(node?: TreeNode): TreeNode[] {
    return [...(node ? node.children : this.checkpoints.rows)];
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    if (isGroup(node)) return groupItem(node);
    const { path, children } = node;
    const label = harmless(node.label);
    const { None, Expanded } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(label, children.length > 0 ? Expanded : None);
    // Another id once it has children: the editor remembers that an item without any was not open.
    item.id = children.length > 0 ? `${path}#parent` : path;
    item.contextValue = contextOf(node);
    item.description = harmless(describe(node));
    item.iconPath = iconOf(node);
    item.accessibilityInformation = { label: `${label}, ${item.description}` };
    item.command = {
      command: 'ligo.inspectCheckpoint',
      title: vscode.l10n.t('Inspect Checkpoint'),
      arguments: [node],
    };
    return item;
  }

  /** Asked of a row that is pointed at: a list may have thousands. */
  resolveTreeItem(item: vscode.TreeItem, node: TreeNode): vscode.TreeItem {
    if (!isGroup(node)) item.tooltip = tooltip(node);
    return item;
  }
}

/** A heading. Folders wait to be opened; what cannot be used is seen at once, unless it is a lot. */
function groupItem({ group, name, key, count }: GroupNode): vscode.TreeItem {
  const { Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
  const { label, tooltip, icon } = headings[group]();
  const closed = group === 'folder' || count > many;
  const item = new vscode.TreeItem(label ?? harmless(name), closed ? Collapsed : Expanded);
  item.id = `${group}#${key}`;
  item.contextValue = 'group';
  item.description = checkpointCount(count);
  item.tooltip = tooltip;
  item.iconPath = new vscode.ThemeIcon(icon);
  item.accessibilityInformation = { label: `${item.label as string}, ${item.description}` };
  return item;
}

const headings: Record<
  GroupNode['group'],
  () => { readonly label?: string; readonly tooltip?: string; readonly icon: string }
> = {
  folder: () => ({ icon: 'folder' }),
  unsupported: () => ({
    label: vscode.l10n.t('Not Supported'),
    tooltip: vscode.l10n.t('Models that can be inspected but not grown.'),
    icon: 'circle-slash',
  }),
  damaged: () => ({
    label: vscode.l10n.t('Damaged'),
    tooltip: vscode.l10n.t('Files that are incomplete or cannot be read.'),
    icon: 'warning',
  }),
  setAside: () => ({
    label: vscode.l10n.t('Set Aside'),
    tooltip: vscode.l10n.t(
      'Folders that a run was replacing when it was stopped. Whatever reads or writes them under their old name next puts them back or removes them.',
    ),
    icon: 'archive',
  }),
};

const checkpointCount = (count: number): string =>
  plural(count, '{0} checkpoint', '{0} checkpoints');

/** What menus are shown by. */
function contextOf({ failure, summary, setAside }: CheckpointNode): string {
  if (failure) return 'broken';
  if (setAside) return 'setAside';
  if (summary?.kind !== 'model') return 'tensors';
  return summary.parent ? 'model.grown' : 'model';
}

function describe(node: CheckpointNode): string {
  const { place } = node;
  return place === undefined ? factsOf(node) : `${place} · ${factsOf(node)}`;
}

/** Its sizes, or why it cannot be used: the heading above says no more than that. */
function factsOf({ path, summary, failure }: CheckpointNode): string {
  if (failure) return shortReason(path, failure.message);
  const { model, problem, elementTypes = '', bytes = 0 } = summary ?? {};
  if (model) {
    const { family, layers, hidden, parameters } = model;
    return `${family} · ${layers} × ${hidden} · ${formatCompact(parameters)} · ${elementTypes}`;
  }
  if (summary?.kind !== 'tensors' && problem) return shortReason(path, problem.message);
  return [vscode.l10n.t('tensors only'), formatBytes(bytes), elementTypes].join(' · ');
}

function iconOf({ summary, failure, parent, setAside }: CheckpointNode): vscode.ThemeIcon {
  if (failure || summary?.kind === 'broken')
    return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  if (setAside) return new vscode.ThemeIcon('archive');
  if (summary?.kind === 'unsupported') return new vscode.ThemeIcon('circle-slash');
  if (summary?.kind !== 'model') return new vscode.ThemeIcon('file-binary');
  return new vscode.ThemeIcon(parent ? 'type-hierarchy-sub' : 'layers');
}

function tooltip({ path, summary, failure }: CheckpointNode): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  // Messages hold names out of files, so nothing in them may become a link or a command.
  const line = (value: string): void =>
    void text.appendText(harmless(value)).appendMarkdown('\n\n');
  line(path);
  if (failure) {
    line(failure.message);
    line(failure.remedy);
    return text;
  }
  const { model, problem, parent, bytes = 0, files = [] } = summary ?? {};
  if (model) {
    line(
      vscode.l10n.t(
        '{0}: {1}, {2}, {3}, {4}',
        model.modelClass,
        plural(model.layers, '{0} layer', '{0} layers'),
        plural(model.hidden, '{0} hidden unit', '{0} hidden units'),
        plural(model.heads, '{0} head', '{0} heads'),
        plural(model.parameters, '{0} parameter', '{0} parameters'),
      ),
    );
  }
  const inFiles = plural(files.length, '{0} file', '{0} files');
  line(vscode.l10n.t('{0} in {1}', formatBytes(bytes), inFiles));
  if (parent) line(vscode.l10n.t('Grown from {0}', parent.path));
  if (problem) line(`${problem.message} ${problem.remedy}`);
  return text;
}
