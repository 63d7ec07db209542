import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../errors';
import { readSmall } from '../files';

/** Where the Hub is, and where what came from it is kept: as Hugging Face's own tools are told. */
export interface HubSettings {
  /** Begins every address; without a slash at its end. */
  readonly endpoint: string;
  /** The folder of `models--owner--name` folders. */
  readonly cache: string;
  readonly token?: string;
  /** Nothing is asked of the network. */
  readonly offline: boolean;
  /** Snapshots have copies in place of links. */
  readonly copies: boolean;
}

/** Bytes of a token's file at most. */
const largestToken = 10_000;

const isOn = (value: string | undefined): boolean =>
  ['1', 'ON', 'YES', 'TRUE'].includes(value?.toUpperCase() ?? '');

/**
 * Reads the variables that huggingface_hub reads. Nothing else chooses: no file of a workspace does.
 * @throws UserError where they make no sense
 */
export async function hubSettings(environment: NodeJS.ProcessEnv): Promise<HubSettings> {
  const home = homedir();
  const folder = (name: string): string | undefined => {
    const value = environment[name];
    return value ? resolve(value.replace(/^~(?=$|[\\/])/, home)) : undefined;
  };
  const hubHome =
    folder('HF_HOME') ?? join(folder('XDG_CACHE_HOME') ?? join(home, '.cache'), 'huggingface');
  const offline = isOn(environment['HF_HUB_OFFLINE']) || isOn(environment['TRANSFORMERS_OFFLINE']);
  const token = offline
    ? undefined
    : await tokenOf(environment, folder('HF_TOKEN_PATH') ?? join(hubHome, 'token'));
  return {
    endpoint: endpointOf(environment['HF_ENDPOINT']),
    cache: folder('HF_HUB_CACHE') ?? folder('HUGGINGFACE_HUB_CACHE') ?? join(hubHome, 'hub'),
    ...(token !== undefined && { token }),
    offline,
    copies: isOn(environment['HF_HUB_DISABLE_SYMLINKS']),
  };
}

function endpointOf(value: string | undefined): string {
  if (!value) return 'https://huggingface.co';
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isPlain = url && !url.username && !url.password && !url.search && !url.hash;
  if (isPlain && ['http:', 'https:'].includes(url.protocol)) return url.href.replace(/\/+$/, '');
  // It is not quoted: it may have a password in it.
  throw new UserError(
    'HF_ENDPOINT is no address that begins with https:// and has neither a password nor a query.',
    'Correct it, or unset it for https://huggingface.co.',
  );
}

async function tokenOf(environment: NodeJS.ProcessEnv, file: string): Promise<string | undefined> {
  const named = environment['HF_TOKEN'] ?? environment['HUGGING_FACE_HUB_TOKEN'];
  const isImplicit = named === undefined || named.trim() === '';
  if (isImplicit && isOn(environment['HF_HUB_DISABLE_IMPLICIT_TOKEN'])) return undefined;
  const text = isImplicit ? (await readSmall(file, largestToken))?.toString('utf8') : named;
  const token = text?.trim();
  if (!token) return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new UserError(
    `The token of Hugging Face in ${isImplicit ? file : 'HF_TOKEN'} holds characters that no token has.`,
    'Copy it again from https://huggingface.co/settings/tokens, or remove it.',
  );
}
