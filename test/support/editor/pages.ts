import type { Frame, Locator } from 'playwright-core';
import { asItGoesOn } from './goingOn';
import { patience, type Workbench } from './workbench';

/** A button of a page by what is written on it. */
export const buttonIn = (page: Frame, text: string): Locator =>
  page.locator('vscode-button, button').filter({ hasText: text }).first();

/** The progress view in the sidebar. */
export class ProgressPage {
  private constructor(readonly frame: Frame) {}

  /** Shows the LiGO container and finds the page in it. */
  static async open(bench: Workbench): Promise<ProgressPage> {
    await bench.openContainer('LiGO');
    return ProgressPage.attach(bench);
  }

  /** Finds the page where it is shown already. */
  static async attach(bench: Workbench): Promise<ProgressPage> {
    return new ProgressPage(await bench.webview('ligo-progress'));
  }

  /** The cards of the runs that are being worked on. */
  get jobs(): Locator {
    return this.frame.locator('article.job');
  }

  /** Lines of the runs that ended. */
  get past(): Locator {
    return this.frame.locator('li.past');
  }

  /** Steps taken, as the bar tells assistive technology; none while nothing is worked on. */
  async step(): Promise<number> {
    const values = await this.jobs
      .first()
      .getByRole('progressbar')
      .evaluateAll(bars => bars.map(bar => bar.getAttribute('aria-valuenow')));
    return Number(values[0] ?? 0);
  }

  /** All that it says of the runs that are being worked on. */
  private readonly shown = async (): Promise<string> =>
    (await this.jobs.allTextContents()).join('\n');

  /**
   * Waits until the first run of a profile has taken so many steps: one that is over before it was
   * looked at has taken all of its own.
   */
  async reaches(step: number): Promise<void> {
    let [before, since] = [await this.shown(), Date.now()];
    while ((await this.step()) < step && (await this.past.count()) === 0) {
      const now = await this.shown();
      if (now !== before) [before, since] = [now, Date.now()];
      if (Date.now() > since + patience) {
        throw new Error(`The progress view never reached step ${step}.`);
      }
      await this.frame.waitForTimeout(50);
    }
  }

  /** Waits until a run is done, for as long as runs go on. */
  async endsDone(): Promise<void> {
    await asItGoesOn(this.past.filter({ hasText: 'Done' }).first(), this.shown);
  }

  /** Waits until the running job says this of itself: Running, Paused, Finishing. */
  async isStatus(status: string): Promise<void> {
    await this.jobs.first().locator('.status', { hasText: status }).waitFor();
  }

  async press(button: string): Promise<void> {
    await buttonIn(this.frame, button).click();
  }
}

/** The panel of a run in the editor area. */
export class RunPage {
  private constructor(readonly frame: Frame) {}

  /** @param text that stands in it, where several runs are open */
  static async find(bench: Workbench, text: string | RegExp = ''): Promise<RunPage> {
    return new RunPage(await bench.webview('ligo-run', text));
  }

  /** One picture an operator. */
  get thumbnails(): Locator {
    return this.frame.locator('canvas.thumbnail');
  }

  /** The picture of an operator, one pixel a cell. */
  thumbnail(operator: string): Locator {
    return this.frame.locator(`canvas.thumbnail[data-operator="${operator}"]`);
  }

  /** The large heatmap. */
  get heatmap(): Locator {
    return this.frame.locator('canvas.heatmap-canvas');
  }

  /** What is said of the cell under the heatmap's cursor. */
  get tooltip(): Locator {
    return this.frame.locator('.heatmap-tooltip');
  }

  /** The frame around the cell under the heatmap's cursor. */
  get cursor(): Locator {
    return this.frame.locator('.heatmap-cursor');
  }

  /** The slider through training time. */
  get slider(): Locator {
    return this.frame.getByLabel('Training time');
  }

  /** Waits until the operators of this step are shown, and painted. */
  async shows(step: number): Promise<void> {
    await this.frame.locator(`input[aria-valuetext="step ${step}"]`).waitFor();
    await this.painted();
  }

  /** Waits until what is to be painted is painted. */
  async painted(): Promise<void> {
    await this.frame.evaluate(
      `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))`,
    );
  }

  /** The colour behind everything, which tells themes apart. */
  background(): Promise<string> {
    return this.frame.evaluate(
      `getComputedStyle(document.documentElement).getPropertyValue('--vscode-editor-background') +
        document.body.className`,
    );
  }
}
