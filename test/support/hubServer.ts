import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A model that the server has. */
export interface ServedModel {
  readonly id: string;
  readonly commit: string;
  /** Branches and tags beside `main`. */
  readonly refs?: readonly string[];
  readonly files: Readonly<Record<string, Buffer>>;
  /** Those that lie in LFS, and are served from the other port. */
  readonly lfs?: readonly string[];
  readonly gated?: boolean;
  /** Paths that the list has besides, whatever they are. */
  readonly alsoListed?: readonly string[];
}

/** The commit of models that tests serve, where it does not matter. */
export const servedCommit = '0123456789abcdef0123456789abcdef01234567';

/** The model in a folder as the Hub would have it: weights in LFS. */
export function servedExample(folder: string, changes: Partial<ServedModel> = {}): ServedModel {
  const names = readdirSync(folder).filter(file => !/golden/.test(file));
  const files = Object.fromEntries(names.map(file => [file, readFileSync(join(folder, file))]));
  const lfs = names.filter(file => file.endsWith('.safetensors'));
  return { id: 'owner/tiny', commit: servedCommit, files, lfs, ...changes };
}

/** A request as it came. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  /** Which port: that of the Hub, or of where it redirects to. */
  readonly at: 'hub' | 'cdn';
}

/** Answers in place of the usual one; false for the usual. */
export type Interference = (
  request: SeenRequest,
  response: ServerResponse,
) => boolean | Promise<boolean>;

/** A server that answers as the Hugging Face Hub does. */
export interface HubServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly requests: readonly SeenRequest[];
  models: readonly ServedModel[];
  interfere: Interference | undefined;
  close(): Promise<void>;
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const gitHash = (bytes: Buffer): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** Files of a page of a list; the Hub has a thousand. */
const pageSize = 1000;

