import { setTimeout as sleep } from 'node:timers/promises';
import { CorruptFileError, UserError, type Note } from '../errors';
import { formatBytes, formatSeconds } from '../format';
import { codeOf, refusalOf, unreachable } from './refusals';
import type { HubSettings } from './settings';

/** How the Hub is asked: by whom, for what, and how it is stopped. */
export interface Asking {
  readonly settings: HubSettings;
  /** What is asked for, for messages: `hf://owner/name@main`. */
  readonly subject: string;
  readonly signal: AbortSignal;
  readonly note: (note: Note) => void;
  /** Waits so many milliseconds; tests wait for nothing. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
}

/** Tries of one request, and of the rest of a file without a byte of it in between. */
export const mostTries = 5;
const mostRedirects = 5;
/** Seconds that an answer may ask to wait. */
const longestWait = 120;
/** Bytes of an answer of the API: a thousand files take some 300 kB. */
const largestAnswer = 32_000_000;

const isTransient = (status: number): boolean => [408, 429, 500, 502, 503, 504].includes(status);

/** Failures that will not be others in a few seconds. */
const lasting = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|CERT|SELF_SIGNED|UNABLE/;

/** Whether a failure of the network may pass. */
export const mayPass = (error: unknown): boolean => !lasting.test(codeOf(error));

/** Waits before another try. @param tries that were made */
export async function pause(
  asking: Asking,
  tries: number,
  seconds = 2 ** (tries - 1),
): Promise<void> {
  const { signal, wait = waitFor } = asking;
  await wait(seconds * 1000, signal);
  signal.throwIfAborted();
}

const waitFor = (milliseconds: number, signal: AbortSignal): Promise<unknown> =>
  sleep(milliseconds, undefined, { signal });

/**
 * Asks for an address, again where the answer says that it may help. The token goes to the endpoint
 * alone: an address elsewhere, and all that it leads to, never gets it.
 * @param alsoGood answers that are no failures beside those of success
 * @throws UserError, UnreachableError
 */
export async function request(
  asking: Asking,
  address: string,
  headers: Readonly<Record<string, string>>,
  alsoGood: readonly number[] = [],
): Promise<Response> {
  for (let tries = 1; ; tries++) {
    asking.signal.throwIfAborted();
    let response: Response;
    try {
      response = await follow(asking, address, headers);
    } catch (error) {
      asking.signal.throwIfAborted();
      if (error instanceof UserError) throw error;
      if (tries >= mostTries || !mayPass(error)) {
        throw unreachable(new URL(address).host, error);
      }
      await pause(asking, tries);
      continue;
    }
    const { status } = response;
    if (response.ok || alsoGood.includes(status)) return response;
    const refusal = refusalOf(response, asking.subject, asking.settings);
    await response.body?.cancel();
    const seconds = retryAfter(response.headers) ?? 2 ** (tries - 1);
    if (!isTransient(status) || tries >= mostTries || seconds > longestWait) throw refusal;
    asking.note({
      message: `${new URL(address).host} answered ${status}; trying again in ${formatSeconds(seconds)}.`,
      remedy: 'Wait, or stop and start again later: what was fetched is kept.',
    });
    await pause(asking, tries, seconds);
  }
}

/** Seconds that an answer asks to wait. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const until = Date.parse(value);
  return Number.isNaN(until) ? undefined : Math.max(0, (until - Date.now()) / 1000);
}

/** Follows redirects by hand: fetch itself would tell neither where they lead nor what goes along. */
async function follow(
  { settings: { endpoint, token }, signal }: Asking,
  address: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const own = new URL(endpoint);
  let url = new URL(address);
  let isOwn = true;
  for (let redirects = 0; ; redirects++) {
    isOwn &&= url.origin === own.origin;
    if (url.protocol !== 'https:' && url.protocol !== own.protocol) {
      throw new UserError(
        `${own.host} leads to an address that is not encrypted.`,
        'Check HF_ENDPOINT, and the network you are in.',
      );
    }
    const response = await fetch(url, {
      headers: {
        ...headers,
        ...(isOwn && token !== undefined && { authorization: `Bearer ${token}` }),
      },
      redirect: 'manual',
      signal,
    });
    const to = response.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(response.status) || to === null) return response;
    await response.body?.cancel();
    if (redirects >= mostRedirects || !URL.canParse(to, url.href)) {
      throw new UserError(
        `${own.host} leads in circles.`,
        'Try again later, or check HF_ENDPOINT.',
      );
    }
    url = new URL(to, url);
  }
}

/**
 * The same as the library takes it. It must know of no token: it would hand it to `fetch`, which knows
 * only of other origins, and accept none but those that begin with `hf_`.
 */
export const asFetch =
  (asking: Asking): typeof fetch =>
  async (input, init) => {
    const address = input instanceof Request ? input.url : String(input);
    const headers = Object.fromEntries(new Headers(init?.headers).entries());
    const response = await request(asking, address, headers);
    return new Response(response.body?.pipeThrough(atMost(largestAnswer, address)) ?? null, {
      status: response.status,
      headers: response.headers,
    });
  };

function atMost(limit: number, address: string): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > limit) {
        throw new CorruptFileError(
          `${new URL(address).host} answers with more than ${formatBytes(limit)} where a list of files should be.`,
          'Check HF_ENDPOINT, or download the model elsewhere and give its folder.',
        );
      }
      controller.enqueue(chunk);
    },
  });
}
