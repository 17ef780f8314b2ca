import { NestFactory } from '@nestjs/core';
import { Registration, RegistryModule } from '../../lib/index.js';
import { optionsFor, rootModule } from './test-app.js';

// A process that nobody catches anything in: `node crashing-context.js URL SECRET`. It logs all there is,
// and ends with the refusal that the registry answers.

const [, , url = '', secret = ''] = process.argv;
const options = optionsFor(url, {
  instance: { endpoints: ['highway://10.0.0.1:7070'] },
  serviceCenter: {
    auth: { username: 'root', password: secret },
    axios: { headers: { key: secret } },
  },
  registration: { failFast: true },
});
const app = await NestFactory.createApplicationContext(
  rootModule(RegistryModule.forRoot(options)),
  { logger: ['log', 'error', 'warn', 'debug', 'verbose', 'fatal'], abortOnError: false },
);
await app.get(Registration).register();
