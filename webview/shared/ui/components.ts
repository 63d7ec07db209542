// The only module that knows the component library. It is deprecated; its successor
// (@vscode-elements/elements) uses the same tag names, so changing over is changing this file.
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { setAttribute, setText } from '../dom';

// The library gives the style element it makes the nonce in <meta property="csp-nonce">.
provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeTextField(),
);

/** How a button looks: `primary` once a page, `secondary` for the rest, `icon` for one sign. */
export type ButtonLook = 'primary' | 'secondary' | 'icon';

/** A button that says what it does; `label` is read out where the text is only a sign. */
export function button(
  text: string,
  onClick: () => void,
  options: { look?: ButtonLook; label?: string } = {},
): HTMLElement {
  const node = document.createElement('vscode-button');
  node.setAttribute('appearance', options.look ?? 'secondary');
  node.textContent = text;
  if (options.label !== undefined) {
    node.setAttribute('aria-label', options.label);
    node.setAttribute('title', options.label);
  }
  node.addEventListener('click', onClick);
  return node;
}

/** Lets a button be pressed or not. */
export function setEnabled(node: HTMLElement, enabled: boolean): void {
  setAttribute(node, 'disabled', !enabled);
}

/** A box to tick. */
export function checkbox(
  text: string,
  checked: boolean,
  onChange: (checked: boolean) => void,
): HTMLElement {
  const node = document.createElement('vscode-checkbox') as HTMLElement & { checked: boolean };
  setText(node, text);
  node.setAttribute('aria-label', text);
  node.checked = checked;
  node.addEventListener('change', () => onChange(node.checked));
  return node;
}

/** A choice of one from a few. */
export function dropdown<T extends string>(
  label: string,
  choices: readonly { readonly value: T; readonly text: string }[],
  chosen: T,
  onChange: (value: T) => void,
): HTMLElement {
  const node = document.createElement('vscode-dropdown') as HTMLElement & { value: string };
  node.setAttribute('aria-label', label);
  for (const choice of choices) {
    const option = document.createElement('vscode-option');
    option.setAttribute('value', choice.value);
    if (choice.value === chosen) option.setAttribute('selected', '');
    option.textContent = choice.text;
    node.append(option);
  }
  node.addEventListener('change', () => {
    const choice = choices.find(({ value }) => value === node.value);
    if (choice !== undefined) onChange(choice.value);
  });
  return node;
}

/** A line to type in. */
export function textField(
  label: string,
  value: string,
  onInput: (value: string) => void,
): HTMLElement {
  const node = document.createElement('vscode-text-field') as HTMLElement & { value: string };
  node.setAttribute('placeholder', label);
  node.setAttribute('aria-label', label);
  node.value = value;
  node.addEventListener('input', () => onInput(node.value));
  return node;
}
