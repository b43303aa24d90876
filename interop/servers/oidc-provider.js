// npm's oidc-provider as a plain OAuth 2 service: a service that others wrote, for our consumer to log in with.
//
// Reads one JSON line with the website ({ client_id, client_secret, redirect_uris }) from standard input, prints
// one JSON line ({ issuer }) when it listens, and ends when standard input does. A second client, `program`, is
// public: it has the device flow, and a redirect URI on loopback with any port.

import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

const lines = createInterface(process.stdin);
const [line] = await once(lines, 'line');
const { client_id, client_secret, redirect_uris } = JSON.parse(line);

const server = http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id,
      client_secret,
      redirect_uris,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'api:read',
    },
    {
      client_id: 'program',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'api:read',
    },
  ],
  scopes: ['api:read'],
  clientAuthMethods: ['none', 'client_secret_basic'],
  cookies: { keys: ['of no consequence here'] },
  // The package's own sign-in and consent forms, which accept any name and password.
  features: { devInteractions: { enabled: true }, deviceFlow: { enabled: true }, revocation: { enabled: true } },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  findAccount: async (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 3600, Interaction: 600, RefreshToken: 3600, Session: 3600 },
});

// The service's API: the user of the token, and the token itself.
provider.use(async (context, next) => {
  if (context.path !== '/api/me') return next();
  const [scheme, value] = (context.get('authorization') ?? '').split(' ');
  const token = scheme === 'Bearer' ? await provider.AccessToken.find(value) : undefined;
  context.status = token ? 200 : 401;
  context.body = token ? { login: token.accountId, scope: token.scope, token: token.jti } : { message: 'Bad credentials' };
});

server.on('request', provider.callback());
process.stdout.write(`${JSON.stringify({ issuer })}\n`);

lines.on('close', () => process.exit(0));
