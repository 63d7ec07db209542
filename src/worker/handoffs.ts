import type { UnwordedService } from './unwordedService';

/** What the host asks of projects for PyTorch, loaded when a person wants one. */
export const handoffService: Pick<UnwordedService, 'handoffOutlook' | 'handOff'> = {
  async handoffOutlook({ checkpoint }) {
    const { handoffOutlook } = await import('../run/handoff/outlook');
    return handoffOutlook(checkpoint);
  },
  async handOff({ data, ...question }, { signal }) {
    const [{ handOff }, { namedSeparator }] = await Promise.all([
      import('../run/handoff/handoff'),
      import('../run/open/namedSeparator'),
    ]);
    const { path, separator, ...cut } = data;
    const joined = separator && (await namedSeparator(question.checkpoint, separator));
    return handOff({ ...question, data: { ...cut, data: path, separator: joined } }, signal);
  },
};
