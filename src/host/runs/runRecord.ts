import { evaluationOf, type Evaluation } from '../../protocol/evaluation';
import type { GrowthPlan, LoggedReceipt, Usage } from '../../protocol/events';
import type { RunDetail, RunStatus, RunSummary } from '../../protocol/messages';
import type { RunCommand, WorkerRequest } from '../../protocol/runFolder';
import type { LoggedEvent } from '../../protocol/events';
import { ComparisonRecord, type ComparisonMoment } from './comparisonRecord';

/** What a run is doing, for the host to say in the person's language. */
export type Phase =
  | 'waiting'
  | 'starting'
  | 'measuring'
  | 'learning'
  | 'comparing'
  | 'reporting'
  | 'paused'
  | 'pausing'
  | 'writing'
  | 'stopping'
  | 'done'
  | 'failed'
  | 'cancelled';

/** A run that has the device another one waits for. */
export interface Holder {
  readonly title: string;
  /** What people call the other window it belongs to; absent where it is a run of this one. */
  readonly window?: string;
}

/** Of a phase: what a comparison is making now, and which run is waited for. */
export interface PhaseDetails {
  readonly at?: ComparisonMoment | undefined;
  readonly waitsFor?: Holder | undefined;
}

/** Says a phase in the person's language. */
export type DescribePhase = (phase: Phase, details?: PhaseDetails) => string;

/** Points of the small loss curve in lists. */
const sparklinePoints = 200;
/** Points of the curve at most; every second one goes when there are more. */
const mostPoints = 8000;
/** Warnings, and held-out losses, that are kept. */
const mostFacts = 1000;
/** Steps that the time left is judged by. */
const recentSteps = 20;

/** One run as the host knows it: its request, and everything its events have told so far. */
export class RunRecord {
  status: RunStatus = 'queued';
  command: RunCommand = 'run';
  failure: { readonly message: string; readonly remedy: string } | undefined;
  plan: GrowthPlan | undefined;
  receipt: LoggedReceipt | undefined;
  readonly steps: number[] = [];
  readonly losses: number[] = [];
  readonly evaluations: (Evaluation & { readonly model: string; readonly step: number })[] = [];
  readonly warnings: string[] = [];
  /** The run that keeps this one waiting, while it is queued. */
  waitsFor: Holder | undefined;
  /** A stopped run left its state, so it can go on. */
  saved = false;
  /** Of a comparison of methods. */
  readonly comparison: ComparisonRecord | undefined;
  private device: string | undefined;
  private reason: string | undefined;
  private usage: Usage | undefined;
  private tokensPerSecond: number | undefined;
  /** 0 for methods that learn nothing. */
  private stepsPlanned = 0;
  private readonly recentSeconds: number[] = [];

  constructor(
    readonly request: WorkerRequest,
    readonly folder: string,
  ) {
    this.comparison = request.kind === 'compare' ? new ComparisonRecord(request) : undefined;
  }

  /** The worker is at it, or about to be. */
  get live(): boolean {
    return ['starting', 'running', 'paused', 'finishing'].includes(this.status);
  }

  /** It ended, one way or another. */
  get ended(): boolean {
    return ['done', 'failed', 'cancelled'].includes(this.status);
  }

  /** Taken up again, it goes on where it stopped; a comparison keeps whatever runs ended. */
  get resumable(): boolean {
    return this.saved || this.comparison !== undefined;
  }

  /** A new worker takes over. */
  restart(): void {
    this.status = 'starting';
    this.waitsFor = undefined;
    this.failure = undefined;
    // A state that is gone on from stays until a newer one takes its place.
    this.saved = this.request.resume;
  }

  /** It was taken out of the queue. */
  cancelBeforeStart(): void {
    this.status = 'cancelled';
    this.command = 'cancel';
    this.failure = { message: 'Cancelled before it began.', remedy: 'Resume it to start it.' };
  }

  /** Becomes what another record of the same run knows; what was asked of it stays. */
  adopt(other: RunRecord): void {
    const { command, request } = this;
    Object.assign(this, other, { command, request });
  }

  /** Takes in what the worker told. */
  apply(event: LoggedEvent): void {
    // Whatever comes after an end comes from a worker that took the run up again.
    if (event.type !== 'done' && event.type !== 'failed' && this.status !== 'paused') {
      this.status = 'running';
      this.failure = undefined;
    }
    switch (event.type) {
      case 'plan':
        this.plan = event.plan;
        this.stepsPlanned = this.plan.cost?.steps ?? 0;
        break;
      case 'comparison':
        this.comparison?.applyProgress(event);
        break;
      case 'comparisonStep':
        this.comparison?.applyStep(event);
        break;
      case 'comparisonRun':
        this.comparison?.applyRun(event);
        break;
      case 'device':
        this.device = event.device;
        this.reason = event.reason;
        break;
      case 'usage':
        this.usage = {
          residentBytes: event.residentBytes,
          ...(event.device && { device: event.device }),
        };
        break;
      case 'step':
        this.applyStep(event);
        break;
      case 'evaluation':
        this.applyEvaluation(event);
        break;
      case 'warning':
        if (this.warnings.length < mostFacts) {
          this.warnings.push(`${event.message} ${event.remedy}`);
        }
        break;
      case 'saved':
        this.saved = true;
        break;
      case 'done':
        this.status = 'done';
        this.saved = false;
        this.receipt = event.receipt;
        if (this.comparison) this.comparison.models = event.models ?? [];
        break;
      case 'failed':
        this.status = event.interrupted === true ? 'cancelled' : 'failed';
        this.failure = { message: event.message, remedy: event.remedy };
        break;
      case 'operators':
        break;
    }
  }

