import { startService } from '../shared/start-service.js';
import { GreeterModule } from './greeter.module.js';

await startService('greeter', { module: GreeterModule, defaultPort: 3001 });
