// npm's oidc-provider as an OpenID Provider, with every feature that our consumer has, too: a service that others
// wrote, for our consumer to log in with. Of those of our consumer it has no front-channel logout, takes no request
// object from a URL of the client (`request_uri`), and answers no WebFinger request, which this file does.
//
// Reads one JSON line from standard input, { clients, tls, initial_access_token }: the metadata of each client, the
// files of a certificate and its key to be https, and whether clients that register themselves need a token. Prints
// one JSON line ({ issuer, initial_access_token }) when it listens, and ends when standard input does. On the line
// `rotate`, it replaces its keys, and prints a line.

import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';

const HOUR = 3600;
const now = () => Math.floor(Date.now() / 1000);

const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
const told = JSON.parse((await lines.next()).value);
const tell = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const server = told.tls
  ? https.createServer({ cert: readFileSync(told.tls.cert), key: readFileSync(told.tls.key) })
  : http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
const issuer = told.tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;

const key = (type, options, use) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), use });
const rsa = (use) => key('rsa', { modulusLength: 2048 }, use);
const ec = (namedCurve, use) => key('ec', { namedCurve }, use);
const newKeys = () => [rsa('sig'), ec('P-256', 'sig'), ec('P-384', 'sig'), ec('P-521', 'sig'), key('ed25519', {}, 'sig')];
// Requests that are encrypted to the keys before still arrive.
const encryption = [rsa('enc'), ec('P-256', 'enc')];

const algorithms = {
  Signing: [
    ...['HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
    ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  ],
  EncryptionAlg: ['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW', 'A128KW', 'A256KW', 'dir'],
  EncryptionEnc: ['A128GCM', 'A256GCM', 'A128CBC-HS256', 'A256CBC-HS512'],
};
const enabledJWA = Object.fromEntries([
  ...['clientAuth', 'idToken', 'requestObject', 'userinfo'].map((of) => [`${of}SigningAlgValues`, algorithms.Signing]),
  ...['idToken', 'requestObject', 'userinfo'].flatMap((of) => [
    [`${of}EncryptionAlgValues`, algorithms.EncryptionAlg],
    [`${of}EncryptionEncValues`, algorithms.EncryptionEnc],
  ]),
]);

// The number of times that somebody's claims were told, by which one ID token is told from the next.
let serial = 0;
const claimsOf = (sub) => {
  serial += 1;
  return { sub, serial, name: `Madame ${sub}`, email: `${sub}@id.example`, email_verified: true };
};

const adapter = createMemoryAdapter();

const providerWith = (keys) => {
  const provider = new Provider(issuer, {
    adapter,
    jwks: { keys },
    clients: told.clients,
    enabledJWA,
    acrValues: ['urn:example:password', 'urn:example:two-factors'],
    claims: { openid: ['sub', 'serial'], email: ['email', 'email_verified'], profile: ['name'], amr: null },
    scopes: ['openid', 'offline_access', 'email', 'profile'],
    responseTypes: ['code', 'id_token', 'code id_token', 'code token', 'code id_token token'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'],
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: (_context, id, client) =>
      createHash('sha256').update(`${client.sectorIdentifier} ${id}`).digest('hex'),
    cookies: { keys: ['of no consequence here'] },
    features: {
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: true },
      // The package's own sign-in and consent forms, which accept any name and password.
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      encryption: { enabled: true },
      introspection: { enabled: true },
      jwtUserinfo: { enabled: true },
      registration: {
        enabled: true,
        initialAccessToken: Boolean(told.initial_access_token),
        policies: told.initial_access_token && { expires: (_context, properties) => void soon(properties) },
      },
      registrationManagement: { enabled: true, rotateRegistrationAccessToken: false },
      requestObjects: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource },
    },
    // The website is on this machine, from which the package fetches nothing by itself.
    fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    findAccount: async (_context, id) => ({ accountId: id, claims: async () => claimsOf(id) }),
    ttl: {
      AccessToken: 60,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: HOUR,
      IdToken: HOUR,
      Interaction: 600,
      RefreshToken: HOUR,
      Session: HOUR,
    },
  });

  // Who signs in as "ada, an hour ago" is ada, who did so an hour ago.
  const { interactionFinished } = provider;
  provider.interactionFinished = (request, response, result, options) => {
    const { login } = result;
    if (login) {
      const [accountId, past] = login.accountId.split(', ');
      Object.assign(login, { accountId, ts: now() - (past ? HOUR : 0) });
      Object.assign(login, { acr: 'urn:example:two-factors', amr: ['pwd', 'otp'] });
    }
    return interactionFinished.call(provider, request, response, result, options);
  };

  // A registration whose secret expires gets another one when its client reads it.
  provider.use(async (context, next) => {
    const [, id] = (context.method === 'GET' && context.path.match(/^\/reg\/([^/]+)$/)) || [];
    const client = id && (await adapter('Client').find(id));
    if (client?.client_secret_expires_at) {
      const renewed = { client_secret: `renewed-${randomUUID()}-${randomUUID()}`, client_secret_expires_at: now() + 24 * HOUR };
      await adapter('Client').upsert(id, { ...client, ...renewed });
    }
    return next();
  });
  return provider;
};

function soon(properties) {
  properties.client_secret_expires_at = now() + 2 * HOUR;
}

// The package's own page has its buttons outside of the form.
function logoutSource(context, form) {
  context.body = form.replace('</form>', '<button name="logout" value="yes">Sign out</button></form>');
}

// WebFinger (RFC 7033), which the package leaves to others.
const webfinger = (request, response) => {
  const { searchParams } = new URL(request.url, issuer);
  const rel = 'http://openid.net/specs/connect/1.0/issuer';
  const known = searchParams.get('resource')?.startsWith(`${issuer}/`) && searchParams.get('rel') === rel;
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/jrd+json' });
  response.end(known ? JSON.stringify({ subject: searchParams.get('resource'), links: [{ rel, href: issuer }] }) : '{}');
};

const first = providerWith([...newKeys(), ...encryption]);
let answer = first.callback();
server.on('request', (request, response) => {
  if (request.url.startsWith('/.well-known/webfinger?')) webfinger(request, response);
  else answer(request, response);
});

const { initial_access_token } = told;
const token = initial_access_token && (await new first.InitialAccessToken({ policies: ['expires'] }).save());
tell({ issuer, initial_access_token: token });

for await (const line of lines) {
  if (line !== 'rotate') throw new Error(`no such command: ${line}`);
  answer = providerWith([...newKeys(), ...encryption]).callback();
  tell({ rotated: true });
}
process.exit(0);
