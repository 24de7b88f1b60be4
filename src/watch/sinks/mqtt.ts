/** Publishes each result to a topic of an MQTT broker, at least once. Needs the package mqtt, which is loaded only here. */
import type { MqttClient } from 'mqtt';
import { ConfigError, RuntimeUnavailable } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import type { Sink } from './sink.ts';

/**
 * `mqtt://broker:1883/line/3/anomalies`: the broker, and after the first `/` the topic.
 * @throws ConfigError `mqtt-address`; RuntimeUnavailable `mqtt-missing`.
 */
export async function mqttSink(address: string): Promise<Sink> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const topic = url && decodeURIComponent(url.pathname.slice(1));
  if (!url || !/^(mqtts?|wss?):$/.test(url.protocol) || !topic || /[+#]/.test(topic)) {
    throw new ConfigError(
      'mqtt-address',
      say`${option('mqtt')} must be a broker and a topic, such as mqtt://localhost:1883/line/anomalies, got ${address}.`,
    );
  }
  const { connect } = await import('mqtt').then(
    ({ default: mqtt }) => mqtt,
    () => {
      throw new RuntimeUnavailable(
        'mqtt-missing',
        'Publishing to MQTT needs the package mqtt. Install it with: npm install mqtt',
      );
    },
  );
  url.pathname = '';
  let client: MqttClient | undefined;
  return {
    name: 'mqtt',
    async deliver({ record }) {
      client ??= connect(url.href, { reconnectPeriod: 1000, connectTimeout: 5000 }).on('error', () => {}); // publishing says it
      if (!client.connected) await connected(client);
      await client.publishAsync(topic, JSON.stringify(record), { qos: 1 });
    },
    async close() {
      await client?.endAsync(true);
    },
  };
}

/** Waits for the connection, a few seconds. */
function connected(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the broker does not answer')), 5000);
    client.once('connect', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
