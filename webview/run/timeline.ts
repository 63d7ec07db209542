import { element, setText } from '../shared/dom';
import { formatInteger } from '../shared/format';
import { createSlider } from '../shared/slider';
import { t } from '../shared/strings';
import { button } from '../shared/ui/components';

/** The slider through training time. */
export interface Timeline {
  readonly element: HTMLElement;
  /** The steps there are snapshots of, which is wanted, and whether it is still being read. */
  update(steps: readonly number[], index: number, reading: boolean): void;
}

const millisecondsASnapshot = 120;

/** Makes the slider; `move` is called with the snapshot's index and gives whether it can be shown now. */
export function createTimeline(move: (index: number) => boolean): Timeline {
  let steps: readonly number[] = [];
  let timer: ReturnType<typeof setInterval> | undefined;
  const text = element('output', { class: 'number timeline-step' });
  const slider = createSlider(t('Training time'), 'timeline-slider', 0, 0, index => {
    stop();
    go(index);
  });
  const play = button('▶', () => (timer === undefined ? start() : stop()), {
    look: 'icon',
    label: t('Play the learning'),
  });

  function go(index: number): boolean {
    slider.set(index);
    const shown = move(index);
    say(index, !shown);
    return shown;
  }

  function say(index: number, reading: boolean): void {
    const number = formatInteger(steps[index] ?? 0);
    const step = reading ? t('step {0}, being read…', number) : t('step {0}', number);
    setText(text, step);
    slider.element.setAttribute('aria-valuetext', step);
  }

  function start(): void {
    const at = slider.element.valueAsNumber;
    let index = at >= steps.length - 1 ? -1 : at;
    play.textContent = '❚❚';
    timer = setInterval(() => {
      // A snapshot that is still being read is waited for.
      if (!go(index + 1)) return;
      index++;
      if (index >= steps.length - 1) stop();
    }, millisecondsASnapshot);
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    play.textContent = '▶';
  }

  return {
    element: element('div', { class: 'timeline' }, play, slider.element, text),
    update: (next, index, reading) => {
      steps = next;
      slider.setMaximum(Math.max(0, steps.length - 1));
      slider.element.disabled = steps.length < 2;
      if (timer === undefined) {
        slider.set(index);
        say(index, reading);
      }
    },
  };
}
