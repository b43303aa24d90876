// oauth4webapi as a client of OpenID Connect: it verifies ID tokens by itself, and answers with detached signatures.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import * as oauth from 'oauth4webapi';

import { Browser } from './browser.js';
import { PERSON, Quadrille, REDIRECT_URI } from './quadrille.js';

const BYE = 'http://127.0.0.1:9/bye';
const loopback = { [oauth.allowInsecureRequests]: true };

describe('oauth4webapi with OpenID Connect', () => {
  let provider;
  let server;
  before(async () => {
    provider = await Quadrille.start({
      QUADRILLE_OPENID: 'true',
      QUADRILLE_OPENID_RESPONSE_TYPES: 'id_token,code id_token',
    });
    const issuer = new URL(provider.issuer);
    const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...loopback });
    server = await oauth.processDiscoveryResponse(issuer, answer);
  });
  after(() => provider.stop());

  function register(method, ...options) {
    const { client_id, client_secret } = provider.client(
      'Relying party', '--redirect-uri', REDIRECT_URI, '--scope', 'openid', '--scope', 'profile', ...options,
    );
    const authentication = client_secret ? method(client_secret) : oauth.None();
    // The algorithm of its ID tokens is the registered one, RS256 by default.
    return { client: { client_id, id_token_signed_response_alg: 'RS256' }, authentication };
  }

  const browser = () => new Browser({ fill: PERSON, redirectUri: REDIRECT_URI });

  async function ask({ client }, parameters = {}, visitor = browser()) {
    const checks = {
      verifier: oauth.generateRandomCodeVerifier(),
      nonce: oauth.generateRandomNonce(),
      state: oauth.generateRandomState(),
    };
    const url = new URL(server.authorization_endpoint);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: client.client_id,
      redirect_uri: REDIRECT_URI,
      scope: 'openid profile',
      code_challenge: await oauth.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: 'S256',
      nonce: checks.nonce,
      state: checks.state,
      ...parameters,
    });
    return { checks, callback: await visitor.authorize(url) };
  }

  const exchange = ({ client, authentication }, parameters, verifier) =>
    oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, REDIRECT_URI, verifier, loopback);

  const redeemed = ({ client }, answer, expected) =>
    oauth.processAuthorizationCodeResponse(server, client, answer, { requireIdToken: true, ...expected });

  async function logIn(who, parameters, expected = {}, visitor = browser()) {
    const { checks, callback } = await ask(who, parameters, visitor);
    const code = oauth.validateAuthResponse(server, who.client, callback, checks.state);
    const answer = await exchange(who, code, checks.verifier);
    const tokens = await redeemed(who, answer, { expectedNonce: checks.nonce, ...expected });
    await oauth.validateApplicationLevelSignature(server, answer, loopback);
    return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
  }

  for (const [name, method, options] of [
    ['its secret in the header', oauth.ClientSecretBasic, []],
    ['its secret in the body', oauth.ClientSecretPost, []],
    ['no secret', undefined, ['--public']],
  ]) {
    it(`verifies who has logged in, and when, with ${name}`, async () => {
      const who = register(method, ...options);
      const { tokens, claims } = await logIn(who, { max_age: '600' }, { maxAge: 600 });
      assert.equal(claims.aud, who.client.client_id);
      assert.ok(Math.abs(claims.auth_time - Date.now() / 1000) < 60);
      const answer = await oauth.userInfoRequest(server, who.client, tokens.access_token, loopback);
      const user = await oauth.processUserInfoResponse(server, who.client, claims.sub, answer);
      assert.deepEqual(user, { sub: claims.sub, preferred_username: PERSON.username });
    });
  }

  it('would notice the ID token of another request', async () => {
    const who = register(oauth.ClientSecretBasic);
    await assert.rejects(logIn(who, {}, { expectedNonce: 'another' }), { code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' });
    await assert.rejects(logIn(who, {}, { expectedNonce: oauth.expectNoNonce }), /nonce/);
  });

  it('gets a new ID token of the same sign-in when it refreshes', async () => {
    const who = register(oauth.ClientSecretBasic);
    const { tokens, claims } = await logIn(who);
    const answer = await oauth.refreshTokenGrantRequest(server, who.client, who.authentication, tokens.refresh_token, loopback);
    const renewed = await oauth.processRefreshTokenResponse(server, who.client, answer);
    await oauth.validateApplicationLevelSignature(server, answer, loopback);
    const now = oauth.getValidatedIdTokenClaims(renewed);
    assert.deepEqual([now.sub, now.aud, now.auth_time], [claims.sub, claims.aud, claims.auth_time]);
    assert.equal(now.nonce, undefined);
    assert.notEqual(renewed.access_token, tokens.access_token);
  });

  for (const mode of ['fragment', 'form_post']) {
    it(`takes the ID token beside a code as its detached signature, by ${mode}`, async () => {
      const who = register(oauth.ClientSecretPost, '--response-type', 'code id_token');
      const visitor = browser();
      const { checks, callback } = await ask(who, { response_type: 'code id_token', response_mode: mode }, visitor);
      assert.equal(Boolean(visitor.posted), mode === 'form_post');
      // A request has one body, which is read once.
      const response = () =>
        visitor.posted ? new Request(callback, { method: 'POST', body: visitor.posted }) : new URL(callback);
      const validate = (nonce, state, from = response()) =>
        oauth.validateDetachedSignatureResponse(server, who.client, from, nonce, state, undefined, loopback);
      const code = await validate(checks.nonce, checks.state);
      await assert.rejects(validate('another', checks.state), { code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' });
      await assert.rejects(validate(checks.nonce, 'another'), /state/);
      const tokens = await redeemed(who, await exchange(who, code, checks.verifier), { expectedNonce: checks.nonce });
      assert.equal(oauth.getValidatedIdTokenClaims(tokens).aud, who.client.client_id);
    });
  }

  it('would notice another code or state beside the ID token', async () => {
    const who = register(oauth.ClientSecretBasic, '--response-type', 'code id_token');
    const { checks, callback } = await ask(who, { response_type: 'code id_token' });
    const other = await ask(who, { response_type: 'code id_token' });
    const swapped = (name, from) => {
      const url = new URL(callback);
      const parameters = new URLSearchParams(url.hash.slice(1));
      parameters.set(name, new URLSearchParams(from.hash.slice(1)).get(name));
      url.hash = parameters;
      return url;
    };
    const validate = (url, state) =>
      oauth.validateDetachedSignatureResponse(server, who.client, url, checks.nonce, state, undefined, loopback);
    await assert.rejects(validate(swapped('code', other.callback), checks.state), /c_hash/);
    await assert.rejects(validate(swapped('state', other.callback), other.checks.state), /s_hash/);
    await assert.rejects(validate(swapped('id_token', other.callback), checks.state), /nonce/);
    assert.ok(await validate(callback, checks.state));
  });

  it('signs its user out', async () => {
    const who = register(oauth.ClientSecretBasic, '--post-logout-redirect-uri', BYE);
    const visitor = browser();
    const { tokens } = await logIn(who, {}, {}, visitor);
    const url = new URL(server.end_session_endpoint);
    url.search = new URLSearchParams({
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: BYE,
      state: 'there',
    });
    visitor.redirectUri = BYE;
    assert.equal((await visitor.visit(url)).href, `${BYE}?state=there`);
    visitor.redirectUri = REDIRECT_URI;
    const { checks, callback } = await ask(who, { prompt: 'none' }, visitor);
    assert.throws(
      () => oauth.validateAuthResponse(server, who.client, callback, checks.state),
      { error: 'login_required' },
    );
  });
});
