/**
 * Posts each result as JSON. With a secret the header `X-Oddity-Signature: sha256=…` is the HMAC of the body, so that the receiver can
 * tell who sent it; `X-Oddity-Id` is the same for a result that comes twice.
 */
import { createHmac } from 'node:crypto';
import { ConfigError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import { Refused, type Sink } from './sink.ts';

/** Milliseconds that a receiver may take. */
const ANSWER_MS = 10_000;

/** Throws ConfigError `webhook-address` for what is no address. */
export function webhookSink(address: string, secret?: string): Sink {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      'webhook-address',
      say`${option('webhook')} must be an address of http or https, got ${address}.`,
    );
  }
  return {
    name: 'webhook',
    async deliver({ record }, signal) {
      const body = JSON.stringify(record);
      const headers: Record<string, string> = { 'Content-Type': 'application/json', 'X-Oddity-Id': record.id };
      if (secret !== undefined) {
        headers['X-Oddity-Signature'] = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
      }
      const response = await fetch(url, {
        ...{ method: 'POST', body, headers, redirect: 'error' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      });
      await response.body?.cancel();
      if (response.ok) return;
      const answer = `${url.origin} answered ${response.status}`;
      const isForNow = response.status >= 500 || response.status === 408 || response.status === 429;
      throw isForNow ? new Error(answer) : new Refused(answer);
    },
  };
}
