// Reads /openapi.json and lets one read and try each operation. No library, no inline code: the page's CSP forbids it.

const methods = ['get', 'post', 'put', 'patch', 'delete'];
/** Of a stream, in characters. */
const MAX_SHOWN = 20_000;
const token = document.querySelector('#token');

start();

async function start() {
  document.querySelector('#guest').addEventListener('click', takeGuestToken);
  const main = document.querySelector('#operations');
  const answer = await fetch('/openapi.json').catch(() => undefined);
  if (!answer?.ok) {
    main.textContent = 'The description could not be loaded. Reload the page to try again.';
    return;
  }
  const api = await answer.json();
  document.querySelector('#title').textContent = `${api.info.title} API ${api.info.version}`;
  document.querySelector('#description').textContent = api.info.description;
  main.replaceChildren(...groups(api).flatMap(([tag, list]) => [element('h2', tag), ...list]));
}

async function takeGuestToken() {
  const answer = await fetch('/v1/sessions/guest', { method: 'POST' });
  const body = await answer.json();
  token.value = body.token ?? '';
}

function groups(api) {
  const byTag = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of methods.filter((name) => item[name])) {
      const operation = item[method];
      const tag = operation.tags?.[0] ?? 'Other';
      byTag.set(tag, [...(byTag.get(tag) ?? []), operationCard(api, path, method, operation)]);
    }
  }
  return [...byTag];
}

function operationCard(api, path, method, operation) {
  const card = element('details');
  const heading = element('summary');
  const verb = element('span', method);
  verb.className = 'method';
  const code = element('code');
  code.append(verb, path);
  heading.append(code, ` ${operation.summary ?? ''}`);
  card.append(heading);
  // Built when it is opened: the list of everything stays quick.
  card.addEventListener('toggle', () => card.append(operationBody(api, path, method, operation)), { once: true });
  return card;
}

function operationBody(api, path, method, operation) {
  const body = element('div');
  body.className = 'operation';
  if (operation.description) body.append(element('p', operation.description));
  const content = operation.requestBody?.content?.['application/json'];
  const fields = (operation.parameters ?? []).map((parameter) => parameterField(parameter));
  const text = content ? element('textarea', pretty(content.example ?? {})) : undefined;
  if (text) text.setAttribute('aria-label', 'Body');
  const form = element('form');
  const row = element('div');
  row.className = 'fields';
  row.append(...fields.map((field) => field.label));
  const output = element('div');
  form.append(row, ...(text ? [text] : []), element('button', 'Send'), output);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(path, method, fields, text?.value, output);
  });
  body.append(form);
  if (content) body.append(element('h3', 'Body'), element('pre', pretty(resolved(api, content.schema))));
  body.append(element('h3', 'Answers'), answers(api, operation));
  return body;
}

function parameterField(parameter) {
  const label = element('label', `${parameter.name}${parameter.required ? ' *' : ''} `);
  const input = element('input');
  input.title = parameter.schema?.description ?? '';
  input.required = parameter.required === true;
  if (parameter.name === 'Idempotency-Key' && parameter.required) input.value = crypto.randomUUID();
  label.append(input);
  return { parameter, label, input };
}

function answers(api, operation) {
  const list = element('dl');
  for (const [status, answer] of Object.entries(operation.responses)) {
    const description = element('dd', answer.description);
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    if (schema && status !== 'default') description.append(element('pre', pretty(resolved(api, schema))));
    list.append(element('dt', status), description);
  }
  return list;
}

async function send(path, method, fields, text, output) {
  const headers = { ...(token.value && { Authorization: `Bearer ${token.value.replace(/^Bearer /i, '')}` }) };
  const query = new URLSearchParams();
  let url = path;
  for (const { parameter, input } of fields.filter((field) => field.input.value !== '')) {
    if (parameter.in === 'path') url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (parameter.in === 'query') query.set(parameter.name, input.value);
    else headers[parameter.name] = input.value;
  }
  if (text !== undefined) headers['Content-Type'] = 'application/json';
  const target = query.size > 0 ? `${url}?${query}` : url;
  output.replaceChildren(element('p', 'Sending …'));
  try {
    const started = performance.now();
    const answer = await fetch(target, {
      method: method.toUpperCase(),
      headers,
      ...(text !== undefined && { body: text }),
    });
    const goesOn = answer.headers.get('content-type')?.startsWith('text/event-stream');
    const body = goesOn ? '' : await answer.text();
    const ms = Math.round(performance.now() - started);
    const shown = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
    const content = element('pre', readable(body));
    output.replaceChildren(
      element('p', `${answer.status} ${answer.statusText} in ${ms} ms`),
      element('pre', shown),
      content,
    );
    if (goesOn) await show(answer.body, content);
  } catch (error) {
    output.replaceChildren(element('p', `The request did not get through: ${error.message}`));
  }
}

/** What a stream brings, until something else is sent from here. */
async function show(stream, content) {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (!content.isConnected) return reader.cancel();
    content.textContent = (content.textContent + decoder.decode(value, { stream: true })).slice(-MAX_SHOWN);
  }
}

/** Follows references, two deep: enough to read, and safe for a schema that holds itself. */
function resolved(api, schema, depth = 0) {
  if (Array.isArray(schema)) return schema.map((part) => resolved(api, part, depth));
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1);
    return depth > 1 ? name : resolved(api, api.components.schemas[name], depth + 1);
  }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, resolved(api, value, depth)]));
}

function readable(text) {
  try {
    return pretty(JSON.parse(text));
  } catch {
    return text;
  }
}

function pretty(value) {
  return JSON.stringify(value, null, 2);
}

function element(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}
