/** The edge's own figures: requests and their latency, by route pattern, never by raw path. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const LATENCY_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10];

export interface RequestFigures {
  observe(method: string, route: string, status: number, seconds: number): void;
}

export function createRequestFigures(
  registry: Registry,
  { inFlight, streams }: { readonly inFlight: () => number; readonly streams: () => number },
): RequestFigures {
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered, by route pattern and status.',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const latency = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the first byte of the request line to the answer, by route pattern.',
    labelNames: ['method', 'route'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers: [registry],
  });
  new Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests being handled now.',
    registers: [registry],
    collect() {
      this.set(inFlight());
    },
  });
  new Gauge({
    name: 'http_event_streams',
    help: 'Open streams of server-sent events.',
    registers: [registry],
    collect() {
      this.set(streams());
    },
  });
  return {
    observe(method, route, status, seconds) {
      requests.inc({ method, route, status }, 1);
      latency.observe({ method, route }, seconds);
    },
  };
}
