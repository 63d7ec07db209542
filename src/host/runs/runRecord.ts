import { comparisonMoment, type ComparisonMoment } from '../../protocol/comparisonState';
import type { LoggedEvent } from '../../protocol/events';
import type { RunDetail, RunStatus, RunSummary } from '../../protocol/messages';
import type { RunCommand, WorkerRequest } from '../../protocol/runFolder';
import { newRun, reduce, type RunState } from '../../protocol/runState';
import { toldDetail, toldPhase, toldSummary, type ToldPhase } from '../../protocol/runViews';

/** What a run is doing, for the host to say in the person's language. */
export type Phase =
  | ToldPhase
  | 'training'
  | 'waiting'
  | 'paused'
  | 'pausing'
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

/** Where a run stands as the host knows it, until its worker tells something. */
type HostStatus =
  | { readonly status: 'queued' | 'starting' }
  | {
      readonly status: 'cancelled' | 'failed';
      readonly failure: NonNullable<RunSummary['failure']>;
    };

/** One run as the host knows it: its request, what its events have told, and what is asked of it. */
export class RunRecord {
  command: RunCommand = 'run';
  /** The run that keeps this one waiting, while it is queued. */
  waitsFor: Holder | undefined;
  private reduced: RunState;
  private host: HostStatus | undefined = { status: 'queued' };
  private leftState = false;

  constructor(
    private asked: WorkerRequest,
    readonly folder: string,
  ) {
    this.reduced = newRun(asked.kind === 'compare' ? asked : undefined);
  }

  get request(): WorkerRequest {
    return this.asked;
  }

  /** What its events have told. */
  get state(): RunState {
    return this.reduced;
  }

  /** A stopped run left its state, so it can go on. */
  get saved(): boolean {
    return this.leftState;
  }

  get status(): RunStatus {
    return this.host?.status ?? this.reduced.end ?? 'running';
  }

  get failure(): RunSummary['failure'] {
    if (!this.host) return this.reduced.failure;
    return 'failure' in this.host ? this.host.failure : undefined;
  }

  /** The worker is at it, or about to be. */
  get live(): boolean {
    return this.status === 'starting' || this.status === 'running';
  }

  /** It ended, one way or another. */
  get ended(): boolean {
    return ['done', 'failed', 'cancelled'].includes(this.status);
  }

  /** Taken up again, it goes on where it stopped; a comparison keeps whatever runs ended. */
  get resumable(): boolean {
    return this.saved || this.asked.kind === 'compare';
  }

  /** It waits for its turn again, by another request. */
  queueAgain(request: WorkerRequest): void {
    this.asked = request;
    this.command = 'run';
    this.host = { status: 'queued' };
  }

  /** A worker was started before this host came. */
  foundStarted(): void {
    this.host = { status: 'starting' };
  }

  /** A new worker takes over. */
  restart(): void {
    this.host = { status: 'starting' };
    this.waitsFor = undefined;
    // A state that is gone on from stays until a newer one takes its place.
    this.leftState = this.asked.resume;
  }

  /** Its worker ended without a last word. */
  fail(failure: NonNullable<RunSummary['failure']>): void {
    this.host = { status: 'failed', failure };
  }

  /** It was taken out of the queue. */
  cancelBeforeStart(): void {
    this.command = 'cancel';
    const failure = { message: 'Cancelled before it began.', remedy: 'Resume it to start it.' };
    this.host = { status: 'cancelled', failure };
  }

  /** Becomes what another record of the same run was told. */
  adopt(other: RunRecord): void {
    this.reduced = other.reduced;
    this.host = other.host;
    this.leftState = other.leftState;
  }

  /** Takes in what the worker told. */
  apply(event: LoggedEvent): void {
    this.host = undefined;
    this.reduced = reduce(this.reduced, event);
    if (event.type === 'saved') this.leftState = true;
    if (event.type === 'done') this.leftState = false;
  }

  /** What is being done now. */
  get phase(): Phase {
    const { status, command } = this;
    if (status === 'queued') return 'waiting';
    if (status === 'done' || status === 'failed' || status === 'cancelled') return status;
    if (command === 'cancel') return 'stopping';
    if (command === 'stopAndKeep') return this.asked.kind === 'compare' ? 'stopping' : 'writing';
    if (command === 'pause') return 'paused';
    if (status === 'starting') return 'starting';
    const told = toldPhase(this.reduced);
    return told === 'learning' && this.asked.kind === 'train' ? 'training' : told;
  }

  /** The phase in the person's language. */
  told(describePhase: DescribePhase): string {
    const { comparison } = this.reduced;
    const at = comparison && comparisonMoment(comparison);
    return describePhase(this.phase, { at, waitsFor: this.waitsFor });
  }

  /** What lists show; `phase` comes in the person's language. */
  summary(describePhase: DescribePhase): RunSummary {
    const { asked, live, failure } = this;
    const told = toldSummary(this.reduced);
    return {
      ...told,
      id: asked.id,
      kind: asked.kind,
      title: asked.title,
      status: this.shownStatus(),
      created: asked.created,
      phase: this.told(describePhase),
      secondsLeft: live ? told.secondsLeft : undefined,
      tokensPerSecond: live ? told.tokensPerSecond : undefined,
      usage: live ? told.usage : undefined,
      out: asked.out,
      failure,
    };
  }

  /** Everything but the pictures of operators, which are read when they are wanted. */
  detail(describePhase: DescribePhase): RunDetail {
    return { ...toldDetail(this.reduced), summary: this.summary(describePhase) };
  }

  private shownStatus(): RunStatus {
    if (!this.live) return this.status;
    if (this.command === 'pause') return 'paused';
    return this.command === 'run' ? this.status : 'finishing';
  }
}
