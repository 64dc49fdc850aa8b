/** The description of the API and a page to read and try it. */
import { readFileSync } from 'node:fs';
import { openApiDocument } from '../openapi.ts';
import { type Route, route } from '../route.ts';

const tag = 'About';
const CACHE = { 'Cache-Control': 'no-cache' };

export function docsRoutes(described: readonly Route[], version: string): readonly Route[] {
  // Made once: the routes don't change while the process runs.
  let document: string | undefined;
  const openapi: Route = route({
    method: 'get',
    path: '/openapi.json',
    tag,
    summary: 'This description',
    access: 'public',
    responses: { 200: { description: 'OpenAPI 3.1.' } },
    handler: () => {
      document ??= JSON.stringify(openApiDocument([...described, ...all], version));
      return { status: 200, body: document, headers: CACHE };
    },
  });
  const all: readonly Route[] = [
    openapi,
    file('/docs', 'page.html', 'text/html', 'A page to read and try the API'),
    file('/docs/page.js', 'page.js', 'text/javascript', 'Script of the page'),
    file('/docs/page.css', 'page.css', 'text/css', 'Style of the page'),
  ];
  return all;
}

function file(path: string, name: string, mediaType: string, summary: string): Route {
  const content = readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');
  return route({
    method: 'get',
    path,
    tag,
    summary,
    access: 'public',
    contentType: `${mediaType}; charset=utf-8`,
    responses: { 200: { description: summary } },
    handler: () => ({ status: 200, body: content, headers: CACHE }),
  });
}
