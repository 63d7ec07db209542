/**
 * The ways to compute x (B_out W B_inᵀ)ᵀ for activations x `[n, in2]` and a small W `[out1, in1]`.
 * All are the same function; which is cheapest depends on n (design: Cost, point 4).
 */
export type LinearForm =
  /** Build the grown matrix. */
  | 'materialize'
  /** Build W B_inᵀ, widen the result. */
  | 'widenOutput'
  /** Narrow x, build B_out W. */
  | 'narrowInput'
  /** Narrow x, widen the result. */
  | 'factored';

/**
 * Sizes of one linear module before and after growth. An axis that is widened in blocks is priced as one
 * that is not: in Mango's modules this chooses the same forms.
 */
export interface LinearSizes {
  readonly in1: number;
  readonly in2: number;
  readonly out1: number;
  readonly out2: number;
}

/** True when the form reads x through B_in. */
export const narrowsInput = (form: LinearForm): boolean =>
  form === 'narrowInput' || form === 'factored';

/** Multiply-adds of one form for n rows, without narrowing x (that is shared between modules). */
export function formCost(form: LinearForm, n: number, s: LinearSizes): number {
  const buildInput = s.out1 * s.in1 * (s.in2 - s.in1);
  const widenResult = n * s.out1 * (s.out2 - s.out1);
  switch (form) {
    case 'materialize':
      return buildInput + s.out1 * s.in2 * (s.out2 - s.out1) + n * s.in2 * s.out2;
    case 'widenOutput':
      return buildInput + n * s.in2 * s.out1 + widenResult;
    case 'narrowInput':
      return s.out1 * s.in1 * (s.out2 - s.out1) + n * s.in1 * s.out2;
    case 'factored':
      return n * s.in1 * s.out1 + widenResult;
  }
}

/**
 * Multiply-adds that take as long as one element of an activation that is widened or narrowed and
 * so copied, forward and backward; measured with ONNX Runtime on a CPU. It also stands for memory:
 * what is copied is kept for the backward pass.
 */
const copyCost = 24;

/** What a form costs in time for n rows, in multiply-adds, without narrowing x. */
export function formPrice(form: LinearForm, n: number, sizes: LinearSizes): number {
  const widensResult = form === 'widenOutput' || form === 'factored';
  const copied = widensResult && sizes.out2 > sizes.out1 ? n * sizes.out2 : 0;
  return formCost(form, n, sizes) + copyCost * copied;
}

/** What narrowing x costs in time for n rows, in multiply-adds. */
export function narrowingPrice(n: number, { in1, in2 }: Pick<LinearSizes, 'in1' | 'in2'>): number {
  return in2 > in1 ? n * in1 * (in2 - in1) + copyCost * n * in2 : 0;
}

const whole: readonly LinearForm[] = ['materialize', 'widenOutput'];
const narrow: readonly LinearForm[] = ['narrowInput', 'factored'];

/**
 * The cheapest form for each of several modules that read the same x: narrowing x is paid once if
 * any of them uses it.
 */
export function chooseForms(n: number, modules: readonly LinearSizes[]): LinearForm[] {
  const best = (forms: readonly LinearForm[], sizes: LinearSizes): LinearForm =>
    forms.reduce((a, b) => (formPrice(b, n, sizes) < formPrice(a, n, sizes) ? b : a));
  const total = (forms: readonly LinearForm[]): number =>
    forms.reduce((sum, form, index) => sum + formPrice(form, n, modules[index]!), 0);
  const withoutNarrowing = modules.map(sizes => best(whole, sizes));
  const withNarrowing = modules.map(sizes => best([...whole, ...narrow], sizes));
  const narrowing = modules[0] ? narrowingPrice(n, modules[0]) : 0;
  return total(withNarrowing) + narrowing < total(withoutNarrowing)
    ? withNarrowing
    : withoutNarrowing;
}
