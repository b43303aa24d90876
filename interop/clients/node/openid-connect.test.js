// openid-client as a client of OpenID Connect: it verifies ID tokens by itself.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import * as client from 'openid-client';

import { Browser } from './browser.js';
import { PERSON, Quadrille, REDIRECT_URI } from './quadrille.js';

const SCOPE = 'openid profile';

describe('openid-client with OpenID Connect', () => {
  let provider;
  let web;
  before(async () => {
    provider = await Quadrille.start({ QUADRILLE_OPENID: 'true' });
    web = register();
  });
  after(() => provider.stop());

  const register = (...options) =>
    provider.client('Relying party', '--redirect-uri', REDIRECT_URI, '--scope', 'openid', '--scope', 'profile', ...options);

  const discover = ({ client_id, client_secret }, authentication) =>
    client.discovery(new URL(provider.issuer), client_id, client_secret, authentication, {
      algorithm: 'oidc',
      execute: [client.allowInsecureRequests],
    });

  const browser = () => new Browser({ fill: PERSON, redirectUri: REDIRECT_URI });

  async function begin(config, parameters = {}) {
    const checks = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
      idTokenExpected: true,
    };
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: SCOPE,
      code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: checks.expectedState,
      nonce: checks.expectedNonce,
      ...parameters,
    });
    return { checks, url };
  }

  async function logIn(config, parameters, further = {}, visitor = browser()) {
    const { checks, url } = await begin(config, parameters);
    const callback = await visitor.authorize(url);
    return client.authorizationCodeGrant(config, callback, { ...checks, ...further });
  }

  it('discovers what the provider has', async () => {
    const metadata = (await discover(web)).serverMetadata();
    assert.equal(metadata.issuer, provider.issuer);
    assert.deepEqual(metadata.id_token_signing_alg_values_supported, ['RS256']);
    assert.deepEqual(metadata.subject_types_supported, ['public']);
    assert.ok(metadata.userinfo_endpoint && metadata.jwks_uri);
  });

  for (const [name, authentication, options] of [
    ['a secret', (registered) => client.ClientSecretBasic(registered.client_secret), []],
    ['no secret', () => client.None(), ['--public']],
  ]) {
    it(`verifies the ID token of a user, and asks who that is, with ${name}`, async () => {
      const registered = register(...options);
      const config = await discover(registered, authentication(registered));
      client.enableNonRepudiationChecks(config);
      const tokens = await logIn(config);
      const claims = tokens.claims();
      assert.equal(claims.aud, registered.client_id);
      assert.ok(claims.at_hash && claims.auth_time);
      const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
      assert.deepEqual(user, { sub: claims.sub, preferred_username: PERSON.username });
    });
  }

  it('rejects the ID token of another request', async () => {
    const config = await discover(web);
    await assert.rejects(logIn(config, {}, { expectedNonce: 'another' }), { code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' });
  });

  it('knows how long ago the user signed in', async () => {
    const config = await discover(web);
    const tokens = await logIn(config, { max_age: '600' }, { maxAge: 600 });
    assert.ok(Math.abs(tokens.claims().auth_time - Date.now() / 1000) < 60);
  });

  it('gets another ID token of the same sign-in when it refreshes', async () => {
    const config = await discover(web);
    client.enableNonRepudiationChecks(config);
    const tokens = await logIn(config);
    const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
    const [before, now] = [tokens.claims(), renewed.claims()];
    assert.deepEqual([now.sub, now.aud, now.auth_time], [before.sub, before.aud, before.auth_time]);
    assert.equal(now.nonce, undefined);
  });

  it('gets claims that it names', async () => {
    const config = await discover(register());
    const claims = JSON.stringify({ id_token: { preferred_username: { essential: true } } });
    const tokens = await logIn(config, { claims });
    assert.equal(tokens.claims().preferred_username, PERSON.username);
  });

  it('is told which page it would need', async () => {
    const config = await discover(register());
    const visitor = browser();
    const silent = async (error) => {
      const { checks, url } = await begin(config, { prompt: 'none' });
      const callback = await visitor.authorize(url);
      await assert.rejects(client.authorizationCodeGrant(config, callback, checks), { error });
    };
    await silent('login_required');
    const tokens = await logIn(config, {}, {}, visitor);
    const again = await logIn(config, { prompt: 'none', id_token_hint: tokens.id_token }, {}, visitor);
    assert.equal(again.claims().sub, tokens.claims().sub);
  });

  it('gets no ID token without the scope', async () => {
    const config = await discover(web);
    const { checks, url } = await begin(config, { scope: 'profile' });
    const callback = await browser().authorize(url);
    const { expectedNonce, idTokenExpected, ...others } = checks;
    const tokens = await client.authorizationCodeGrant(config, callback, others);
    assert.equal(tokens.id_token, undefined);
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, client.skipSubjectCheck));
  });
});
