/**
 * The process beside the extension host. `worker.js <run folder>` works on a run and outlives the
 * host; `worker.js --serve`, forked with a channel, answers short questions about checkpoints and
 * engines; `worker.js --self-test <engine>`, forked by that one, tries an engine.
 */
const [argument, name] = process.argv.slice(2);

if (argument === '--serve') {
  const { serve } = await import('./serve');
  await serve();
  process.exit(0);
} else if (argument === '--self-test') {
  const { testEngine } = await import('./engines');
  await testEngine(name);
  process.exit(0);
} else if (argument === undefined) {
  process.stderr.write('usage: worker.js <run folder> | --serve\n');
  process.exitCode = 2;
} else {
  const { workOnRun } = await import('./workOnRun');
  // Nothing that is still open may keep a finished run alive.
  process.exit(await workOnRun(argument));
}

export {};
