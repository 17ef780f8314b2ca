/** How the start of a service went: the URL it serves, or why it does not, in one sentence. */
export type Progress = { readonly ready: string } | { readonly failed: string };

/** Tells `npm start`, which started this process, or the terminal when nobody did. */
export function tell(progress: Progress): void {
  if (process.send !== undefined) process.send(progress);
  else if ('ready' in progress) console.log(`Listening on ${progress.ready}, Ctrl-C stops it`);
  else console.error(progress.failed);
}
