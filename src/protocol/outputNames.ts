/** A folder beside an output that a run uses while it writes. */
export interface OutputSibling {
  /** The same for all of one output and one machine. */
  readonly prefix: string;
  /** Process id of the run. */
  readonly pid: number;
  /** `partial`: not whole yet; `replaced`: what was there before, until its successor stands. */
  readonly kind: 'partial' | 'replaced';
}

const pattern =
  /^(?<prefix>\.ligo-[0-9a-f]{8}-[0-9a-f]{8}-)(?<pid>\d+)-[0-9a-f]{8}\.(?<kind>partial|replaced)$/;

/** What the name of a folder tells when it is such a sibling; undefined for every other name. */
export function readSiblingName(name: string): OutputSibling | undefined {
  const groups = pattern.exec(name)?.groups;
  if (groups === undefined) return undefined;
  const { prefix = '', pid, kind } = groups;
  return { prefix, pid: Number(pid), kind: kind as OutputSibling['kind'] };
}
