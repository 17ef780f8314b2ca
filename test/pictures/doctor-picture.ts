import { EmbeddedServiceCenter } from 'embedded-service-center';
import { freePort, runCommandLine } from '../support/command-run.js';
import { terminalPicture } from './terminal.js';

/** Draws what doctor prints where all is well but for one of two addresses. */
export async function doctorPicture(): Promise<string> {
  const registry = new EmbeddedServiceCenter({ port: 0 });
  await registry.start();
  try {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const { output } = await runCommandLine(['doctor'], {
      env: {
        SERVICE_CENTER_ADDRESS: `${registry.url},${nobody}`,
        PORT: '8080',
        FORCE_COLOR: '1',
      },
      columns: 96,
    });
    return terminalPicture('npx nestjs-servicecomb doctor', output);
  } finally {
    await registry.stop();
  }
}
