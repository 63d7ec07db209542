import { stat } from 'node:fs/promises';
import { dirname, extname, join, sep } from 'node:path';
import * as vscode from 'vscode';
import { groupCheckpoints, placeFrom, sameRows, type TreeNode } from './checkpointGroups';
import {
  arrange,
  candidates,
  isUsable,
  parentByPath,
  parentCandidates,
  siblingAt,
  type CheckpointNode,
  type Found,
} from './checkpointTree';
import { gitIgnored } from './gitIgnored';
import { lookAtAll } from './lookAtAll';
import { DisposableStore, oneAtATime, throttle, type Disposable } from '../lifetime';
import { weightPattern } from './weightsFile';
import { isRunning } from '../runs/runFolder';
import { HelperLostError, type ServiceClient } from '../serviceClient';
import type { Settings } from '../settings';
import { explain } from '../text';

/** Most files that are looked at. */
const mostFiles = 20_000;
/** Questions to the helper process at a time. */
const atOnce = 8;
/** Bytes of a checkpoint that is still hashed to find what another was grown from. */
const largestHashed = 500e6;
/** Milliseconds that changes of files are collected for. */
const settleTime = 400;
/** Milliseconds between redraws while many files are looked at: the editor asks for every item again. */
const redrawEvery = 1000;

interface Known extends Found {
  /** Times and sizes of the files that decide what it is. */
  readonly stamp: string;
}

/** Every checkpoint in the workspace. Looks again when files change; reads no header twice. */
export class Checkpoints implements Disposable {
  private known = new Map<string, Known>();
  private readonly hashes = new Map<string, Promise<string | undefined>>();
  private parents = new Map<string, string>();
  private roots: readonly CheckpointNode[] = [];
  private shown: readonly TreeNode[] = [];
  private readonly places = new Map<string, readonly string[]>();
  private tooMany = false;
  private limitShown: number | undefined;
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly disposables = new DisposableStore();
  private readonly settle = throttle(settleTime, () => void this.refresh());
  private readonly redraw = throttle(redrawEvery, () => this.publish());

  readonly onDidChange = this.changed.event;

  constructor(
    private readonly service: ServiceClient,
    private readonly settings: Settings,
    private readonly onError: (error: unknown) => void,
  ) {
    for (const part of [this.changed, this.settle, this.redraw]) this.disposables.add(part);
  }

  /** Begins to watch the workspace and looks for the first time. */
  start(): void {
    for (const glob of [weightPattern, '**/{config,growth}.json']) {
      const watcher = this.disposables.add(vscode.workspace.createFileSystemWatcher(glob));
      for (const event of [watcher.onDidCreate, watcher.onDidChange, watcher.onDidDelete]) {
        this.disposables.add(event(() => this.settle.run()));
      }
    }
    // Of a folder that comes or goes as a whole, only the folder itself is told.
    const folders = this.disposables.add(
      vscode.workspace.createFileSystemWatcher('**', false, true, false),
    );
    this.disposables.add(
      folders.onDidCreate(uri => this.onFolder(uri.fsPath, !extname(uri.fsPath))),
    );
    this.disposables.add(
      folders.onDidDelete(uri => this.onFolder(uri.fsPath, this.holds(uri.fsPath))),
    );
    this.disposables.add(
      vscode.workspace.onDidChangeWorkspaceFolders(() => {
        this.places.clear();
        this.settle.run();
      }),
    );
    // Git may be asked from now on.
    this.disposables.add(vscode.workspace.onDidGrantWorkspaceTrust(() => void this.refresh()));
    void this.refresh();
  }

  /** Checkpoints that were not grown from another one here. */
  get tree(): readonly CheckpointNode[] {
    return this.roots;
  }

  /** The tree as it is shown: by folder where there are many, and what cannot be used at the end. */
  get rows(): readonly TreeNode[] {
    return this.shown;
  }

  /** How many files were looked at, where there are more; undefined where all were. */
  get limit(): number | undefined {
    return this.tooMany ? mostFiles : undefined;
  }

  /** All that can be grown, in the order of the tree. */
  get models(): readonly CheckpointNode[] {
    const all = (nodes: readonly CheckpointNode[]): CheckpointNode[] =>
      nodes.flatMap(node => [node, ...all(node.children)]);
    return all(this.roots).filter(isUsable);
  }

  /** Looks at the workspace; several calls at once become one more look. */
  readonly refresh = oneAtATime(() => this.scan().catch(this.onError));

  dispose(): void {
    this.disposables.dispose();
  }

  private onFolder(path: string, matters: boolean): void {
    if (matters && !/[\\/](node_modules|\.git)([\\/]|$)/.test(path)) this.settle.run();
  }

  /** Whether a checkpoint we know lies in a folder. */
  private holds(folder: string): boolean {
    for (const path of this.known.keys()) if (path.startsWith(folder + sep)) return true;
    return false;
  }

  private async scan(): Promise<void> {
    const paths = candidates(await this.files());
    const present = new Set(paths);
    for (const path of this.known.keys()) if (!present.has(path)) this.known.delete(path);
    const look = async (path: string): Promise<void> => {
      await this.look(path);
      this.redraw.run();
    };
    await lookAtAll(paths, atOnce, look, async (path, error) => {
      this.known.set(path, { path, stamp: (await stampOf(path)) ?? '', failure: explain(error) });
    });
    this.parents = await this.findParents();
    this.publish();
    await this.tellMenus();
  }

