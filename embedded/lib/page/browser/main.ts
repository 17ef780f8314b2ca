import type { PageEvents, SetupView } from '../messages.js';
import { Board } from './board.js';
import * as calls from './calls.js';
import { byId, setText } from './element.js';
import { EventList } from './event-list.js';
import { EventLog } from './event-log.js';
import { FaultForm, FaultList } from './fault-panel.js';
import { ServiceList } from './service-list.js';

/** Milliseconds between two updates of all remaining times; one timer for all. */
const tickMs = 500;

const board = new Board();
const log = new EventLog();
const services = new ServiceList(board);
const events = new EventList(log);
const faults = new FaultList();

byId('fault-form').append(new FaultForm().node);
byId('close-idle').addEventListener('click', () => void calls.closeIdle());
byId('cut-watchers').addEventListener('click', () => void calls.cutWatchers());
byId('down').addEventListener('click', () => void calls.startFault({ kind: 'refuse', ms: 30_000 }));
setText(
  byId('example-nest'),
  `RegistryModule.forRoot({\n  serviceCenter: { addresses: ['${location.origin}'] },\n})`,
);
setText(
  byId('example-curl'),
  [
    `curl -d '{"service":{"serviceName":"orders","serviceId":"orders"}}' \\`,
    `  ${location.origin}/v4/default/registry/microservices`,
    `curl -d '{"instance":{"hostName":"here"}}' \\`,
    `  ${location.origin}/v4/default/registry/microservices/orders/instances`,
  ].join('\n'),
);

/** Changes are shown in the next animation frame, so several messages cost one rendering. */
let isDue = false;
function showSoon(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    services.show();
    events.show();
  });
}

function setConnection(state: 'live' | 'lost', text: string): void {
  byId('connection').dataset['state'] = state;
  setText(byId('connection'), text);
}

function showSetup({ profile, oddities }: SetupView): void {
  const on = Object.entries(oddities).map(([name, value]) => `${name} ${value}`);
  const oddly = on.length === 0 ? 'no oddities' : `oddities: ${on.join(', ')}`;
  setText(byId('setup'), `profile ${profile} · ${oddly}`);
}

const source = new EventSource('events');

/** Calls a function with the data of each event of a name. */
function on<Name extends keyof PageEvents>(
  name: Name,
  act: (data: PageEvents[Name]) => void,
): void {
  source.addEventListener(name, (event: MessageEvent<string>) => {
    const data: PageEvents[Name] = JSON.parse(event.data);
    act(data);
  });
}

on('registry', registry => {
  setConnection('live', 'live');
  board.replace(registry, performance.now());
  showSoon();
});
on('history', changes => {
  log.replace(changes);
  showSoon();
});
on('setup', showSetup);
on('changes', changes => {
  for (const change of changes) {
    board.change(change, performance.now());
    log.add(change);
  }
  events.announce(changes);
  showSoon();
});
on('renewals', renewals => {
  const now = performance.now();
  const names = renewals.flatMap(renewal => {
    board.renew(renewal, now);
    const found = board.find(renewal.serviceKey, renewal.instanceKey);
    if (found === undefined) return [];
    return `${found.service.serviceName} ${found.service.version} ${found.instance.instanceId}`;
  });
  const at = Math.max(...renewals.map(({ lease }) => lease.renewedAt));
  if (names.length > 0) log.addRenewals(names, at);
  showSoon();
});
on('faults', data => faults.show(data));
source.addEventListener('error', () => setConnection('lost', 'connection lost, trying again'));

setInterval(() => services.tick(), tickMs);
