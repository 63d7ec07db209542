import * as vscode from 'vscode';

/** A step of the walkthrough, by its id in package.json. */
export type WalkthroughStep = 'example' | 'find' | 'grow' | 'watch';

/**
 * Ticks a step of the walkthrough once what it tells of was really done, whichever way: commands alone
 * would tick it for dialogs that were closed, and not for what buttons do.
 */
export const tickStep = (step: WalkthroughStep): Thenable<unknown> =>
  vscode.commands.executeCommand('setContext', `ligo.did.${step}`, true);
