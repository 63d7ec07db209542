import { element, setText } from '../shared/dom';
import { formatInteger } from '../shared/format';
import { createSlider } from '../shared/slider';
import { t } from '../shared/strings';
import { button } from '../shared/ui/components';

/** The slider through training time. */
export interface Timeline {
  readonly element: HTMLElement;
  /** The steps there are snapshots of, and which is shown. */
  update(steps: readonly number[], index: number): void;
}

const millisecondsASnapshot = 120;

/** Makes the slider; `move` is called with the snapshot's index. */
export function createTimeline(move: (index: number) => void): Timeline {
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

  function go(index: number): void {
    slider.set(index);
    say(index);
    move(index);
  }

  function say(index: number): void {
    const step = t('step {0}', formatInteger(steps[index] ?? 0));
    setText(text, step);
    slider.element.setAttribute('aria-valuetext', step);
  }

  function start(): void {
    const at = slider.element.valueAsNumber;
    let index = at >= steps.length - 1 ? -1 : at;
    play.textContent = '❚❚';
    timer = setInterval(() => {
      index++;
      go(index);
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
    update: (next, index) => {
      steps = next;
      slider.setMaximum(Math.max(0, steps.length - 1));
      slider.element.disabled = steps.length < 2;
      if (timer === undefined) {
        slider.set(index);
        say(index);
      }
    },
  };
}
