import type { ModelSizes } from '../../src/protocol/model';
import { t } from '../shared/strings';

/** What an operator's name tells: "width.query.3" → width, query, layer 3; "width.query.class.0" → query.class, layer 0. */
export interface OperatorName {
  readonly group: 'width' | 'depth';
  /** The space of a width operator, the module kind of a depth operator. */
  readonly kind: string;
  readonly layer: number | undefined;
}

/** Takes an operator's name apart. */
export function parseOperatorName(name: string, group: 'width' | 'depth'): OperatorName {
  const rest = name.startsWith(`${group}.`) ? name.slice(group.length + 1) : name;
  const match = group === 'width' ? /^(.+)\.(\d+)$/.exec(rest) : null;
  return match?.[1] === undefined
    ? { group, kind: rest, layer: undefined }
    : { group, kind: match[1], layer: Number(match[2]) };
}

/** A kind of width operator as people read it: layers of the class token alone are told by a word in front. */
export function kindLabel(kind: string): string {
  const [role = kind, of] = kind.split('.');
  if (of === 'class') return t('class {0}', role === 'classFfn' ? 'ffn' : role);
  return role === 'attentionHead' ? t('heads') : kind;
}

/** Operators of one group by kind, in the order they came. */
export function byKind<T extends { readonly name: string; readonly group: 'width' | 'depth' }>(
  operators: readonly T[],
  group: 'width' | 'depth',
): ReadonlyMap<string, readonly T[]> {
  const kinds = new Map<string, T[]>();
  for (const operator of operators) {
    if (operator.group !== group) continue;
    const { kind } = parseOperatorName(operator.name, group);
    const list = kinds.get(kind);
    if (list === undefined) kinds.set(kind, [operator]);
    else list.push(operator);
  }
  return kinds;
}

/** An operator as far as its name and shape tell what it maps. */
interface NamedOperator {
  readonly name: string;
  readonly group: 'width' | 'depth';
  readonly shape: readonly [number, number];
}

/** True for operators over whole heads, which heads that are rotated or talk to each other need. */
function isOfHeads(
  { shape }: NamedOperator,
  kind: string,
  source: ModelSizes | undefined,
): boolean {
  if (kind === 'attentionHead') return true;
  if (!source) return false;
  const { heads, kvHeads = heads } = source;
  return (kind === 'query' && shape[1] === heads) || (kind === 'key' && shape[1] === kvHeads);
}

/** What rows and columns of an operator are: of units, heads, layers, or blocks of Mango's tensor. */
export function axesOf(
  operator: NamedOperator,
  source: ModelSizes | undefined,
): { row: string; column: string } {
  const { group, kind } = parseOperatorName(operator.name, operator.group);
  if (group === 'depth') return { row: t('large layer'), column: t('small layer') };
  if (isOfHeads(operator, kind, source)) return { row: t('new head'), column: t('small head') };
  return kind === 'blocks'
    ? { row: t('large block'), column: t('small block') }
    : { row: t('new feature'), column: t('small feature') };
}
