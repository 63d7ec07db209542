import { harmless } from '../harmless';

/** Text that is markup already. */
export interface Markup {
  readonly markup: string;
}

/** What a template may hold: text, which is escaped, or markup; nothing for `undefined`. */
export type Content = Markup | string | number | undefined | readonly Content[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(content: Content): string {
  if (content === undefined) return '';
  if (typeof content === 'number') return String(content);
  if (typeof content === 'string') {
    return harmless(content).replace(/[&<>"']/g, character => entities[character]!);
  }
  return 'markup' in content ? content.markup : content.map(render).join('');
}

/** Markup from a template: what is filled in is escaped unless it is markup itself. */
export function html(texts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  const parts = texts.map((text, index) => text + render(contents[index]));
  return { markup: parts.join('') };
}
