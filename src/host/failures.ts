import * as vscode from 'vscode';
import { UserError } from '../errors';
import { explain } from './text';

/** Where what nobody needs to see right now is written; created when something is. */
export class Failures implements vscode.Disposable {
  private channel: vscode.LogOutputChannel | undefined;

  /** Keeps what went wrong in the background. */
  readonly log = (error: unknown): void => {
    this.output.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  };

  /** Tells a person what went wrong with what they asked for. */
  async show(error: unknown): Promise<void> {
    this.log(error);
    const { message, remedy } = explain(error);
    const showLog = vscode.l10n.t('Show Log');
    const actions = error instanceof UserError ? [] : [showLog];
    const answer = await vscode.window.showErrorMessage(`${message} ${remedy}`, ...actions);
    if (answer === showLog) this.output.show();
  }

  dispose(): void {
    this.channel?.dispose();
  }

  private get output(): vscode.LogOutputChannel {
    return (this.channel ??= vscode.window.createOutputChannel('LiGO', { log: true }));
  }
}
