// npm's oidc-provider as a plain OAuth 2 service, and as an OpenID Provider: a service that others wrote, for our
// consumer to log in with.
//
// Reads one JSON line with the website ({ client_id, client_secret, redirect_uris }) from standard input, prints
// one JSON line ({ issuer }) when it listens, and ends when standard input does. A second client, `program`, is
// public: it has the device flow, and a redirect URI on loopback with any port. A third one, `openid`, has the secret
// of the first one and gets ID tokens. `signing` does, too, and authenticates by keys that it publishes, and
// `secret-jwt` by assertions with the secret.

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

const openid = (client_id, token_endpoint_auth_method, more) => ({
  client_id,
  redirect_uris,
  post_logout_redirect_uris: redirect_uris.map((uri) => new URL('/goodbye', uri).href),
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method,
  scope: 'openid email',
  ...more,
});

const claimsOf = (id) => ({ sub: id, email: `${id}@id.example`, email_verified: true });

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
    openid('openid', 'client_secret_basic', { client_secret }),
    openid('signing', 'private_key_jwt', {
      jwks_uri: new URL('/login/jwks.json', redirect_uris[0]).href,
      token_endpoint_auth_signing_alg: 'ES256',
    }),
    openid('secret-jwt', 'client_secret_jwt', { client_secret, token_endpoint_auth_signing_alg: 'HS256' }),
  ],
  scopes: ['api:read', 'openid', 'email'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_jwt', 'private_key_jwt'],
  cookies: { keys: ['of no consequence here'] },
  // The package's own sign-in and consent forms, which accept any name and password.
  features: { devInteractions: { enabled: true }, deviceFlow: { enabled: true }, revocation: { enabled: true } },
  // The website is on this machine, from which the package fetches nothing by itself.
  fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  findAccount: async (_context, id) => ({ accountId: id, claims: async () => claimsOf(id) }),
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
