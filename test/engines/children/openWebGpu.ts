// Opens WebGPU and prints what came of it, as JSON.
import { openWebGpu } from '../../../src/engine';
import { UserError } from '../../../src/errors';
import { remedyText } from '../../support/remedyText';

try {
  const { description } = await openWebGpu();
  process.stdout.write(JSON.stringify(description));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stdout.write(
    JSON.stringify({ name: error.name, message: error.message, remedy: remedyText(error.remedy) }),
  );
}
