import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Frame, type Locator, type Page } from 'playwright-core';
import { editorPaths, repository } from './installation';
import { QuickInput } from './quickInput';
import { recordBrowser, type Recorder } from './recorder';
import type { EditorServer } from './server';

/** How a browser opens the workbench. */
export interface OpenOptions {
  readonly folder: string;
  /** Key and value pairs for the workbench itself, such as `extensionTestsPath`. */
  readonly payload?: readonly (readonly [string, string])[];
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Prefix of this workbench's screenshots. */
  readonly screenshots?: string;
  /** Called before the page is loaded, to expose functions to it. */
  readonly prepare?: (page: Page) => Promise<void>;
}

const screenshotFolder = join(repository, 'out', 'screenshots', 'e2e');

/** Most that anything in the editor may take on a machine that is busy with other things, milliseconds. */
export const patience = 120_000;

/** A person in front of VS Code: one page in a headless browser. */
export class Workbench {
  readonly quickInput: QuickInput;
  private constructor(
    readonly page: Page,
    readonly recorder: Recorder,
    private readonly browser: Browser,
    private readonly address: string,
    private readonly prefix: string,
  ) {
    this.quickInput = new QuickInput(page);
  }

  /** Opens a folder and waits until the workbench stands. */
  static async open(server: EditorServer, options: OpenOptions): Promise<Workbench> {
    const browser = await chromium.launch({
      executablePath: editorPaths().chromium,
      headless: true,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
        ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
        // Whatever asks for another machine is recorded, and fails at once.
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
      ],
    });
    const context = await browser.newContext({
      viewport: options.viewport ?? { width: 1400, height: 900 },
      reducedMotion: 'reduce',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    const recorder = recordBrowser(context);
    await options.prepare?.(page);
    const query = new URLSearchParams({ folder: options.folder });
    if (options.payload) query.set('payload', JSON.stringify(options.payload));
    const bench = new Workbench(
      page,
      recorder,
      browser,
      `${server.url}/?${query.toString()}`,
      options.screenshots ?? '',
    );
    await bench.reload();
    return bench;
  }

  /** Loads the window anew: the extension host starts again. */
  async reload(): Promise<void> {
    await this.page.goto(this.address);
    await this.page.locator('.monaco-workbench').waitFor();
  }

  /** Reloads as a person does: the window saves what is open and brings it back. */
  async reloadWindow(): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.runCommand('Developer: Reload Window');
    await loaded;
    await this.page.locator('.monaco-workbench').waitFor();
  }

  close(): Promise<void> {
    return this.browser.close();
  }

  /** Writes out/screenshots/e2e/<prefix><name>.png. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshotFolder, { recursive: true });
    // Menus and dialogs fade in, whatever the settings say.
    await this.page.waitForTimeout(250);
    await this.page.screenshot({ path: join(screenshotFolder, `${this.prefix}${name}.png`) });
  }

  /** Runs a command from the palette by its full title, such as `LiGO: Grow Model…`. */
  runCommand(title: string): Promise<void> {
    return this.take(() => this.page.keyboard.press('F1'), `>${title}`, title);
  }

  /** Runs a command of the editor's own that asks for one of several, and answers it. */
  runAndChoose(title: string, typed: string, answer: string): Promise<void> {
    return this.take(() => this.runCommand(title), typed, answer);
  }

  /** Changes the colour theme as a person does. */
  async chooseTheme(name: string): Promise<void> {
    const open = async () => {
      await this.page.locator('.statusbar').click({ position: { x: 700, y: 8 } });
      await this.page.keyboard.press('Control+K');
      await this.page.keyboard.press('Control+T');
    };
    await this.take(open, name, name);
    await this.quickInput.isHidden();
  }

  /** Titles of the commands that the palette finds. */
  async findCommands(text: string): Promise<string[]> {
    await this.find(() => this.page.keyboard.press('F1'), `>${text}`, '');
    const titles = await this.quickInput.labels();
    await this.page.keyboard.press('Escape');
    return titles;
  }

  /** Opens a list of the editor's own and takes the row that these words find. */
  private async take(open: () => Promise<void>, typed: string, row: string): Promise<void> {
    do await this.find(open, typed, row);
    while (!(await this.quickInput.accept()));
  }

