// A registry in a process of its own, so that only this process can be killed. It reports its open
// resources on request.
import { EmbeddedServiceCenter } from '../../lib/index.js';

const { url } = await new EmbeddedServiceCenter({ port: 0 }).start();
process.send?.({ url });
process.on('message', () => process.send?.({ handles: process.getActiveResourcesInfo().sort() }));
process.on('disconnect', () => process.exit());
