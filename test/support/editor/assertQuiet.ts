import assert from 'node:assert/strict';
import { remoteConnections } from './connections';
import type { Editor } from './editor';

/** Asserts that nothing asked for another machine, and that no page broke its security policy. */
export function assertQuiet({ bench, server }: Editor): void {
  assert.deepEqual(bench.recorder.externalRequests, []);
  assert.deepEqual(server.facts().connections, []);
  assert.deepEqual(remoteConnections(server.session), []);
  assert.deepEqual(bench.recorder.policyViolations, []);
}
