import type { Command } from 'commander';
import { counted, formatBytes } from '../format';
import { isHubReference } from '../protocol/hubReference';
import { commandLine } from '../remedy/commandLine';
import { worded } from '../remedy/worded';
import type { Told } from '../protocol/told';
import { printError, type Host } from './host';
import { openByteBar } from './progressBar';
import { warn } from './reporter';

/**
 * Where a command's checkpoint is a model on the Hugging Face Hub, fetches it and has the command open
 * what was fetched. What repeats the command names the commit.
 */
export async function fetchNamed(command: Command, host: Host): Promise<void> {
  const [argument] = command.registeredArguments;
  const [reference] = command.args;
  if (argument?.name() !== 'checkpoint' || reference === undefined) return;
  if (!isHubReference(reference)) return;
  const fetched = await fetchFromHub(reference, host);
  command.args[0] = fetched.reference;
  command.processedArgs[0] = fetched.path;
}

/** Fetches a model with its progress on standard error: standard output is the command's own. */
async function fetchFromHub(
  reference: string,
  host: Host,
): Promise<{ readonly reference: string; readonly path: string }> {
  const [{ openFetching }, { hubSettings }] = await Promise.all([
    import('../hub/obtain'),
    import('../hub/settings'),
  ]);
  const fetching = await openFetching({
    reference,
    settings: await hubSettings(process.env),
    signal: host.signal,
    note: note => warn(host, worded<Told>(note, commandLine)),
  });
  const { bytes, files, cache } = fetching;
  if (files === 0)
    return { reference: fetching.reference, path: await fetching.fetch(() => undefined) };
  const what = `${counted(files, 'file')} (${formatBytes(bytes)}) of ${fetching.reference}`;
  printError(host, `Fetching ${what} into ${cache}`);
  const bar = host.stderr.isTTY ? openByteBar(host.stderr, bytes) : undefined;
  try {
    const path = await fetching.fetch((arrived, file) => bar?.update(arrived, file));
    return { reference: fetching.reference, path };
  } finally {
    bar?.close();
  }
}
