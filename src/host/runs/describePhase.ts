import * as vscode from 'vscode';
import type { ComparisonMoment } from '../../protocol/comparisonState';
import { methodTitle } from '../../protocol/methodTitles';
import type { Holder, Phase, PhaseDetails } from './runRecord';

/** What a run is doing, in the person's language. */
export function describePhase(phase: Phase, { at, waitsFor }: PhaseDetails = {}): string {
  const words: Record<Phase, () => string> = {
    waiting: () => (waitsFor ? describeHolder(waitsFor) : vscode.l10n.t('waiting for its turn')),
    starting: () => vscode.l10n.t('starting'),
    measuring: () => vscode.l10n.t('measuring'),
    learning: () => vscode.l10n.t('learning operators'),
    training: () => vscode.l10n.t('training'),
    comparing: () => (at ? describeMoment(at) : vscode.l10n.t('comparing')),
    reporting: () => vscode.l10n.t('writing the report'),
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

/** Who has the device that a run waits for. */
function describeHolder({ title, window }: Holder): string {
  return window === undefined
    ? vscode.l10n.t('waiting for {0}', title)
    : vscode.l10n.t('waiting for {0} in another window ({1})', title, windowName(window));
}

/** What a window is called. */
export const windowName = (window: string): string => window || vscode.l10n.t('no folder open');

/** The run that a comparison is making, with its method, seed and step. */
function describeMoment(at: ComparisonMoment): string {
  const { run, runs, method, seed, phase, step, steps } = at;
  const title = methodTitle(method);
  const which = vscode.l10n.t('run {0} of {1}: {2}, seed {3}', run, runs, title, seed);
  if (steps === 0) return which;
  const far =
    phase === 'training'
      ? vscode.l10n.t('step {0} of {1}', step, steps)
      : vscode.l10n.t('learning operators, step {0} of {1}', step, steps);
  return `${which}, ${far}`;
}
