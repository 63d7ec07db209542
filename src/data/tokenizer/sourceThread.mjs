// The thread where the sources run unbundled, as in tests: Node's threads do not inherit tsx.
import { register } from 'tsx/esm/api';

register();
await import('./thread.ts');
