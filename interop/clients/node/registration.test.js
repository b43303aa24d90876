// Clients that register themselves (RFC 7591) and manage their registration (RFC 7592).

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';

import { Browser } from './browser.js';
import { PERSON, Quadrille, REDIRECT_URI } from './quadrille.js';

const loopback = { [oauth.allowInsecureRequests]: true };
const METADATA = {
  client_name: 'Photo app',
  redirect_uris: [REDIRECT_URI],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
};

describe('registration', () => {
  let open;
  let closed;
  before(async () => {
    open = await Quadrille.start({ QUADRILLE_REGISTRATION: 'open-to-anybody-so-that-strangers-add-clients' });
    closed = await Quadrille.start({ QUADRILLE_REGISTRATION: 'initial-access-token' });
  });
  after(async () => {
    await open.stop();
    await closed.stop();
  });

  const discover = async (provider) => {
    const issuer = new URL(provider.issuer);
    const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...loopback });
    return oauth.processDiscoveryResponse(issuer, answer);
  };

  const register = async (server, metadata, options = {}) =>
    oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(server, metadata, { ...options, ...loopback }),
    );

  for (const [method, authentication] of [
    ['none', client.None],
    ['client_secret_basic', client.ClientSecretBasic],
    ['client_secret_post', client.ClientSecretPost],
  ]) {
    it(`openid-client registers with ${method}, logs in and refreshes`, async () => {
      const config = await client.dynamicClientRegistration(
        new URL(open.issuer),
        { ...METADATA, token_endpoint_auth_method: method },
        undefined,
        { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
      );
      const registered = config.clientMetadata();
      assert.equal(registered.token_endpoint_auth_method, method);
      assert.equal(registered.client_secret === undefined, method === 'none');
      const used = await client.discovery(
        new URL(open.issuer),
        registered.client_id,
        registered.client_secret,
        authentication(registered.client_secret),
        { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
      );
      const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState() };
      const url = client.buildAuthorizationUrl(used, {
        redirect_uri: REDIRECT_URI,
        code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: checks.expectedState,
      });
      const callback = await new Browser({ fill: PERSON, redirectUri: REDIRECT_URI }).authorize(url);
      const tokens = await client.authorizationCodeGrant(used, callback, checks);
      const renewed = await client.refreshTokenGrant(used, tokens.refresh_token);
      const me = await client.fetchProtectedResource(used, renewed.access_token, open.me, 'GET');
      assert.equal((await me.json()).client_id, registered.client_id);
    });
  }

  it('oauth4webapi registers, reads, changes and deletes', async () => {
    const server = await discover(open);
    const registered = await register(server, METADATA);
    assert.ok(registered.client_secret);
    assert.equal(registered.client_secret_expires_at, 0);
    const manage = (method, token, body) =>
      fetch(registered.registration_client_uri, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
        body: body && JSON.stringify(body),
      });
    let token = registered.registration_access_token;
    const read = await (await manage('GET', token)).json();
    assert.equal(read.client_name, METADATA.client_name);
    const changed = await manage('PUT', token, { ...METADATA, client_id: read.client_id, client_name: 'Other' });
    assert.equal(changed.status, 200);
    const updated = await changed.json();
    assert.equal(updated.client_name, 'Other');
    token = updated.registration_access_token;
    assert.equal((await manage('DELETE', token)).status, 204);
    assert.equal((await manage('GET', token)).status, 401);
  });

  it('oauth4webapi needs an initial access token where strangers are kept out', async () => {
    const server = await discover(closed);
    await assert.rejects(register(server, METADATA), (error) => {
      assert.equal(error.status, 401);
      return true;
    });
    const issued = JSON.parse(closed.run(['registration', 'add-token', 'Interop', '--json']));
    const registered = await register(server, METADATA, { initialAccessToken: issued.initial_access_token });
    assert.ok(registered.client_id);
    await assert.rejects(register(server, METADATA, { initialAccessToken: issued.initial_access_token }));
  });

  it('oauth4webapi is told what is wrong with its metadata', async () => {
    const server = await discover(open);
    for (const [wrong, error] of [
      [{ redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
      [{ grant_types: ['implicit'] }, 'invalid_client_metadata'],
    ]) {
      await assert.rejects(register(server, { ...METADATA, ...wrong }), { error });
    }
  });
});
