import { dirname, extname } from 'node:path';
import * as vscode from 'vscode';
import { groupCheckpoints, placeFrom, sameRows, type TreeNode } from './checkpointGroups';
import {
  arrange,
  candidates,
  isUsable,
  siblingAt,
  type CheckpointNode,
  type Found,
} from './checkpointTree';
import { Changes, type Changed } from './changes';
import { gitIgnored } from './gitIgnored';
import { lookAtAll } from './lookAtAll';
import { Relatives } from './relatives';
import { Stamps, type Stamp } from './stamps';
import { DisposableStore, oneAtATime, throttle, type Disposable } from '../lifetime';
import { weightPattern } from './weightsFile';
import { isRunning } from '../runs/runFolder';
import type { ServiceClient } from '../serviceClient';
import type { Settings } from '../settings';
import { explain } from '../text';

/** Most files that are looked at. */
const mostFiles = 20_000;
/** Questions to the helper process at a time, and files of each. */
const pace = { atOnce: 8, together: 16 };
/** Bytes of a checkpoint that is still hashed to find what another was grown from. */
const largestHashed = 500e6;
/** Milliseconds that changes of files are collected for. */
const settleTime = 400;
/** Milliseconds between redraws while many files are looked at: the editor asks for every item again. */
const redrawEvery = 1000;

interface Known extends Found {
  readonly stamp: Stamp;
}

/** Every checkpoint in the workspace. Looks again when files change; reads no header twice. */
export class Checkpoints implements Disposable {
  /** In the order in which the tree has them, so that it is sorted quickly again. */
  private known = new Map<string, Known>();
  /** All folders that something known lies in. */
  private folders = new Set<string>();
  private readonly changes = new Changes();
  /** The files that were looked at last. */
  private paths: readonly string[] = [];
  private readonly hashes = new Map<string, Promise<string | undefined>>();
  private parents = new Map<string, string>();
  private roots: readonly CheckpointNode[] = [];
  private shown: readonly TreeNode[] = [];
  private readonly places = new Map<string, readonly string[]>();
  private tooMany = false;
  private limitShown: number | undefined;
  private looks = 0;
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly disposables = new DisposableStore();
  private readonly settle = throttle(settleTime, () => void this.lookAgain());
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
      this.disposables.add(watcher.onDidChange(uri => this.onFile(uri.fsPath, false)));
      for (const event of [watcher.onDidCreate, watcher.onDidDelete]) {
        this.disposables.add(event(uri => this.onFile(uri.fsPath, true)));
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
      folders.onDidDelete(uri => this.onFolder(uri.fsPath, this.folders.has(uri.fsPath))),
    );
    this.disposables.add(
      vscode.workspace.onDidChangeWorkspaceFolders(() => {
        this.places.clear();
        this.changes.all();
        this.settle.run();
      }),
    );
    // The helper process comes up while files are searched for; a failure is told of where it is asked again.
    this.service.call('summarizeFound', []).catch(() => undefined);
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

  /** How often the workspace was looked at as a whole. */
  get timesLooked(): number {
    return this.looks;
  }

  /** All that can be grown, in the order of the tree. */
  get models(): readonly CheckpointNode[] {
    const all = (nodes: readonly CheckpointNode[]): CheckpointNode[] =>
      nodes.flatMap(node => [node, ...all(node.children)]);
    return all(this.roots).filter(isUsable);
  }

  /** Looks at the whole workspace; several calls at once become one more look. */
  refresh(): Promise<void> {
    this.changes.all();
    return this.lookAgain();
  }

  private readonly lookAgain = oneAtATime(() =>
    this.scan(this.changes.take()).catch((error: unknown) => {
      // What was not looked at is at the next time.
      this.changes.all();
      this.onError(error);
    }),
  );

  dispose(): void {
    this.disposables.dispose();
  }

  private onFile(path: string, cameOrWent: boolean): void {
    if (cameOrWent) this.changes.name(path);
    else this.changes.file(path);
    this.settle.run();
  }

  private onFolder(path: string, matters: boolean): void {
    if (!matters || /[\\/](node_modules|\.git)([\\/]|$)/.test(path)) return;
    this.changes.folder(path);
    this.settle.run();
  }

