import { startServer, type EditorServer, type ServerOptions } from './server';
import { Workbench, type OpenOptions } from './workbench';

/** A server and a person in front of it. */
export interface Editor {
  readonly server: EditorServer;
  readonly bench: Workbench;
  close(): Promise<void>;
}

/** Starts an editor on a folder; what was started is ended again when the rest fails. */
export async function openEditor(options: ServerOptions & OpenOptions): Promise<Editor> {
  const server = await startServer(options);
  try {
    const bench = await Workbench.open(server, options);
    return {
      server,
      bench,
      async close() {
        await bench.close();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
