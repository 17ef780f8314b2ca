import { ErrorCode } from '../model/error-codes.js';
import { json, listed, plain } from '../api/answer.js';
import type { Answer } from '../api/answer.js';
import type { Call } from '../api/call.js';
import { RegistryError } from '../model/registry-error.js';
import { serviceCenterId, serviceCenterVersion } from '../model/service-center-itself.js';

/** What runs here; the field that names Go names Node. */
export const about = {
  version: serviceCenterVersion,
  buildTag: 'embedded',
  goVersion: `node${process.versions.node}`,
  os: process.platform,
  arch: process.arch,
};

/** GET /version */
export const getVersion3 = (): Answer => json({ ...about, apiVersion: '3.0.0' });

/** GET …/registry/version */
export const getVersion = (): Answer => json({ ...about, apiVersion: '4.0.0' });

/** GET health: the Service Center's own instances, by which clients learn all addresses of a cluster. */
export function getHealth({ model }: Call): Answer {
  model.requireHealth();
  const { instances } = model.root.requireService(serviceCenterId);
  return json({ instances: listed([...instances.values()].map(({ instance }) => instance)) });
}

/** GET v1/syncer/health: there is nothing to be in step with. */
export function getSyncerHealth(): Answer {
  throw new RegistryError(ErrorCode.InternalServerError, 'sync config is empty');
}

/** GET on a path that is for WebSocket, without the wish to upgrade. */
export const upgradeRequired = (): Answer => plain(400, 'Bad Request');