  /**
   * Opens a list of the editor's own and types these words until its focused row has this text: once
   * more where it was closed meanwhile, since what starts or ends elsewhere in the editor may take
   * the focus.
   */
  private async find(open: () => Promise<void>, typed: string, row: string): Promise<void> {
    const deadline = Date.now() + patience;
    do {
      await open();
      const found = await this.quickInput.find(typed, row);
      if (found === 'found') return;
      // Commands of extensions come some moments after the workbench.
      if (found === 'missing') await this.page.keyboard.press('Escape');
    } while (Date.now() < deadline);
    throw new Error(`The list that "${typed}" was typed into has no "${row}".`);
  }

  /** Shows a view container by the name of its icon in the activity bar. */
  async openContainer(name: string): Promise<void> {
    // The item as a whole: a badge of progress lies over the icon, and passes clicks on to the item.
    const item = this.page.locator('.activitybar .action-item', {
      has: this.page.locator(`a.action-label[aria-label^="${name}"]`),
    });
    await item.waitFor();
    const title = this.page.locator('.part.sidebar .composite.title', { hasText: name });
    // A click hides what is shown already, also what the extension showed a moment before: then a
    // person sees that it is gone and clicks once more.
    for (let wait = 2000; !(await title.isVisible()); wait *= 2) {
      await item.click();
      await title.waitFor({ timeout: Math.min(wait, patience) }).catch((error: unknown) => {
        if (wait > patience) throw error;
      });
    }
  }

  /** A row of the explorer; parents must be expanded. */
  explorerRow(name: string): Locator {
    return this.page
      .locator('.explorer-folders-view .monaco-list-row')
      .filter({ has: this.page.getByText(name, { exact: true }) })
      .first();
  }

  /** A row of the view with this title, by the start of its accessible name. */
  treeRow(view: string, name: string): Locator {
    return this.page
      .locator('.pane')
      .filter({ has: this.page.locator('.pane-header', { hasText: view }) })
      .locator('.monaco-list-row', { hasText: name })
      .first();
  }

  /** Opens the context menu of an element and returns the labels in it. */
  async openContextMenu(target: Locator): Promise<string[]> {
    await target.click({ button: 'right' });
    await this.menuItems.first().waitFor();
    // A menu takes no click in its first moments, lest it be chosen from by the click that opened it.
    await this.page.waitForTimeout(300);
    const labels = await this.menuItems.locator('.action-label').allTextContents();
    return labels.map(label => label.trim()).filter(label => label !== '');
  }

  /** Chooses from the context menu that is open. */
  async chooseFromMenu(label: string): Promise<void> {
    await this.menuItems.filter({ hasText: label }).first().click();
  }

  async closeMenu(): Promise<void> {
    await this.page.keyboard.press('Escape');
    await this.menuItems.first().waitFor({ state: 'hidden' });
  }

  private get menuItems(): Locator {
    return this.page.locator('.monaco-menu .action-item');
  }

  /** A notification that pops up with this text. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notifications-toasts .notification-list-item', { hasText: text });
  }

  /**
   * Waits until the editor has told this, where it pops up or, since that goes by itself after a while
   * and not everything does, in the list behind the bell.
   */
  async told(text: string | RegExp): Promise<void> {
    const said = this.page.locator('.notification-list-item', { hasText: text }).first();
    const popsUp = await said.waitFor({ timeout: patience / 4 }).then(
      () => true,
      () => false,
    );
    if (popsUp) return;
    await this.runCommand('Notifications: Show Notifications');
    await said.waitFor();
  }

  /** A modal dialog with this text. */
  dialog(text: string | RegExp): Locator {
    return this.page.locator('.monaco-dialog-box', { hasText: text });
  }

  /** The item of the status bar with this text. */
  statusBarItem(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item', { hasText: text });
  }

  /** Titles of the open editors. */
  async editorTitles(): Promise<string[]> {
    return this.page.locator('.tabs-container .tab .label-name').allTextContents();
  }

  /** The document of a webview whose body carries this data-testid, and this text if one is given. */
  async webview(testId: string, text: string | RegExp = ''): Promise<Frame> {
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      for (const frame of this.page.frames()) {
        const count = await frame
          .locator(`[data-testid="${testId}"]`, { hasText: text })
          .count()
          // The frame went away in between.
          .catch(() => 0);
        if (count > 0) return frame;
      }
      await this.page.waitForTimeout(100);
    }
    throw new Error(`No webview shows data-testid="${testId}" with ${String(text)}.`);
  }
}
