// npm's oidc-provider as an issuer of JWT access tokens (RFC 9068), for our guard to verify.
//
// Reads one line from standard input, prints one JSON line ({ issuer, tokens }) when it listens, and ends when
// standard input does. `tokens` has access tokens of a client for itself, by resource.

import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';

import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const lines = createInterface(process.stdin);
await once(lines, 'line');

const server = http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const key = async (alg) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: alg };
};

// By resource: the algorithm of its tokens; an opaque format for one.
const resources = {
  'https://api.example/es': 'ES256',
  'https://api.example/rs': 'RS256',
  'https://api.example/ps': 'PS256',
  'https://api.example/ed': 'EdDSA',
  'https://api.example/opaque': undefined,
};

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'worker',
      client_secret: 'a secret of the worker',
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    },
  ],
  scopes: ['photos:read'],
  cookies: { keys: ['of no consequence here'] },
  jwks: { keys: await Promise.all(['RS256', 'ES256', 'PS256', 'EdDSA'].map(key)) },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource) => {
        const alg = resources[resource];
        const common = { scope: 'photos:read', audience: resource, accessTokenTTL: 600 };
        return alg ? { ...common, accessTokenFormat: 'jwt', jwt: { sign: { alg } } } : common;
      },
    },
  },
  ttl: { ClientCredentials: 600 },
});
server.on('request', provider.callback());

const tokens = {};
for (const resource of Object.keys(resources)) {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('worker:a+secret+of+the+worker')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'photos:read', resource }),
  });
  const answer = await response.json();
  if (!answer.access_token) throw new Error(JSON.stringify(answer));
  tokens[resource] = answer.access_token;
}
process.stdout.write(`${JSON.stringify({ issuer, tokens })}\n`);

lines.on('close', () => process.exit(0));
