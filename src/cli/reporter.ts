import { counted } from '../format';
import type { EvaluatedModel, Evaluation } from '../protocol/evaluation';
import type { GrowthPlan, RunEvent } from '../protocol/events';
import { newRun, reduce } from '../protocol/runState';
import { secondsLeft } from '../protocol/runViews';
import { formatCount, formatFlops, formatLoss, formatSeconds, formatShare } from './format';
import { printError, printLine, type Host } from './host';
import type { OutputOptions } from './options';
import { openProgressBar, type ProgressBar } from './progressBar';

/** Shows the events of a run. */
export interface Reporter {
  readonly emit: (event: RunEvent) => void;
  /** Puts the terminal back in order; to be called however the run ends. */
  close(): void;
}

/** Lines of progress in a pipe, over a whole run. */
const progressLines = 20;

type StepEvent = Extract<RunEvent, { type: 'step' }>;

/** What the rate of a run counts. */
export type RateUnit = 'tokens' | 'images' | 'texts';

/** JSON lines, a progress bar or plain lines, as the options and the terminal ask. */
export function openReporter(host: Host, options: OutputOptions, unit: RateUnit): Reporter {
  if (options.json) {
    return {
      emit: event => {
        printLine(host, JSON.stringify(event));
        if (event.type === 'warning') warn(host, event);
      },
      close: () => undefined,
    };
  }
  return new PeopleReporter(host, options.verbose ?? false, unit);
}

class PeopleReporter implements Reporter {
  private bar: ProgressBar | undefined;
  private state = newRun();

  constructor(
    private readonly host: Host,
    private readonly verbose: boolean,
    private readonly unit: RateUnit,
  ) {}

  readonly emit = (event: RunEvent): void => {
    this.state = reduce(this.state, event);
    if (event.type === 'step') {
      this.showStep(event);
      return;
    }
    // Pictures are for those who can draw them; they come in the middle of the bar.
    if (event.type === 'operators') return;
    this.close();
    if (event.type === 'warning') {
      warn(this.host, event);
      return;
    }
    const text = describe(event, this.unit);
    if (text !== undefined) printLine(this.host, text);
  };

  close(): void {
    this.bar?.close();
    this.bar = undefined;
  }

  private showStep(event: StepEvent): void {
    const { step, steps } = event;
    const left = formatSeconds(secondsLeft(this.state) ?? 0);
    const loss = formatLoss(event.loss);
    const rate = `${formatCount(event.tokensPerSecond)} ${this.unit}/s`;
    if (this.host.stdout.isTTY && !this.verbose) {
      this.bar ??= openProgressBar(this.host.stdout, steps);
      this.bar.update(step, { loss, rate, left });
      return;
    }
    const interval = this.verbose ? 1 : Math.ceil(steps / progressLines);
    if (step !== 1 && step !== steps && step % interval !== 0) return;
    const place = `step ${String(step).padStart(String(steps).length)}/${steps}`;
    printLine(this.host, `  ${place}  loss ${loss}  ${rate}  ${left} left`);
  }
}

/** Tells what a person should know, and what to do about it. */
export function warn(
  host: Host,
  { message, remedy }: { readonly message: string; readonly remedy: string },
): void {
  printError(host, `Warning: ${message} ${remedy}`);
}

const modelNames: Readonly<Record<EvaluatedModel, string>> = {
  small: 'Small model',
  before: 'Before training',
  after: 'Result',
  float32: 'In float32',
  training: 'In training',
};

/** Held-out scores on one line; perplexity means something for text that runs on. */
function describeScores({ loss, accuracy, perplexity }: Evaluation, unit: RateUnit): string {
  return [
    `held-out loss ${formatLoss(loss)}`,
    accuracy === undefined ? ' (mean squared error)' : `, accuracy ${formatShare(accuracy)}`,
    ...(unit === 'images' || perplexity === undefined
      ? []
      : [`, perplexity ${perplexity.toPrecision(4)}`]),
  ].join('');
}

function describe(event: RunEvent, unit: RateUnit): string | undefined {
  switch (event.type) {
    case 'device':
      return `Engine: ${event.reason ?? event.device}.`;
    case 'plan':
      return describePlan(event.plan);
    case 'evaluation':
      return `${`${modelNames[event.model]}:`.padEnd(17)}${describeScores(event, unit)}`;
    case 'saved':
      return `State after step ${event.step} saved in ${event.path}.`;
    case 'done':
      return `Wrote ${event.out}.`;
    default:
      return undefined;
  }
}

function describePlan({ source, target, operators, cost }: GrowthPlan): string {
  const sizes = ({ layers, hidden, parameters }: GrowthPlan['source']): string =>
    `${layers} × ${hidden} (${formatCount(parameters)} parameters)`;
  const work = cost
    ? ` ${counted(cost.steps, 'step')} of ${formatFlops(cost.flopsPerStep)} over ${formatCount(operators.width + operators.depth)} operator values.`
    : '';
  const learned = cost && source.learns !== undefined ? ` Learned: ${source.learns}.` : '';
  return `${source.modelClass}: ${sizes(source)} → ${sizes(target)}.${learned}${work}`;
}
