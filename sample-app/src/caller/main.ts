import { startService } from '../shared/start-service.js';
import { CallerModule } from './caller.module.js';

await startService('caller', { module: CallerModule, defaultPort: 3000 });
