import { httpClient } from '../contract/registry-under-test.js';

// A process that asks each registry of its arguments, with and without authorities of its own, and prints
// why it could not.

const [ca = '', ...addresses] = process.argv.slice(2);
for (const address of addresses)
  for (const tls of [{}, { ca }]) {
    const error: unknown = await httpClient(address, { tls })
      .listMicroservices()
      .catch((error: unknown) => error);
    console.log(Reflect.get(Object(error), 'reason') ?? 'answered');
  }
