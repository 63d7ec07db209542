import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';

/** The person went back a step. */
export const back = Symbol('back');
/** The person closed the dialog. */
export const cancelled = Symbol('cancelled');
/** What a step ends with besides a value. */
export type NoAnswer = typeof back | typeof cancelled;

/** A choice in a list; `value` undefined for lines that only tell something. */
export interface Choice<T> extends vscode.QuickPickItem {
  readonly value?: T;
  /** The whole of what a line without a value tells, which a list cuts off; shown on Enter. */
  readonly explanation?: string;
  /** Where several may be picked: this one always is. */
  readonly required?: boolean;
}

/** Where a dialog stands. */
export interface StepFrame {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
}

/** Lets a person pick one of some choices, or go back. Choices may come later. */
export function pickStep<T>(
  frame: StepFrame,
  options: {
    readonly placeholder: string;
    readonly choices: readonly Choice<T>[] | Promise<readonly Choice<T>[]>;
    /** Better choices that take longer; each replaces those before it. */
    readonly later?: readonly Promise<readonly Choice<T>[]>[] | undefined;
    readonly active?: (value: T) => boolean;
  },
): Promise<T | NoAnswer> {
  const pick = vscode.window.createQuickPick<Choice<T>>();
  Object.assign(pick, frame);
  pick.placeholder = options.placeholder;
  pick.ignoreFocusOut = true;
  pick.matchOnDescription = true;
  if (frame.step > 1) pick.buttons = [vscode.QuickInputButtons.Back];
  return new Promise((resolve, reject) => {
    let open = true;
    const finish = (answer: T | NoAnswer): void => {
      open = false;
      resolve(answer);
      pick.dispose();
    };
    const fail = (error: unknown): void => {
      open = false;
      reject(error instanceof Error ? error : new Error(String(error)));
      pick.dispose();
    };
    const { active, later = [] } = options;
    const show = (choices: readonly Choice<T>[]): void => {
      // Lines drawn anew could take a click that was meant for those before.
      if (!open || isDeepStrictEqual(pick.items, choices)) return;
      // What a hand is on stays under it when better lines come.
      const [held] = pick.activeItems;
      const isHeld = ({ value }: Choice<T>): boolean =>
        value !== undefined && value === held?.value;
      pick.items = choices;
      const preferred =
        choices.find(isHeld) ?? choices.find(({ value }) => value !== undefined && active?.(value));
      if (preferred) pick.activeItems = [preferred];
    };
    pick.onDidTriggerButton(() => finish(back));
    pick.onDidHide(() => open && finish(cancelled));
    pick.onDidAccept(() => {
      const chosen = pick.selectedItems[0] ?? pick.activeItems[0];
      if (chosen?.value !== undefined) finish(chosen.value);
      else if (chosen?.explanation !== undefined) {
        void vscode.window.showInformationMessage(chosen.explanation);
      }
    });
    pick.busy = true;
    const first = Promise.resolve(options.choices).then(show);
    const all = [
      first,
      ...later.map(better => Promise.all([better, first]).then(([c]) => show(c))),
    ];
    Promise.all(all).then(() => open && (pick.busy = false), fail);
    pick.show();
  });
}

/**
 * Lets a person pick some of the choices, or go back. Lines without a value cannot be picked;
 * `problem` tells what speaks against what is picked.
 */
export function pickManyStep<T>(
  frame: StepFrame,
  options: {
    readonly placeholder: string;
    readonly choices: Promise<readonly Choice<T>[]>;
    readonly problem: (values: readonly T[]) => string | undefined;
  },
): Promise<readonly T[] | NoAnswer> {
  const pick = vscode.window.createQuickPick<Choice<T>>();
  Object.assign(pick, frame);
  pick.placeholder = options.placeholder;
  pick.canSelectMany = true;
  pick.ignoreFocusOut = true;
  pick.matchOnDescription = true;
  if (frame.step > 1) pick.buttons = [vscode.QuickInputButtons.Back];
  return new Promise((resolve, reject) => {
    let open = true;
    const finish = (answer: readonly T[] | NoAnswer): void => {
      open = false;
      resolve(answer);
      pick.dispose();
    };
    /** What may be picked, in the order of the list, with what always is. */
    const allowed = (): Choice<T>[] => {
      const picked = new Set(pick.selectedItems);
      return pick.items.filter(
        item => item.value !== undefined && (item.required === true || picked.has(item)),
      );
    };
    const valuesOf = (choices: readonly Choice<T>[]): T[] =>
      choices.flatMap(({ value }) => (value === undefined ? [] : [value]));
    pick.onDidTriggerButton(() => finish(back));
    pick.onDidHide(() => open && finish(cancelled));
    pick.onDidChangeSelection(selected => {
      const kept = allowed();
      if (kept.length !== selected.length || kept.some(item => !selected.includes(item))) {
        pick.selectedItems = kept;
      }
      pick.placeholder = options.placeholder;
    });
    pick.onDidAccept(() => {
      const values = valuesOf(allowed());
      const problem = options.problem(values);
      if (problem === undefined) finish(values);
      else pick.placeholder = problem;
    });
    pick.busy = true;
    options.choices.then(
      choices => {
        if (!open) return;
        pick.items = choices;
        pick.selectedItems = choices.filter(({ picked }) => picked);
        pick.busy = false;
      },
      (error: unknown) => {
        open = false;
        reject(error instanceof Error ? error : new Error(String(error)));
        pick.dispose();
      },
    );
    pick.show();
  });
}

/** Lets a person type something that `validate` has no word against, or go back. */
export function inputStep(
  frame: StepFrame,
  options: {
    readonly prompt: string;
    readonly value: string;
    readonly placeholder?: string;
    readonly validate: (text: string) => string | undefined;
  },
): Promise<string | NoAnswer> {
  const input = vscode.window.createInputBox();
  Object.assign(input, frame);
  input.prompt = options.prompt;
  input.value = options.value;
  input.placeholder = options.placeholder ?? '';
  input.ignoreFocusOut = true;
  if (frame.step > 1) input.buttons = [vscode.QuickInputButtons.Back];
  return new Promise(resolve => {
    let open = true;
    const finish = (answer: string | NoAnswer): void => {
      open = false;
      resolve(answer);
      input.dispose();
    };
    const check = (): boolean => {
      input.validationMessage = options.validate(input.value);
      return input.validationMessage === undefined;
    };
    input.onDidTriggerButton(() => finish(back));
    input.onDidHide(() => open && finish(cancelled));
    input.onDidChangeValue(check);
    input.onDidAccept(() => {
      if (check()) finish(input.value);
    });
    input.show();
  });
}

/**
 * Runs steps in order, each adding to what is known; going back runs the one before again. A step
 * may answer 'skip' to be passed over in either direction.
 */
export async function runSteps<S>(
  start: S,
  steps: readonly ((state: S) => Promise<S | NoAnswer | 'skip'>)[],
): Promise<S | undefined> {
  const states: S[] = [start];
  let direction = 1;
  for (let at = 0; at < steps.length;) {
    const state = states[at]!;
    const answer = await steps[at]!(state);
    if (answer === cancelled) return undefined;
    if (answer === back) direction = -1;
    else {
      if (answer !== 'skip') direction = 1;
      states[at + 1] = answer === 'skip' ? state : answer;
    }
    at += direction;
    if (at < 0) return undefined;
  }
  return states[steps.length];
}
