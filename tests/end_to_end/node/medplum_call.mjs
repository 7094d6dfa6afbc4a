// A CDS Hooks call by Medplum's own client, as its EHR makes one: discovery, prefetch from its FHIR server, the call.
// `node medplum_call.mjs` reads {"ehr", "services", "hook", "user", "context", "token"} from standard input and writes
// {"service", "request", "response"}: what its discovery found, what it sent, what it was answered.
import { readFileSync } from 'node:fs';
import { buildCdsRequest, MedplumClient } from '@medplum/core';

const asked = JSON.parse(readFileSync(0, 'utf8'));
const medplum = new MedplumClient({ baseUrl: asked.ehr, cdsServicesUrl: asked.services, cacheTime: 0, maxRetries: 0 });
const { services } = await medplum.getCdsServices();
const service = services.find((one) => one.hook === asked.hook);
const user = await medplum.readResource('Practitioner', asked.user);
const request = await buildCdsRequest(medplum, user, service, asked.context);
const headers = asked.token ? { Authorization: `Bearer ${asked.token}` } : {};
const response = await medplum.callCdsService(service.id, request, { headers });
process.stdout.write(JSON.stringify({ service, request, response }));
