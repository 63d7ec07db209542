import * as vscode from 'vscode';
import { UserError } from '../errors';

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

/** A number of things, in the person's language; both forms have it as {0}. */
export const plural = (count: number, one: string, several: string): string =>
  vscode.l10n.t(count === 1 ? one : several, count.toLocaleString(vscode.env.language));

export { formatBytes } from '../format';

const trim = (value: number): string => value.toFixed(value < 10 ? 1 : 0).replace(/\.0$/, '');

/** Seconds as "45 s", "3 min", "2 h 5 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 90) return vscode.l10n.t('{0} s', Math.max(1, Math.round(seconds)));
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return vscode.l10n.t('{0} min', minutes);
  return vscode.l10n.t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}

/** Floating-point operations: 1.7e11 as 170 GFLOP. */
export function formatFlops(flops: number): string {
  const units = ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP', 'EFLOP'] as const;
  const power = Math.floor(Math.log10(Math.max(1, flops)) / 3);
  const unit = Math.min(power, units.length - 1);
  return `${trim(flops / 1000 ** unit)} ${units[unit]}`;
}

/** An error as people read it: what is wrong and what to do. */
export function explain(error: unknown): { message: string; remedy: string } {
  if (error instanceof UserError) return { message: error.message, remedy: error.remedy };
  return {
    message: error instanceof Error ? error.message : String(error),
    remedy: vscode.l10n.t('Please report it.'),
  };
}
