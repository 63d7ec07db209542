import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { until } from './support';

type List = vscode.QuickPick<vscode.QuickPickItem>;

/** Answers the extension's dialogs as a person does, and tells what they show. */
export class Dialogs {
  private shown: List | undefined;
  private typing: vscode.InputBox | undefined;
  private readonly original = {
    list: vscode.window.createQuickPick,
    box: vscode.window.createInputBox,
  };

  constructor() {
    vscode.window.createQuickPick = <T extends vscode.QuickPickItem>() => {
      const list = this.original.list.call(vscode.window) as vscode.QuickPick<T>;
      this.shown = list as unknown as List;
      this.typing = undefined;
      return list;
    };
    vscode.window.createInputBox = () => {
      this.shown = undefined;
      this.typing = this.original.box.call(vscode.window);
      return this.typing;
    };
  }

  /** Gives the editor its own dialogs back. */
  dispose(): void {
    vscode.window.createQuickPick = this.original.list;
    vscode.window.createInputBox = this.original.box;
  }

  /** The list of a step, once all its lines are there. */
  async list(step: number): Promise<List> {
    await until(
      `step ${step} shows its lines`,
      () => this.shown?.step === step && !this.shown.busy,
    );
    return this.shown!;
  }

  /** The line of a step that is called so. */
  async line(step: number, label: string): Promise<vscode.QuickPickItem> {
    const { items } = await this.list(step);
    const line = items.find(item => item.label === label);
    assert.ok(line, `"${label}" among: ${items.map(item => item.label).join(', ')}`);
    return line;
  }

  /** Goes to a line of a step and presses Enter. */
  async choose(step: number, label: string): Promise<void> {
    const line = await this.line(step, label);
    const list = await this.list(step);
    const reached = new Promise<void>(resolve => {
      list.onDidChangeActive(([active]) => active === line && resolve());
    });
    if (list.activeItems[0] !== line) {
      list.activeItems = [line];
      // The workbench has it now; it would take an earlier Enter for another line.
      await reached;
    }
    await this.enter();
  }

  /** Chooses the text of the examples, which stands among the files, or among what was used before. */
  async chooseText(step: number): Promise<void> {
    const { items } = await this.list(step);
    await this.choose(step, items.find(({ label }) => label.endsWith(' kjv.txt'))!.label);
  }

  /** Types something in the box of a step and presses Enter; tells what speaks against it. */
  async type(step: number, text: string): Promise<string | undefined> {
    await until(`step ${step} shows a box`, () => this.typing?.step === step);
    const box = this.typing!;
    box.validationMessage = undefined;
    box.value = text;
    await this.enter();
    const problem = (): vscode.InputBox['validationMessage'] => box.validationMessage;
    await until(`"${text}" is judged`, () => problem() !== undefined || this.typing !== box);
    const told = problem();
    return typeof told === 'object' ? told.message : told;
  }

  /** Takes what a step's box has in it; tells what speaks against it. */
  async accept(step: number): Promise<string | undefined> {
    await until(`step ${step} shows a box`, () => this.typing?.step === step);
    return this.type(step, this.typing!.value);
  }

  /** Presses Enter. */
  async enter(): Promise<void> {
    await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
  }

  /** Presses Escape. */
  async leave(): Promise<void> {
    await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
  }
}
