import * as vscode from 'vscode';
import type { TensorRow, ToInspector } from '../../protocol/messages';
import { fromInspector } from '../../protocol/messageSchemas';
import { DisposableStore } from '../lifetime';
import type { Pages } from './pages';
import type { ServiceClient } from '../serviceClient';
import type { Telemetry } from '../telemetry';
import { labelOf } from '../checkpoints/checkpointTree';
import { inspectorOf } from '../checkpoints/weightsFile';
import { explain } from '../text';

/** Opens a checkpoint in the inspector. */
export const openInspector = (path: string): Thenable<unknown> =>
  vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(path), inspectorOf(path));

/** What the inspector needs from the rest of the host. */
export interface InspectorParts {
  readonly pages: Pages;
  readonly service: ServiceClient;
  readonly telemetry: Telemetry;
  readonly grow: (checkpoint: vscode.Uri) => void;
  readonly exportTensor: (path: string, tensor: TensorRow) => void;
}

/** Opens checkpoints as a read-only editor. Nothing is read here: the helper process reads headers. */
export class InspectorProvider implements vscode.CustomReadonlyEditorProvider {
  private readonly open = new Set<(message: ToInspector) => void>();

  constructor(private readonly parts: InspectorParts) {}

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    const { pages, service, telemetry, grow, exportTensor } = this.parts;
    let tensors: readonly TensorRow[] = [];
    const post = (message: ToInspector): void => void panel.webview.postMessage(message);
    const fail = (error: unknown): void => post({ type: 'failed', ...explain(error) });
    const disposables = new DisposableStore();
    this.open.add(post);
    panel.onDidDispose(() => {
      this.open.delete(post);
      disposables.dispose();
    });
    const sendCheckpoint = async (): Promise<void> => {
      if (uri.scheme !== 'file') {
        post({
          type: 'failed',
          message: vscode.l10n.t('Only checkpoints on a disk can be inspected.'),
          remedy: vscode.l10n.t('Open the folder where it lies, also over SSH or in a container.'),
        });
        return;
      }
      const checkpoint = await service.call('inspect', uri.fsPath);
      const name = labelOf(uri.fsPath);
      panel.title = name;
      tensors = checkpoint.tensors;
      post({ type: 'checkpoint', checkpoint: { ...checkpoint, name } });
      telemetry.send('inspected', { tensors: checkpoint.tensors.length });
    };
    disposables.add(
      panel.webview.onDidReceiveMessage((message: unknown) => {
        const parsed = fromInspector.safeParse(message);
        if (!parsed.success) return;
        switch (parsed.data.type) {
          case 'ready':
            post({ type: 'options', options: pages.options });
            sendCheckpoint().catch(fail);
            break;
          case 'statistics':
            service
              .call('statistics', { path: uri.fsPath, tensor: parsed.data.name })
              .then(statistics => post({ type: 'statistics', statistics }), fail);
            break;
          case 'grow':
            grow(uri);
            break;
          case 'export': {
            const { name } = parsed.data;
            const tensor = tensors.find(candidate => candidate.name === name);
            if (tensor) exportTensor(uri.fsPath, tensor);
            break;
          }
        }
      }),
    );
    pages.show(panel.webview, 'inspector', vscode.l10n.t('Checkpoint'));
  }

  refreshOptions(): void {
    const { pages } = this.parts;
    for (const post of this.open) post({ type: 'options', options: pages.options });
  }
}
