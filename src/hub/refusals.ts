import { UserError } from '../errors';
import { harmless } from '../harmless';

/** The Hub cannot be reached, so that only what lies in the cache can be used. */
export class UnreachableError extends UserError {}

/** What an answer that is no success means to a person. @param subject what was asked for */
export function refusalOf(
  response: Pick<Response, 'status' | 'headers'>,
  subject: string,
  { endpoint, token }: { readonly endpoint: string; readonly token?: string },
): UserError {
  const { status, headers } = response;
  const code = headers.get('x-error-code') ?? '';
  const page = `${endpoint}/${subject.replace(/^hf:\/\//, '').replace(/@.*$/, '')}`;
  const signIn =
    token === undefined
      ? 'set HF_TOKEN to a token of yours, or sign in with `hf auth login`'
      : 'check that your token (HF_TOKEN, or that of `hf auth login`) may read it';
  if (code === 'GatedRepo') {
    return new UserError(
      `${subject} is gated: its owner asks who uses it.`,
      `Accept its conditions at ${page}, then ${signIn} and try again.`,
    );
  }
  if (code === 'RevisionNotFound') {
    return new UserError(
      `${subject} has no such branch, tag or commit.`,
      `See ${page}/tree/main for those that it has, or leave the part behind @ out.`,
    );
  }
  if (code === 'EntryNotFound') {
    return new UserError(
      `${subject} lists a file that cannot be fetched.`,
      'Try again later; if it stays so, tell its owner.',
    );
  }
  if (status === 401 || status === 403 || status === 404 || code === 'RepoNotFound') {
    const isToken = status === 401 && token !== undefined && code !== 'RepoNotFound';
    return new UserError(
      isToken
        ? `${endpoint} does not accept the token for ${subject}.`
        : `${subject} does not exist, or is not open to everybody (${status}).`,
      `Check the name at ${page}. If it is private, ${signIn}.`,
    );
  }
  if (status === 429) {
    return new UserError(
      `${endpoint} asks to wait: too many requests were made.`,
      'Try again later; with a token (HF_TOKEN) more are allowed.',
    );
  }
  return new UserError(
    `${endpoint} answered ${status} for ${subject}.`,
    status >= 500 ? 'Try again later.' : `See whether ${page} can be opened in a browser.`,
  );
}

/** A failure of the network itself. @param host whom the connection was to */
export function unreachable(host: string, cause: unknown): UnreachableError {
  const code = codeOf(cause);
  const isCertificate = /CERT|SELF_SIGNED|UNABLE_TO/.test(code);
  return new UnreachableError(
    isCertificate
      ? `The certificate of ${host} is not trusted (${code}).`
      : `${host} cannot be reached${code === '' ? '' : ` (${code})`}.`,
    isCertificate
      ? 'Where a company replaces certificates, set NODE_EXTRA_CA_CERTS to the file of its own.'
      : 'Check the network, or download the model elsewhere and give its folder. Proxies are used where NODE_USE_ENV_PROXY=1 is set, by Node 24 and later.',
    { cause },
  );
}

/** What the system calls a failure of the network. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return harmless(code);
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return codeOf(error.cause);
}