  private async scan({ names, mayConcern }: Changed): Promise<void> {
    if (names) this.paths = candidates(await this.files());
    const before = [...this.known.keys()];
    const present = new Set(this.paths);
    const gone = before.filter(path => !present.has(path));
    for (const path of gone) this.known.delete(path);
    if (gone.length > 0) this.folders = foldersAbove(this.known.keys());
    const stamps = new Stamps();
    let isChanged = gone.length > 0;
    const look = async (some: readonly string[]): Promise<void> => {
      if (!(await this.look(some, stamps))) return;
      isChanged = true;
      this.redraw.run();
    };
    const inQuestion = this.paths.filter(path => !this.known.has(path) || mayConcern(path));
    await lookAtAll(inQuestion, pace, look, async (path, error) => {
      const stamp = await stamps.of(path);
      if (stamp) this.known.set(path, { path, stamp, failure: explain(error) });
      isChanged = true;
    });
    if (isChanged) this.parents = await this.findParents();
    if (isChanged || this.looks === 0 || this.limit !== this.limitShown) {
      this.publish();
      await this.tellMenus();
    }
    this.looks++;
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

  /** Whether any of these files is new or was changed: those are looked into. */
  private async look(paths: readonly string[], stamps: Stamps): Promise<boolean> {
    const changed: { readonly path: string; readonly stamp: Stamp }[] = [];
    for (const [index, stamp] of (
      await Promise.all(paths.map(path => stamps.of(path)))
    ).entries()) {
      const path = paths[index]!;
      if (stamp && !isAsKnown(this.known.get(path), stamp)) changed.push({ path, stamp });
    }
    if (changed.length === 0) return false;
    const answers = await this.service.call(
      'summarizeFound',
      changed.map(({ path }) => path),
    );
    for (const [index, { path, stamp }] of changed.entries()) {
      this.hashes.delete(path);
      const setAside = siblingAt(path) !== undefined;
      this.known.set(path, { path, stamp, setAside, ...answers[index] });
      addFoldersAbove(path, this.folders);
    }
    return true;
  }

  /** By where the receipt says the parent lay, else by what it held. */
  private async findParents(): Promise<Map<string, string>> {
    const all = [...this.known.values()].filter(isUsable);
    const relatives = new Relatives(all);
    const parents = new Map<string, string>();
    for (const child of all) {
      const byPath = relatives.parentByPath(child);
      if (byPath) parents.set(child.path, byPath.path);
      else {
        const sha256 = child.summary?.parent?.sha256;
        for (const other of relatives.ofParentsSizes(child)) {
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
    this.keepOrder();
    const rows = groupCheckpoints(this.roots, ({ path }) => this.placeOf(path));
    const same = sameRows(rows, this.shown) && this.limit === this.limitShown;
    this.shown = rows;
    this.limitShown = this.limit;
    // The editor forgets what its rows stand for when it is told: a menu that is open names nothing then.
    if (!same) this.changed.fire();
  }

  private keepOrder(): void {
    const inOrder = new Map<string, Known>();
    const add = (nodes: readonly CheckpointNode[]): void => {
      for (const { path, children } of nodes) {
        inOrder.set(path, this.known.get(path)!);
        add(children);
      }
    };
    add(this.roots);
    for (const [path, known] of this.known) inOrder.set(path, known);
    this.known = inOrder;
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

/** Adds the folders that a path lies in; those above one that is there are there too. */
function addFoldersAbove(path: string, folders: Set<string>): void {
  for (let each = dirname(path); !folders.has(each); each = dirname(each)) folders.add(each);
}

function foldersAbove(paths: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const path of paths) addFoldersAbove(path, folders);
  return folders;
}

/** Whether a run is writing it; a half-written file that a stopped run left counts as that too. */
function isBeingWritten(path: string): boolean {
  const sibling = siblingAt(path);
  if (!sibling) return false;
  return sibling.kind === 'partial' || isRunning(sibling.pid);
}

/** Whether nothing that decides what a file is was changed: of what is no weights that is the file alone. */
const isAsKnown = (known: Known | undefined, { own, beside }: Stamp): boolean =>
  known?.stamp.own === own && (known.summary?.kind === 'other' || known.stamp.beside === beside);
