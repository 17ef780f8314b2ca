import { isRecordOf, isText, jsonObject, optional } from './wire.js';

/** The provider of a frame. */
export interface FrameProvider {
  readonly environment: string;
  readonly appId: string;
  readonly serviceName: string;
  /** The other name that its service is registered with, which a consumer may have found it by. */
  readonly alias: string | undefined;
}

/**
 * The meaning of a frame of the watcher.
 *
 * - `provider`: an instance of it was registered, changed or removed
 * - `consumer-gone`: the registry does not know the service that watches
 * - `unreadable`: something has changed somewhere
 */
export type WatchFrame = { readonly provider: FrameProvider } | 'consumer-gone' | 'unreadable';

/** The text for a service that is unknown (docs/registry-behaviour.md, M14). */
const unknownService = 'service does not exist';

/** The server omits what is empty. */
const isKey = isRecordOf<Partial<FrameProvider> & { readonly serviceName: string }>({
  environment: optional(isText),
  appId: optional(isText),
  serviceName: isText,
  alias: optional(isText),
});

/**
 * Reads a frame. Its instance and its action are ignored: frames are lost, come late and have no order, so they
 * only say whom to ask about.
 */
export function readWatchFrame(text: string): WatchFrame {
  if (text.trim() === unknownService) return 'consumer-gone';
  const key = jsonObject(text)?.['key'];
  if (!isKey(key)) return 'unreadable';
  const { environment = '', appId = '', serviceName, alias } = key;
  return { provider: { environment, appId, serviceName, alias } };
}
