// A registry in a process of its own: what kills it kills nothing else. PageRequest, it tells what it holds.
import { EmbeddedServiceCenter } from '../../lib/index.js';

const { url } = await new EmbeddedServiceCenter({ port: 0 }).start();
process.send?.({ url });
process.on('message', () => process.send?.({ handles: process.getActiveResourcesInfo().sort() }));
process.on('disconnect', () => process.exit());