/** Starts it on two ports of this machine: large files are fetched from the second. */
export async function startHub(...models: ServedModel[]): Promise<HubServer> {
  const requests: SeenRequest[] = [];
  const own = { models, interfere: undefined as Interference | undefined };
  const listener =
    (at: SeenRequest['at'], answer: (request: SeenRequest, response: ServerResponse) => void) =>
    (incoming: IncomingMessage, response: ServerResponse): void => {
      const seen = {
        method: incoming.method!,
        url: decodeURIComponent(incoming.url!),
        authorization: incoming.headers.authorization,
        range: incoming.headers.range,
        at,
      };
      requests.push(seen);
      void (async () => {
        if (own.interfere && (await own.interfere(seen, response))) return;
        answer(seen, response);
      })();
    };
  const cdn = await listen(
    listener('cdn', ({ url, method, range }, response) => {
      const all = own.models.flatMap(({ files }) => Object.values(files));
      const bytes = all.find(file => url === `/${sha256(file)}`);
      if (bytes) sendBytes(response, bytes, range, method, { etag: `"${sha256(bytes)}"` });
      else refuse(response, 404, 'EntryNotFound');
    }),
  );
  // Another host too: clients tell redirects apart by it.
  const elsewhere = cdn.address.replace('127.0.0.1', 'localhost');
  const hub = await listen(
    listener('hub', (request, response) => answerHub(request, response, own.models, elsewhere)),
  );
  const close = async (): Promise<void> => {
    await Promise.all([hub, cdn].map(({ server }) => stop(server)));
  };
  return {
    endpoint: hub.address,
    requests,
    get models() {
      return own.models;
    },
    set models(next) {
      own.models = [...next];
    },
    get interfere() {
      return own.interfere;
    },
    set interfere(next) {
      own.interfere = next;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly server: Server; readonly address: string }> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise(resolve => server.close(() => resolve()));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-error-code': code, 'x-error-message': code }).end();
}

function answerHub(
  { url, method, authorization, range }: SeenRequest,
  response: ServerResponse,
  models: readonly ServedModel[],
  cdn: string,
): void {
  const path = url.replace(/\?.*$/, '');
  const model = models.find(({ id }) =>
    [`/api/models/${id}/`, `/${id}/`].some(begin => path.startsWith(begin)),
  );
  if (!model) return refuse(response, 401, 'RepoNotFound');
  if (model.gated && authorization === undefined) return refuse(response, 401, 'GatedRepo');
  const { id, commit, refs = [], files, lfs = [] } = model;
  const revisions = ['main', commit, ...refs];
  const json = (content: unknown, headers: Record<string, string> = {}): void => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(content));
  };
  const after = (begin: string): string | undefined =>
    path.startsWith(begin) ? path.slice(begin.length) : undefined;
  const revision = after(`/api/models/${id}/revision/`);
  if (revision !== undefined) {
    if (!revisions.includes(revision)) return refuse(response, 404, 'RevisionNotFound');
    const siblings = Object.keys(files).map(rfilename => ({ rfilename }));
    return json({
      ...{ _id: '1', id, sha: commit, private: false, downloads: 1, likes: 0, gated: false },
      ...{ lastModified: '2026-01-01T00:00:00.000Z', siblings },
    });
  }
  const below = after(`/api/models/${id}/tree/`);
  if (below !== undefined) {
    const [listed, ...folder] = below.split('/');
    if (!revisions.includes(listed!)) return refuse(response, 404, 'RevisionNotFound');
    const entries = entriesOf(model, folder.join('/'));
    const from = Number(new URL(url, 'http://x').searchParams.get('cursor') ?? 0);
    const next = from + pageSize;
    const link = `<http://${response.req.headers.host}${path}?recursive=false&cursor=${next}>; rel="next"`;
    return json(entries.slice(from, next), next < entries.length ? { link } : {});
  }
  const file = /^\/resolve\/([^/]+)\/(.+)$/.exec(after(`/${id}`) ?? '');
  const bytes = files[file?.[2] ?? ''];
  if (!file || !revisions.includes(file[1]!)) return refuse(response, 404, 'RevisionNotFound');
  if (!bytes) return refuse(response, 404, 'EntryNotFound');
  const common = { 'x-repo-commit': commit, 'accept-ranges': 'bytes' };
  if (!lfs.includes(file[2]!)) {
    return sendBytes(response, bytes, range, method, { ...common, etag: `"${gitHash(bytes)}"` });
  }
  response.writeHead(302, {
    ...common,
    'x-linked-etag': `"${sha256(bytes)}"`,
    'x-linked-size': String(bytes.length),
    location: `${cdn}/${sha256(bytes)}`,
  });
  response.end();
}

function entriesOf({ files, lfs = [], alsoListed = [] }: ServedModel, folder: string): object[] {
  const begin = folder === '' ? '' : `${folder}/`;
  const below = Object.entries(files).filter(([path]) => path.startsWith(begin));
  const folders = new Set(
    below.flatMap(([path]) => {
      const [name, ...rest] = path.slice(begin.length).split('/');
      return rest.length > 0 ? [`${begin}${name}`] : [];
    }),
  );
  const here = below.filter(([path]) => !path.slice(begin.length).includes('/'));
  return [
    ...[...folders].map(path => ({ type: 'directory', path, oid: '0'.repeat(40), size: 0 })),
    ...alsoListed.map(path => ({ type: 'file', path, oid: 'a'.repeat(40), size: 1 })),
    ...here.map(([path, bytes]) =>
      lfs.includes(path)
        ? {
            ...{ type: 'file', path, oid: 'b'.repeat(40), size: bytes.length },
            lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 134 },
          }
        : { type: 'file', path, oid: gitHash(bytes), size: bytes.length },
    ),
  ];
}

/** Sends bytes, or the range of them that is asked for. */
export function sendBytes(
  response: ServerResponse,
  bytes: Buffer,
  range: string | undefined,
  method: string,
  headers: Record<string, string> = {},
): void {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  const begin = Number(from ?? 0);
  const end = to ? Number(to) + 1 : bytes.length;
  if (begin >= bytes.length && from !== undefined) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  response.writeHead(from === undefined ? 200 : 206, {
    'content-length': end - begin,
    ...(from !== undefined && { 'content-range': `bytes ${begin}-${end - 1}/${bytes.length}` }),
    ...headers,
  });
  response.end(method === 'HEAD' ? undefined : bytes.subarray(begin, end));
}
