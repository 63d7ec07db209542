import { harmless } from '../../src/harmless';

/** What may stand inside an element; nothing is drawn for undefined. */
export type Child = Node | string | undefined;

/** What an element has besides children. */
export interface ElementOptions {
  readonly class?: string;
  readonly text?: string;
  readonly title?: string;
  readonly attributes?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly on?: { readonly [K in keyof HTMLElementEventMap]?: (e: HTMLElementEventMap[K]) => void };
}

/** Sets an attribute; true means present without value, false and undefined mean absent. */
export function setAttribute(
  node: Element,
  name: string,
  value: string | number | boolean | undefined,
): void {
  if (value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? '' : String(value));
}

function prepare<E extends HTMLElement | SVGElement>(
  node: E,
  options: ElementOptions,
  children: readonly Child[],
): E {
  if (options.class !== undefined) node.setAttribute('class', options.class);
  if (options.text !== undefined) node.textContent = harmless(options.text);
  if (options.title !== undefined) node.setAttribute('title', harmless(options.title));
  for (const [name, value] of Object.entries(options.attributes ?? {})) {
    setAttribute(node, name, value);
  }
  for (const [name, listener] of Object.entries(options.on ?? {})) {
    node.addEventListener(name, listener as EventListener);
  }
  for (const child of children) {
    if (child !== undefined) node.append(typeof child === 'string' ? harmless(child) : child);
  }
  return node;
}

/** Makes an HTML element; file names and the like go in as text, never as markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: ElementOptions = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return prepare(document.createElement(tag), options, children);
}

/**
 * A name that loses its beginning where there is no room for all of it, as its end tells it from
 * others; whole where the pointer rests.
 */
export const endShown = (tag: 'span' | 'code' | 'div', name: string): HTMLElement =>
  element(
    tag,
    { class: 'end-shown', title: name },
    element('bdi', { text: name, attributes: { dir: 'ltr' } }),
  );

/** A name that goes on in the next line behind a dot, where there is no room for all of it in one. */
export const brokenAtDots = (name: string): readonly Child[] =>
  name
    .split(/(?<=\.)/)
    .flatMap((part, index): readonly Child[] => (index === 0 ? [part] : [element('wbr'), part]));

/** Makes an SVG element. */
export function svgElement<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  return prepare(node, { attributes }, children);
}

/** Sets text only when it changed, so that screen readers and selections are left in peace. */
export function setText(node: Node, text: string): void {
  const shown = harmless(text);
  if (node.textContent !== shown) node.textContent = shown;
}

/** A polite live region: what it is told is read out when the reader pauses. */
export function announcer(): { readonly element: HTMLElement; say(text: string): void } {
  const node = element('div', {
    class: 'visually-hidden',
    attributes: { 'aria-live': 'polite', 'aria-atomic': 'true' },
  });
  return { element: node, say: text => setText(node, text) };
}

/** A part of a page that is made once and then follows its data. */
export interface View<T> {
  readonly element: HTMLElement;
  update(value: T): void;
}

/**
 * Keeps a container's children in step with a list by key: what stays keeps its element, and with it
 * focus and scroll position.
 */
export function keyedList<T>(
  container: HTMLElement,
  keyOf: (item: T) => string,
  create: (item: T) => View<T>,
): (items: readonly T[]) => void {
  const views = new Map<string, View<T>>();
  return items => {
    const wanted = new Set(items.map(keyOf));
    for (const [key, view] of views) {
      if (!wanted.has(key)) {
        view.element.remove();
        views.delete(key);
      }
    }
    items.forEach((item, index) => {
      const key = keyOf(item);
      let view = views.get(key);
      if (view === undefined) {
        view = create(item);
        views.set(key, view);
      }
      view.update(item);
      const present = container.children[index];
      if (present !== view.element) container.insertBefore(view.element, present ?? null);
    });
  };
}

/** Runs a task at most once a frame, however often it is asked for. */
export function oncePerFrame(task: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      task();
    });
  };
}

/** The page's root, which the host's HTML provides. */
export function pageRoot(): HTMLElement {
  const root = document.getElementById('root');
  if (root === null) throw new Error('The page has no element with the id "root".');
  return root;
}
