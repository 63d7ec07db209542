import { element } from './dom';

/** A slider whose track is filled up to the thumb. */
export interface Slider {
  readonly element: HTMLInputElement;
  /** Moves the thumb without telling anyone. */
  set(value: number): void;
  setMaximum(maximum: number): void;
}

/** Makes a slider over whole numbers from 0. */
export function createSlider(
  label: string,
  className: string,
  maximum: number,
  value: number,
  onInput: (value: number) => void,
): Slider {
  const fill = (): void => {
    const most = Number(input.max);
    const share = most > 0 ? input.valueAsNumber / most : 0;
    input.style.setProperty('--share', `${share * 100}%`);
  };
  const input = element('input', {
    class: `slider ${className}`,
    attributes: { type: 'range', min: 0, max: maximum, value, 'aria-label': label },
    on: {
      input: () => {
        fill();
        onInput(input.valueAsNumber);
      },
    },
  });
  fill();
  return {
    element: input,
    set: next => {
      input.value = String(next);
      fill();
    },
    setMaximum: most => {
      input.max = String(most);
      fill();
    },
  };
}
