// openid-client as a client that gets ID tokens in the redirect: the hybrid and the implicit flow, answers by POST,
// and logout.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import * as client from 'openid-client';

import { Browser } from './browser.js';
import { PERSON, Quadrille, REDIRECT_URI } from './quadrille.js';

const BYE = 'http://127.0.0.1:9/bye';

describe('openid-client with ID tokens in the redirect', () => {
  let provider;
  before(async () => {
    provider = await Quadrille.start({
      QUADRILLE_OPENID: 'true',
      QUADRILLE_OPENID_RESPONSE_TYPES: 'id_token,code id_token',
    });
  });
  after(() => provider.stop());

  async function registered(responseType, ...execute) {
    const types = responseType === 'code' ? [] : ['--response-type', responseType];
    const openid = ['--scope', 'openid', '--post-logout-redirect-uri', BYE, ...types];
    const { client_id, client_secret } = provider.client('Relying party', '--redirect-uri', REDIRECT_URI, ...openid);
    return client.discovery(new URL(provider.issuer), client_id, client_secret, undefined, {
      algorithm: 'oidc',
      execute: [client.allowInsecureRequests, ...execute],
    });
  }

  const browser = () => new Browser({ fill: PERSON, redirectUri: REDIRECT_URI });

  /** The callback, as the client's page or, sent by a form, its server gets it. */
  async function callback(visitor, url) {
    const end = await visitor.authorize(url);
    return visitor.posted ? new Request(end, { method: 'POST', body: visitor.posted }) : end;
  }

  async function logIn(config, parameters, visitor = browser()) {
    const checks = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
      idTokenExpected: true,
    };
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
      code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: checks.expectedState,
      nonce: checks.expectedNonce,
      ...parameters,
    });
    return client.authorizationCodeGrant(config, await callback(visitor, url), checks);
  }

  for (const mode of ['fragment', 'form_post']) {
    it(`verifies the hashes of code and state in the ID token of the hybrid flow, by ${mode}`, async () => {
      const config = await registered(
        'code id_token',
        client.useCodeIdTokenResponseType,
        client.enableDetachedSignatureResponseChecks,
        client.enableNonRepudiationChecks,
      );
      const tokens = await logIn(config, { response_mode: mode });
      assert.ok(tokens.claims().at_hash);
    });

    it(`verifies an ID token alone, by ${mode}`, async () => {
      const config = await registered('id_token', client.useIdTokenResponseType);
      const [nonce, state] = [client.randomNonce(), client.randomState()];
      const parameters = { redirect_uri: REDIRECT_URI, scope: 'openid', nonce, state, response_mode: mode };
      const end = await callback(browser(), client.buildAuthorizationUrl(config, parameters));
      const claims = await client.implicitAuthentication(config, end, nonce, { expectedState: state });
      assert.equal(claims.iss, provider.issuer);
      assert.ok(claims.auth_time && !claims.at_hash);
    });
  }

  it('gets a code by POST', async () => {
    const tokens = await logIn(await registered('code'), { response_mode: 'form_post' });
    assert.ok(tokens.claims().sid);
  });

  it('signs its user out, who comes back', async () => {
    const config = await registered('code');
    const visitor = browser();
    const tokens = await logIn(config, {}, visitor);
    const url = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: BYE,
      state: 'there',
    });
    visitor.redirectUri = BYE;
    const end = await visitor.visit(url);
    assert.equal(end.href, `${BYE}?state=there`);
    // The provider asks for the password again.
    visitor.redirectUri = REDIRECT_URI;
    const silent = client.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI, scope: 'openid', prompt: 'none', code_challenge_method: 'S256',
      code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    });
    assert.equal((await visitor.authorize(silent)).searchParams.get('error'), 'login_required');
  });
});
