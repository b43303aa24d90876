// Clients that sign assertions, and grants without a browser, by openid-client and oauth4webapi.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';

import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';

import { Quadrille } from './quadrille.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const PARTNER = 'https://partner.example';
const loopback = { [oauth.allowInsecureRequests]: true };
const directory = mkdtempSync(path.join(tmpdir(), 'quadrille-grants-'));
after(() => rmSync(directory, { recursive: true }));

async function keyPair(alg) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const file = path.join(directory, `${alg}.json`);
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg, use: 'sig' };
  writeFileSync(file, JSON.stringify({ keys: [jwk] }));
  return { key: privateKey, kid: 'k1', file };
}

async function discover(issuer) {
  const url = new URL(issuer);
  const answer = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...loopback });
  return oauth.processDiscoveryResponse(url, answer);
}

describe('clients that sign', () => {
  let provider;
  let server;
  before(async () => {
    provider = await Quadrille.start();
    server = await discover(provider.issuer);
  });
  after(() => provider.stop());

  const robot = (...options) =>
    provider.client('Robot', '--grant', 'client_credentials', '--scope', 'photos:read', ...options);

  async function tokenFor(who, authentication) {
    const answer = await oauth.clientCredentialsGrantRequest(server, who, authentication, { scope: 'photos:read' }, loopback);
    return oauth.processClientCredentialsResponse(server, who, answer);
  }

  for (const alg of ['ES256', 'RS256', 'PS256', 'Ed25519']) {
    it(`oauth4webapi signs with a private key: ${alg}`, async () => {
      const { key, kid, file } = await keyPair(alg);
      const { client_id } = robot('--private-key-jwt', '--jwks', file);
      const who = { client_id };
      const authentication = oauth.PrivateKeyJwt({ key, kid });
      const { access_token } = await tokenFor(who, authentication);
      const told = await oauth.introspectionRequest(server, who, authentication, access_token, loopback);
      assert.equal((await oauth.processIntrospectionResponse(server, who, told)).active, true);
      const revoked = await oauth.revocationRequest(server, who, authentication, access_token, loopback);
      await oauth.processRevocationResponse(revoked);
    });
  }

  it('oauth4webapi signs with a secret', async () => {
    const { client_id, client_secret } = robot('--client-secret-jwt');
    const tokens = await tokenFor({ client_id }, oauth.ClientSecretJwt(client_secret));
    assert.equal(tokens.scope, 'photos:read');
    await assert.rejects(tokenFor({ client_id }, oauth.ClientSecretPost(client_secret)));
  });

  it('openid-client signs with a private key', async () => {
    const { key, kid, file } = await keyPair('ES384');
    const { client_id } = robot('--private-key-jwt', '--jwks', file);
    const config = await client.discovery(new URL(provider.issuer), client_id, {}, client.PrivateKeyJwt({ key, kid }), {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
    });
    const tokens = await client.clientCredentialsGrant(config, { scope: 'photos:read' });
    assert.equal(tokens.scope, 'photos:read');
  });
});

describe('grants without a browser', () => {
  let application;
  let process_;
  let key;
  before(async () => {
    const pair = await keyPair('ES512');
    key = pair.key;
    process_ = spawn(path.join(ROOT, 'target/debug/examples/grants'), [pair.file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface(process_.stdout), 'line');
    application = JSON.parse(line);
  });
  after(() => process_.kill());

  const configure = (id, secret) =>
    client.discovery(new URL(application.issuer), id, {}, client.ClientSecretBasic(secret), {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
    });

  const assertion = (subject) =>
    new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES512', kid: 'k1' })
      .setIssuer(PARTNER)
      .setSubject(subject)
      .setAudience(application.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(key);

  async function photos(config, token) {
    const url = new URL('/api/photos', application.issuer);
    const answer = await client.fetchProtectedResource(config, token, url, 'GET');
    return answer.json();
  }

  it("openid-client uses a grant of the application's own", async () => {
    const config = await configure('kiosk', application.kiosk);
    const tokens = await client.genericGrantRequest(config, 'urn:example:kiosk', { ticket: '4711' });
    assert.deepEqual(await photos(config, tokens.access_token), { user: 'ada', act: null });
    await assert.rejects(client.genericGrantRequest(config, 'urn:example:kiosk', { ticket: '1' }), {
      error: 'invalid_grant',
      error_description: 'no such ticket',
    });
  });

  it('openid-client redeems an assertion, and another service exchanges the token', async () => {
    const partner = await configure('partner', application.partner);
    const bearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    const signed = await assertion('17');
    const tokens = await client.genericGrantRequest(partner, bearer, { assertion: signed });
    assert.deepEqual(await photos(partner, tokens.access_token), { user: 'ada', act: null });
    await assert.rejects(client.genericGrantRequest(partner, bearer, { assertion: signed }), { error: 'invalid_grant' });

    const mailer = await configure('mailer', application.mailer);
    const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
    const subject = {
      subject_token: tokens.access_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
    const exchanged = await client.genericGrantRequest(mailer, exchange, { ...subject, scope: 'photos:read' });
    assert.equal(exchanged.issued_token_type, 'urn:ietf:params:oauth:token-type:access_token');
    const act = { sub: 'mailer', client_id: 'mailer' };
    assert.deepEqual(await photos(mailer, exchanged.access_token), { user: 'ada', act });
    const told = await client.tokenIntrospection(mailer, exchanged.access_token);
    assert.deepEqual(told.act, act);

    const mail = await client.genericGrantRequest(mailer, exchange, { ...subject, resource: 'https://mail.example' });
    assert.equal((await client.tokenIntrospection(mailer, mail.access_token)).aud, 'https://mail.example');
    await assert.rejects(client.genericGrantRequest(partner, exchange, subject), { error: 'unauthorized_client' });

    // The partner revokes its own grant, and what was exchanged for it dies, too.
    await client.tokenRevocation(partner, tokens.access_token);
    assert.deepEqual(await client.tokenIntrospection(mailer, exchanged.access_token), { active: false });
  });
});
