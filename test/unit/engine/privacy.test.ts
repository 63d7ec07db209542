import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

describe("ONNX Runtime's own telemetry", () => {
  // The library reads the variable when its first session is made, in this very process.
  it('is off before the first session, whatever the environment said', () => {
    const engine = fileURLToPath(
      new URL('../../../src/engine/onnxruntime/cpu.ts', import.meta.url),
    );
    const script = `
      const { onnxRuntimeCpu } = await import(${JSON.stringify(engine)});
      onnxRuntimeCpu({ threads: 1 });
      console.log(process.env.ORT_DISABLE_TELEMETRY);`;
    const said = execFileSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { encoding: 'utf8', env: { ...process.env, ORT_DISABLE_TELEMETRY: '' } },
    );
    assert.equal(said.trim(), '1');
  });
});
