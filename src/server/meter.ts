/** What a server counts, in the text that Prometheus reads. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Catalogue } from './catalogue.ts';

/** Ends of the steps of times, seconds: from a row of a small detector to a deadline. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Items of a call. */
const ITEMS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096];
/** Ends of the steps of p-values. */
const P_VALUES = [0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

export type Meter = ReturnType<typeof openMeter>;

/** Opens the counters of a server. `catalogueOf` is asked when they are read. */
export function openMeter(catalogueOf: () => Catalogue | undefined) {
  const registers = [new Registry()];
  const requests = new Counter({
    name: 'oddity_requests_total',
    help: 'Requests by route and status.',
    labelNames: ['route', 'status'],
    registers,
  });
  const latency = new Histogram({
    name: 'oddity_request_seconds',
    help: 'Seconds from the head of a request to its answer.',
    labelNames: ['route'],
    buckets: SECONDS,
    registers,
  });
  const batches = new Histogram({
    name: 'oddity_batch_items',
    help: 'Items of a call of a detector.',
    labelNames: ['detector'],
    buckets: ITEMS,
    registers,
  });
  const pValues = new Histogram({
    name: 'oddity_p_values',
    help: 'Conformal p-values of items: of normal ones each tenth of the scale gets a tenth; drift moves them towards 0.',
    labelNames: ['detector'],
    buckets: P_VALUES,
    registers,
  });
  new Gauge({
    name: 'oddity_waiting_items',
    help: 'Items that wait before a detector or are being scored.',
    labelNames: ['detector'],
    registers,
    collect() {
      this.reset();
      for (const [detector, items] of Object.entries(catalogueOf()?.waiting() ?? {})) this.set({ detector }, items);
    },
  });
  new Gauge({
    name: 'oddity_detector_open',
    help: '1 for detectors that are open, 0 for those that are opened when they are asked for.',
    labelNames: ['detector', 'version'],
    registers,
    collect() {
      this.reset();
      for (const { name, version, isOpen } of catalogueOf()?.entries() ?? []) {
        this.set({ detector: name, version }, isOpen ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'oddity_resident_bytes',
    help: 'Memory of the process.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  const [register] = registers;
  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    answered(route: string, status: number, seconds: number) {
      requests.inc({ route, status });
      latency.observe({ route }, seconds);
    },
    batch: (detector: string, items: number) => batches.observe({ detector }, items),
    pValue(detector: string, pValue: number | undefined) {
      if (pValue !== undefined) pValues.observe({ detector }, pValue);
    },
  };
}
