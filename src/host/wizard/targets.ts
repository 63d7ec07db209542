import { headsTogether, unitsPerHead, type ModelSizes } from '../../protocol/model';
import type { RecognizedModel } from '../../protocol/service';
import type { GrowthRequest } from '../../protocol/runFolder';

/** Sizes somebody may want, with how they came about. */
export interface TargetPreset {
  readonly kind: 'deeper' | 'wider' | 'both';
  readonly layers: number;
  readonly hidden: number;
}

type Source = Pick<ModelSizes, 'layers' | 'hidden' | 'heads' | 'kvHeads'>;

/** Hidden units that a model can get more at a time: those of whole heads, and of all that share keys and values. */
const widthStep = (source: Source): number => unitsPerHead(source) * headsTogether(source);

/** Twice as deep, half as wide again with whole heads, and both. */
export function targetPresets(source: Source): TargetPreset[] {
  const { layers, hidden } = source;
  const step = widthStep(source);
  const groups = hidden / step;
  const wider = Math.max(groups + 1, Math.round(groups * 1.5)) * step;
  const deeper = layers * 2;
  return [
    { kind: 'both', layers: deeper, hidden: wider },
    { kind: 'deeper', layers: deeper, hidden },
    { kind: 'wider', layers, hidden: wider },
  ];
}

/** Reads "12 x 768"; undefined when it is something else. */
export function parseTarget(text: string): { layers: number; hidden: number } | undefined {
  const match = /^\s*(\d{1,7})\s*[x×*,\s]\s*(\d{1,7})\s*$/i.exec(text);
  if (!match) return undefined;
  const [layers, hidden] = [Number(match[1]), Number(match[2])];
  return layers > 0 && hidden > 0 ? { layers, hidden } : undefined;
}

/** Why a target cannot be, as far as sizes alone tell. */
export type TargetProblem =
  | { readonly kind: 'smaller' }
  | { readonly kind: 'same' }
  | { readonly kind: 'heads'; readonly below: number; readonly above: number };

/** Looks at sizes before the plan does, so that a person is told while typing. */
export function targetProblem(
  source: Source & Pick<RecognizedModel, 'namesHeadSize'>,
  target: { readonly layers: number; readonly hidden: number },
): TargetProblem | undefined {
  if (target.layers < source.layers || target.hidden < source.hidden) return { kind: 'smaller' };
  if (target.layers === source.layers && target.hidden === source.hidden) return { kind: 'same' };
  const step = widthStep(source);
  if (source.namesHeadSize || target.hidden % step === 0) return undefined;
  const below = Math.floor(target.hidden / step) * step;
  return { kind: 'heads', below, above: below + step };
}

/** What a run's target is called in a folder name: "6x96". */
export const targetName = ({ layers, hidden }: GrowthRequest['target'], source: Source): string =>
  `${layers ?? source.layers}x${hidden ?? source.hidden}`;
