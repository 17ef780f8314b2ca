import { requestOf } from './connection.js';

const root = '/v4/default/registry/microservices';

/**
 * Registers instances of ten services, and resolves with the request of each one's heartbeat.
 *
 * @param connections a request is under way on each
 */
export async function registerInstances(connections, count) {
  const [first] = connections;
  const services = [];
  for (let at = 0; at < 10; at += 1) {
    const service = { serviceName: `orders-${at}`, appId: 'shop', version: '1.0.0' };
    services.push((await first.ask('POST', root, { service })).serviceId);
  }
  const heartbeats = [];
  const register = async connection => {
    for (let at = heartbeats.push('') - 1; at < count; at = heartbeats.push('') - 1)
      heartbeats[at] = await registerOne(connection, services[at % services.length], at);
  };
  await Promise.all(connections.slice(0, 20).map(register));
  return heartbeats.slice(0, count);
}

async function registerOne(connection, serviceId, at) {
  const instance = {
    hostName: `host-${at}`,
    endpoints: [`rest://10.0.${at >> 8}.${at & 255}:8080`],
    status: 'UP',
    version: '1.0.0',
    properties: { zone: 'a', 'started-by': 'bench' },
    healthCheck: { mode: 'push', interval: 15, times: 3 },
    dataCenterInfo: { name: 'dc', region: 'north', availableZone: 'a' },
  };
  const path = `${root}/${serviceId}/instances`;
  const { instanceId } = await connection.ask('POST', path, { instance });
  return requestOf('PUT', `${path}/${instanceId}/heartbeat`);
}
