import type { Locator, Page } from 'playwright-core';

/** Lets the next click through to the list if it hits a row with this label, and notes whether it did. */
const letThrough = `label => {
  globalThis.wasHit = false;
  const notice = event => {
    const row = event.target.closest('.quick-input-list .monaco-list-row');
    globalThis.wasHit = row !== null && row.ariaLabel.includes(label);
    if (!globalThis.wasHit) event.stopPropagation();
  };
  globalThis.addEventListener('click', notice, { capture: true, once: true });
}`;

/** The quick input: command palette, quick picks and input boxes. */
export class QuickInput {
  constructor(private readonly page: Page) {}

  get widget(): Locator {
    return this.page.locator('.quick-input-widget');
  }

  get input(): Locator {
    return this.widget.locator('.quick-input-box input');
  }

  /**
   * Rows as a screen reader says them: name, what stands beside it, what stands below. Their text would
   * not do: a row that the list used before keeps, out of sight, what stood below its last name.
   */
  private get rows(): Locator {
    return this.widget.locator('.quick-input-list .monaco-list-row');
  }

  /** The first row that says this. */
  row(text: string | RegExp): Locator {
    return this.rows.and(this.page.getByLabel(text)).first();
  }

  /** The row that Enter would take, once it says this. */
  focusedRow(text: string | RegExp): Locator {
    return this.widget
      .locator('.quick-input-list .monaco-list-row.focused')
      .and(this.page.getByLabel(text))
      .first();
  }

  /** What all rows say, a line each. */
  async lines(): Promise<string> {
    const rows = await this.rows.all();
    const said = await Promise.all(rows.map(row => row.getAttribute('aria-label')));
    return said.join('\n');
  }

  /** What stands above the list. */
  async title(): Promise<string> {
    return (await this.widget.locator('.quick-input-title').textContent()) ?? '';
  }

  /** Waits until a step with this title is shown. */
  async step(title: string | RegExp): Promise<void> {
    await this.widget.locator('.quick-input-title', { hasText: title }).waitFor();
  }

  async labels(): Promise<string[]> {
    return this.rows.locator('.quick-input-list-rows .label-name').allTextContents();
  }

  /**
   * Types into the input that a key was pressed for a moment ago, and tells what came of it: the row
   * that Enter would take has this text, none has for a while, or something took the focus and closed
   * it. Whoever asks tries again; no time here decides anything.
   */
  async find(typed: string, text: string | RegExp): Promise<'found' | 'missing' | 'closed'> {
    const filled = await this.input.fill(typed, { timeout: 5000 }).then(
      () => true,
      () => false,
    );
    if (!filled) return 'closed';
    return Promise.race([
      this.focusedRow(text)
        .waitFor({ timeout: 3000 })
        .then(
          () => 'found' as const,
          () => 'missing' as const,
        ),
      this.widget.waitFor({ state: 'hidden' }).then(() => 'closed' as const),
    ]);
  }

  /** Takes the focused row, and tells whether the list was still there to be taken from. */
  accept(): Promise<boolean> {
    return this.input.press('Enter', { timeout: 5000 }).then(
      () => true,
      () => false,
    );
  }

  async type(text: string): Promise<void> {
    await this.input.waitFor();
    await this.input.fill(text);
  }

  /**
   * Clicks the row that says this. Better lines may come while the pointer is on its way and put
   * another row there: then the click is kept from that one, as a person's hand is, and made again.
   */
  async choose(text: string): Promise<void> {
    const row = this.row(text);
    do {
      await row.waitFor();
      // Where the pointer rests, the whole of a long line comes up and lies over the list.
      await this.page.mouse.move(0, 0);
      await this.page.evaluate(`(${letThrough})(${JSON.stringify(text)})`);
      await row.click();
    } while (!(await this.page.evaluate('globalThis.wasHit')));
  }

  /** Types an answer into an input box and accepts it. */
  async answer(text: string): Promise<void> {
    await this.type(text);
    await this.page.keyboard.press('Enter');
  }

  /** Presses the back button of a step. */
  async back(): Promise<void> {
    await this.widget.locator('.quick-input-titlebar .codicon-quick-input-back').click();
  }

  async isHidden(): Promise<void> {
    await this.widget.waitFor({ state: 'hidden' });
  }
}