  /** What is being done now. */
  get phase(): Phase {
    const { status } = this;
    if (status === 'queued') return 'waiting';
    if (this.ended) return status as 'done' | 'failed' | 'cancelled';
    if (this.command === 'cancel') return 'stopping';
    if (this.command === 'stopAndKeep') return this.comparison ? 'stopping' : 'writing';
    if (this.command === 'pause') return 'paused';
    if (status === 'starting') return 'starting';
    if (this.comparison) return this.comparedPhase(this.comparison);
    if (this.evaluations.some(({ model }) => model === 'after')) return 'writing';
    const last = this.steps.at(-1);
    if (last !== undefined) return last >= this.stepsPlanned ? 'measuring' : 'learning';
    return this.device === undefined ? 'starting' : 'measuring';
  }

  /** The phase in the person's language. */
  told(describePhase: DescribePhase): string {
    return describePhase(this.phase, { at: this.comparison?.moment, waitsFor: this.waitsFor });
  }

  /** What lists show; `phase` comes in the person's language. */
  summary(describePhase: DescribePhase): RunSummary {
    const { request, failure, comparison } = this;
    const { step, steps } = comparison?.progress ?? {
      step: this.steps.at(-1) ?? 0,
      steps: this.stepsPlanned,
    };
    const losses = comparison?.losses ?? this.losses;
    return {
      id: request.id,
      kind: request.kind,
      title: request.title,
      status: this.shownStatus(),
      created: request.created,
      phase: this.told(describePhase),
      step,
      steps,
      loss: losses.at(-1),
      heldOutLoss: this.heldOutLoss(),
      lossHistory: thin(losses, sparklinePoints),
      secondsLeft: this.live ? this.secondsLeft : undefined,
      tokensPerSecond: this.live ? this.tokensPerSecond : undefined,
      device: this.device,
      reason: this.reason,
      usage: this.live ? this.usage : undefined,
      out: request.out,
      failure,
    };
  }

  /** Of the grown model: the receipt's, or what was measured before it is written. */
  private heldOutLoss(): number | undefined {
    const after = this.evaluations.findLast(({ model }) => model === 'after');
    return this.receipt?.losses?.after.loss ?? after?.loss;
  }

  /** Everything but the pictures of operators, which are read when they are wanted. */
  detail(describePhase: DescribePhase): RunDetail {
    return {
      summary: this.summary(describePhase),
      plan: this.plan,
      curve: { steps: this.steps, losses: this.losses },
      evaluations: this.evaluations,
      snapshots: [],
      warnings: this.warnings,
      receipt: this.receipt,
      comparison: this.comparison?.detail,
    };
  }

  private comparedPhase({ moment, unfinished }: ComparisonRecord): Phase {
    if (moment) return 'comparing';
    if (!unfinished) return 'reporting';
    return this.device === undefined ? 'starting' : 'measuring';
  }

  private get secondsLeft(): number | undefined {
    if (this.comparison) return this.comparison.secondsLeft;
    const { recentSeconds: recent, steps, stepsPlanned } = this;
    if (recent.length === 0) return undefined;
    const perStep = recent.reduce((sum, seconds) => sum + seconds, 0) / recent.length;
    return perStep * Math.max(0, stepsPlanned - (steps.at(-1) ?? 0));
  }

  private shownStatus(): RunStatus {
    if (!this.live) return this.status;
    if (this.command === 'pause') return 'paused';
    return this.command === 'run' ? this.status : 'finishing';
  }

  private applyStep(event: Extract<LoggedEvent, { type: 'step' }>): void {
    this.stepsPlanned = event.steps;
    this.tokensPerSecond = Number.isFinite(event.tokensPerSecond)
      ? event.tokensPerSecond
      : undefined;
    // A run that was killed and begun anew repeats steps; the newest count.
    while ((this.steps.at(-1) ?? -Infinity) >= event.step) {
      this.steps.pop();
      this.losses.pop();
    }
    this.steps.push(event.step);
    this.losses.push(event.loss);
    if (this.steps.length > mostPoints) {
      for (const list of [this.steps, this.losses]) list.splice(0, Infinity, ...halved(list));
    }
    this.recentSeconds.push(event.seconds);
    if (this.recentSeconds.length > recentSteps) this.recentSeconds.shift();
  }

  private applyEvaluation({
    model,
    step,
    ...scores
  }: Extract<LoggedEvent, { type: 'evaluation' }>) {
    const same = this.evaluations.findIndex(entry => entry.model === model && entry.step === step);
    if (same >= 0) this.evaluations.splice(same, 1);
    else if (this.evaluations.length >= mostFacts) this.evaluations.shift();
    this.evaluations.push({ model, step, ...evaluationOf(scores) });
  }
}

/** Every second value, the first and the last among them. */
function halved(values: readonly number[]): number[] {
  const last = values.length - 1;
  return values.filter((_, index) => index % 2 === 0 || index === last);
}

/** At most so many of the values, evenly, the last among them. */
export function thin(values: readonly number[], most: number): number[] {
  if (values.length <= most) return [...values];
  const distance = (values.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => values[Math.round(index * distance)]!);
}
