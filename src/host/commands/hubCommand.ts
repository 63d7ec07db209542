import * as vscode from 'vscode';
import { hubReferenceText, readHubReference } from '../../protocol/hubReference';
import { openInspector } from '../pages/inspector';
import type { CallOptions, ServiceClient } from '../serviceClient';
import { formatBytes, plural } from '../text';
import { requireTrustToFetch } from '../trust';

/** What opening a model of the Hub needs from the rest of the host. */
export interface HubParts {
  readonly service: ServiceClient;
  readonly grow: (checkpoint: string) => void;
}

/**
 * Asks for a model on the Hugging Face Hub, fetches what is missing of it into the cache, and looks into
 * it. Nothing is asked of the network before a model was named.
 * @param given its name, where another than a person has it
 * @returns the path of the checkpoint; undefined where it was not fetched
 */
export async function openFromHub(
  { service, grow }: HubParts,
  given?: unknown,
): Promise<string | undefined> {
  requireTrustToFetch();
  const text = typeof given === 'string' ? given : await askForName();
  const named = text === undefined ? undefined : readHubReference(text.trim());
  if (!named) return undefined;
  const reference = hubReferenceText(named);
  const outlook = await withNotification(vscode.l10n.t('Looking at {0}', reference), options =>
    service.call('lookAtHub', { reference }, options),
  );
  if (!outlook) return undefined;
  for (const { message, remedy } of outlook.notes)
    void vscode.window.showWarningMessage(`${message} ${remedy}`);
  if (outlook.files > 0 && !(await mayFetch(reference, outlook))) return undefined;
  const path = await withNotification(vscode.l10n.t('Fetching {0}', reference), options =>
    service.call('fetchFromHub', { reference }, options),
  );
  if (path === undefined) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('{0} was not fetched; what has arrived is gone on with next time.', reference),
    );
    return undefined;
  }
  await openInspector(path);
  const growIt = vscode.l10n.t('Grow Model…');
  void vscode.window
    .showInformationMessage(vscode.l10n.t('{0} lies in the cache.', reference), growIt)
    .then(answer => answer === growIt && grow(path));
  return path;
}

const askForName = (): Thenable<string | undefined> =>
  vscode.window.showInputBox({
    title: vscode.l10n.t('Open from Hugging Face Hub'),
    prompt: vscode.l10n.t(
      'A model: owner/name, or owner/name@revision with a branch, tag or commit',
    ),
    placeHolder: 'owner/name[@revision]',
    ignoreFocusOut: true,
    validateInput: text =>
      text.trim() === '' || readHubReference(text.trim())
        ? undefined
        : vscode.l10n.t('Write owner/name, or owner/name@revision.'),
  });

/** Tells sizes, and asks. */
async function mayFetch(
  reference: string,
  {
    files,
    bytes,
    cache,
  }: { readonly files: number; readonly bytes: number; readonly cache: string },
): Promise<boolean> {
  const fetchIt = vscode.l10n.t('Fetch');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('Fetch {0}?', reference),
    {
      modal: true,
      detail: vscode.l10n.t(
        '{0}, {1}, into {2}, where Python’s tools find them too.',
        plural(files, '{0} file', '{0} files'),
        formatBytes(bytes),
        cache,
      ),
    },
    fetchIt,
  );
  return answer === fetchIt;
}

/** Work with a notification that can be cancelled; undefined when it was. */
function withNotification<T>(
  title: string,
  work: (options: CallOptions) => Promise<T>,
): Thenable<T | undefined> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const controller = new AbortController();
      token.onCancellationRequested(() => controller.abort());
      try {
        return await work({
          signal: controller.signal,
          onProgress: line => progress.report({ message: line.slice(0, 160) }),
        });
      } catch (error) {
        if (controller.signal.aborted) return undefined;
        throw error;
      }
    },
  );
}
