import * as vscode from 'vscode';
import { engineChoices, type EngineChoice } from '../protocol/engines';
import type { PageOptions } from '../protocol/messages';
import type { Disposable } from './lifetime';

/** Every setting with its type; the only place that reads the configuration. */
export class Settings {
  /** The Node that runs are worked on with; the editor's own by default. */
  get nodePath(): string {
    return this.read('nodePath', '').trim() || process.execPath;
  }

  /** Threads of the CPU engine; undefined for all. */
  get threads(): number | undefined {
    const threads = this.read('threads', 0);
    return Number.isSafeInteger(threads) && threads > 0 ? threads : undefined;
  }

  /** What computes; nonsense in the settings file counts as nothing set. */
  get engine(): EngineChoice {
    const name = this.read<unknown>('engine', 'auto');
    return engineChoices.find(choice => choice === name) ?? 'auto';
  }

  get excludedGlobs(): readonly string[] {
    const globs = this.read<unknown>('checkpoints.exclude', []);
    return Array.isArray(globs) ? globs.filter(glob => typeof glob === 'string') : [];
  }

  get showsGitIgnored(): boolean {
    return this.read('checkpoints.showGitIgnored', true);
  }

  get colorMap(): PageOptions['colorMap'] {
    return this.read<string>('heatmap.colorMap', 'RdBu') === 'PuOr' ? 'PuOr' : 'RdBu';
  }

  get runsKept(): number {
    return this.read('runs.keep', 20);
  }

  /** Tells when one of ours changed; `affects` tells which. */
  onDidChange(listener: (affects: (name: string) => boolean) => void): Disposable {
    return vscode.workspace.onDidChangeConfiguration(event => {
      if (!event.affectsConfiguration('ligo')) return;
      listener(name => event.affectsConfiguration(`ligo.${name}`));
    });
  }

  private read<T>(name: string, preset: T): T {
    return vscode.workspace.getConfiguration('ligo').get<T>(name, preset);
  }
}