  private async files(): Promise<string[]> {
    const excluded = this.settings.excludedGlobs;
    const exclude = excluded.length > 0 ? `{${excluded.join(',')}}` : undefined;
    const uris = await vscode.workspace.findFiles(weightPattern, exclude, mostFiles + 1);
    this.tooMany = uris.length > mostFiles;
    const paths = uris
      .slice(0, mostFiles)
      .filter(({ scheme }) => scheme === 'file')
      .map(({ fsPath }) => fsPath)
      .filter(path => !isBeingWritten(path));
    paths.sort();
    const { showsGitIgnored } = this.settings;
    // A repository's configuration may name programs, so git is asked in a trusted workspace alone.
    if (showsGitIgnored || !vscode.workspace.isTrusted || paths.length === 0) return paths;
    const folders = vscode.workspace.workspaceFolders ?? [];
    const ignored = await Promise.all(
      folders
        .filter(({ uri }) => uri.scheme === 'file')
        .map(({ uri }) =>
          gitIgnored(uri.fsPath, paths).catch((error: unknown) => {
            this.onError(error);
            return new Set<string>();
          }),
        ),
    );
    return paths.filter(path => !ignored.some(set => set.has(path)));
  }

  private async look(path: string): Promise<void> {
    const stamp = await stampOf(path);
    if (stamp === undefined || this.known.get(path)?.stamp === stamp) return;
    this.hashes.delete(path);
    const setAside = siblingAt(path) !== undefined;
    try {
      const summary = await this.service.call('summarizeFound', path);
      this.known.set(path, { path, stamp, setAside, summary });
    } catch (error) {
      if (error instanceof HelperLostError) throw error;
      this.known.set(path, { path, stamp, setAside, failure: explain(error) });
    }
  }

  /** By where the receipt says the parent lay, else by what it held. */
  private async findParents(): Promise<Map<string, string>> {
    const all = [...this.known.values()].filter(isUsable);
    const parents = new Map<string, string>();
    for (const child of all) {
      const byPath = parentByPath(child, all);
      if (byPath) parents.set(child.path, byPath.path);
      else {
        const sha256 = child.summary?.parent?.sha256;
        for (const other of parentCandidates(child, all)) {
          if ((await this.hashOf(other)) !== sha256) continue;
          parents.set(child.path, other.path);
          break;
        }
      }
    }
    return parents;
  }

  private hashOf({ path, summary }: Found): Promise<string | undefined> {
    if ((summary?.bytes ?? Infinity) > largestHashed) return Promise.resolve(undefined);
    const existing = this.hashes.get(path);
    if (existing) return existing;
    const hash = this.service.call('hash', path).catch((error: unknown) => {
      this.hashes.delete(path);
      this.onError(error);
      return undefined;
    });
    this.hashes.set(path, hash);
    return hash;
  }

  private publish(): void {
    const found = [...this.known.values()];
    this.roots = arrange(found, child => this.known.get(this.parents.get(child.path) ?? ''));
    const rows = groupCheckpoints(this.roots, ({ path }) => this.placeOf(path));
    const same = sameRows(rows, this.shown) && this.limit === this.limitShown;
    this.shown = rows;
    this.limitShown = this.limit;
    // The editor forgets what its rows stand for when it is told: a menu that is open names nothing then.
    if (!same) this.changed.fire();
  }

  /** Folders from the workspace down to a checkpoint; asked of the editor once, as there may be many. */
  private placeOf(path: string): readonly string[] {
    let place = this.places.get(path);
    if (place === undefined) {
      const severalFolders = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
      place = placeFrom(vscode.workspace.asRelativePath(path, severalFolders));
      this.places.set(path, place);
    }
    return place;
  }

  /** Tells menus which files and folders can be grown. */
  private async tellMenus(): Promise<void> {
    const growable = this.models.flatMap(({ path, summary }) => [path, ...(summary?.files ?? [])]);
    const resources = [...new Set([...growable, ...growable.map(path => dirname(path))])];
    await vscode.commands.executeCommand('setContext', 'ligo.checkpointPaths', resources);
    // Until the first time menus go by the extension of a file.
    await vscode.commands.executeCommand('setContext', 'ligo.checkpointsKnown', true);
  }
}

/** Whether a run is writing it; a half-written file that a stopped run left counts as that too. */
function isBeingWritten(path: string): boolean {
  const sibling = siblingAt(path);
  if (!sibling) return false;
  return sibling.kind === 'partial' || isRunning(sibling.pid);
}

/** Times and sizes of a file and of what beside it decides what it is; undefined when it is gone. */
async function stampOf(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const parts = await Promise.all(
    [path, join(folder, 'config.json'), join(folder, 'growth.json'), folder].map(file =>
      stat(file).then(
        ({ mtimeMs, size }) => `${mtimeMs}:${size}`,
        () => undefined,
      ),
    ),
  );
  return parts[0] === undefined ? undefined : parts.join(' ');
}
