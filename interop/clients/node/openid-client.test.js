// openid-client, the client of most Node programs, used as a plain OAuth 2 client.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import * as client from 'openid-client';

import { Browser } from './browser.js';
import { PERSON, Quadrille, REDIRECT_URI, SCOPE } from './quadrille.js';

describe('openid-client', () => {
  let provider;
  let web;
  before(async () => {
    provider = await Quadrille.start();
    web = provider.webClient();
  });
  after(() => provider.stop());

  const discover = ({ client_id, client_secret }, authentication) =>
    client.discovery(new URL(provider.issuer), client_id, client_secret, authentication, {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
    });

  const callApi = (config, token) => client.fetchProtectedResource(config, token, provider.me, 'GET');

  const browser = () => new Browser({ fill: PERSON, redirectUri: REDIRECT_URI });

  async function ask(config, decision) {
    const checks = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
    };
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: SCOPE,
      code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: checks.expectedState,
    });
    return { checks, callback: await browser().authorize(url, decision) };
  }

  async function logIn(registered, authentication) {
    const config = await discover(registered, authentication);
    const { checks, callback } = await ask(config);
    const tokens = await client.authorizationCodeGrant(config, callback, checks);
    return { config, checks, callback, tokens };
  }

  it('discovers the provider', async () => {
    const metadata = (await discover(web)).serverMetadata();
    assert.equal(metadata.issuer, provider.issuer);
    assert.ok(metadata.supportsPKCE());
    assert.equal(metadata.authorization_response_iss_parameter_supported, true);
  });

  for (const [name, authentication] of [
    ['in the header', client.ClientSecretBasic],
    ['in the body', client.ClientSecretPost],
  ]) {
    it(`logs in, refreshes and calls the API with its secret ${name}`, async () => {
      const { config, callback, tokens } = await logIn(web, authentication(web.client_secret));
      assert.equal(callback.searchParams.get('iss'), provider.issuer);
      assert.deepEqual(tokens.scope.split(' ').sort(), SCOPE.split(' ').sort());
      const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
      assert.notEqual(renewed.access_token, tokens.access_token);
      assert.notEqual(renewed.refresh_token, tokens.refresh_token);
      const me = await (await callApi(config, renewed.access_token)).json();
      assert.deepEqual([me.username, me.client_id], [PERSON.username, web.client_id]);
    });
  }

  it('logs in and refreshes as a public client', async () => {
    const { config, tokens } = await logIn(provider.webClient('--public'), client.None());
    assert.ok((await client.refreshTokenGrant(config, tokens.refresh_token)).access_token);
  });

  it('is told when the user says no', async () => {
    const config = await discover(provider.webClient());
    const { checks, callback } = await ask(config, 'deny');
    await assert.rejects(client.authorizationCodeGrant(config, callback, checks), { error: 'access_denied' });
    assert.equal(callback.searchParams.get('iss'), provider.issuer);
  });

  it('cannot use a code twice', async () => {
    const { config, checks, callback } = await logIn(web);
    await assert.rejects(client.authorizationCodeGrant(config, callback, checks), { error: 'invalid_grant' });
  });

  for (const kind of ['refresh_token', 'access_token']) {
    it(`is refused after it revoked its ${kind}`, async () => {
      const { config, tokens } = await logIn(web);
      assert.equal((await callApi(config, tokens.access_token)).status, 200);
      await client.tokenRevocation(config, tokens[kind], { token_type_hint: kind });
      await assert.rejects(callApi(config, tokens.access_token), refusedToken);
      await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
    });
  }

  it('learns what its tokens are worth, as does an API that they are meant for', async () => {
    const { config, tokens } = await logIn(web);
    const refresh = await client.tokenIntrospection(config, tokens.refresh_token);
    assert.deepEqual([refresh.active, refresh.client_id], [true, web.client_id]);
    const api = await discover(provider.client('API', '--resource-server'));
    const access = await client.tokenIntrospection(api, tokens.access_token);
    assert.deepEqual([access.active, access.iss, access.token_type], [true, provider.issuer, 'Bearer']);
    assert.deepEqual(access.scope.split(' ').sort(), SCOPE.split(' ').sort());
    assert.deepEqual(await client.tokenIntrospection(api, tokens.refresh_token), { active: false });
    await client.tokenRevocation(config, tokens.refresh_token);
    assert.deepEqual(await client.tokenIntrospection(api, tokens.access_token), { active: false });
  });

  it('gets a token for a machine', async () => {
    const config = await discover(provider.machineClient());
    const tokens = await client.clientCredentialsGrant(config, { scope: 'photos:read' });
    assert.equal(tokens.scope, 'photos:read');
    assert.equal(tokens.refresh_token, undefined);
    const me = await (await callApi(config, tokens.access_token)).json();
    assert.equal(me.sub, undefined);
  });
});

/** The error code of a challenge (RFC 6750, section 3.1). */
function refusedToken(error) {
  assert.equal(error.status, 401);
  assert.equal(error.cause[0].parameters.error, 'invalid_token');
  return true;
}
