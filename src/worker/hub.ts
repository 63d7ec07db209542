import { locateCheckpoint } from '../checkpoint/locate';
import type { Note } from '../errors';
import { formatBytes } from '../format';
import type { CallContext } from '../protocol/service';
import type { UnwordedService } from './unwordedService';

/** What the host asks of the Hugging Face Hub, loaded when a person names a model there. */
export const hubService: Pick<UnwordedService, 'lookAtHub' | 'fetchFromHub'> = {
  async lookAtHub({ reference }, context) {
    const notes: Note[] = [];
    const { files, bytes, cache } = await open(reference, context, note => notes.push(note));
    return { files, bytes, cache, notes };
  },
  async fetchFromHub({ reference }, context) {
    const { progress } = context;
    const fetching = await open(reference, context, ({ message }) => progress(message));
    const all = formatBytes(fetching.bytes);
    let told = '';
    const path = await fetching.fetch((arrived, file) => {
      const line = `${formatBytes(arrived)} / ${all} · ${file}`;
      if (line !== told) progress(line);
      told = line;
    });
    return locateCheckpoint(path);
  },
};

async function open(
  reference: string,
  { signal }: Pick<CallContext, 'signal'>,
  note: (note: Note) => void,
) {
  const [{ openFetching }, { hubSettings }] = await Promise.all([
    import('../hub/obtain'),
    import('../hub/settings'),
  ]);
  return openFetching({ reference, settings: await hubSettings(process.env), signal, note });
}
