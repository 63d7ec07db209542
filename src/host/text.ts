import * as vscode from 'vscode';
import { UserError } from '../errors';
import type { Phase } from './runRecord';

/** 1,234,567 as 1.2 M. */
export function formatCount(count: number): string {
  for (const [unit, size] of [
    ['B', 1e9],
    ['M', 1e6],
    ['K', 1e3],
  ] as const) {
    if (count >= size) return `${trim(count / size)} ${unit}`;
  }
  return String(count);
}

/** Bytes in the decimal units that disks are sold by. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ['TB', 1e12],
    ['GB', 1e9],
    ['MB', 1e6],
    ['KB', 1e3],
  ] as const) {
    if (bytes >= size) return `${trim(bytes / size)} ${unit}`;
  }
  return `${bytes} B`;
}

const trim = (value: number): string => value.toFixed(value < 10 ? 1 : 0).replace(/\.0$/, '');

/** Seconds as "45 s", "3 min", "2 h 5 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 90) return vscode.l10n.t('{0} s', Math.max(1, Math.round(seconds)));
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return vscode.l10n.t('{0} min', minutes);
  return vscode.l10n.t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}

/** What a run is doing, in the person's language. */
export function describePhase(phase: Phase): string {
  const words: Record<Phase, () => string> = {
    waiting: () => vscode.l10n.t('waiting for its turn'),
    starting: () => vscode.l10n.t('starting'),
    measuring: () => vscode.l10n.t('measuring'),
    learning: () => vscode.l10n.t('learning operators'),
    paused: () => vscode.l10n.t('paused'),
    pausing: () => vscode.l10n.t('pausing'),
    writing: () => vscode.l10n.t('writing the checkpoint'),
    stopping: () => vscode.l10n.t('stopping'),
    done: () => vscode.l10n.t('done'),
    failed: () => vscode.l10n.t('failed'),
    cancelled: () => vscode.l10n.t('cancelled'),
  };
  return words[phase]();
}

/** An error as people read it: what is wrong and what to do. */
export function explain(error: unknown): { message: string; remedy: string } {
  if (error instanceof UserError) return { message: error.message, remedy: error.remedy };
  return {
    message: error instanceof Error ? error.message : String(error),
    remedy: vscode.l10n.t('Please report it.'),
  };
}
