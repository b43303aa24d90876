// oauth4webapi, the strictest client: it checks content types, headers and every member of a response.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import * as oauth from 'oauth4webapi';

import { Browser } from './browser.js';
import { PERSON, Quadrille, REDIRECT_URI, SCOPE } from './quadrille.js';

const loopback = { [oauth.allowInsecureRequests]: true };

describe('oauth4webapi', () => {
  let provider;
  let server;
  let web;
  before(async () => {
    provider = await Quadrille.start();
    const issuer = new URL(provider.issuer);
    const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...loopback });
    server = await oauth.processDiscoveryResponse(issuer, answer);
    web = registered(provider.webClient());
  });
  after(() => provider.stop());

  const registered = ({ client_id, client_secret }, method = oauth.ClientSecretBasic) => ({
    client: { client_id },
    authentication: client_secret ? method(client_secret) : oauth.None(),
  });

  async function ask({ client }, decision) {
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const url = new URL(server.authorization_endpoint);
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: client.client_id,
      redirect_uri: REDIRECT_URI,
      scope: SCOPE,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
    });
    const browser = new Browser({ fill: PERSON, redirectUri: REDIRECT_URI });
    return { verifier, state, callback: await browser.authorize(url, decision) };
  }

  async function exchange({ client, authentication }, parameters, verifier) {
    const answer = await oauth.authorizationCodeGrantRequest(
      server, client, authentication, parameters, REDIRECT_URI, verifier, loopback,
    );
    return oauth.processAuthorizationCodeResponse(server, client, answer);
  }

  async function logIn(who) {
    const { verifier, state, callback } = await ask(who);
    // Compares `iss` with the issuer, as RFC 9207 requires.
    const parameters = oauth.validateAuthResponse(server, who.client, callback, state);
    return { parameters, verifier, callback, tokens: await exchange(who, parameters, verifier) };
  }

  const callApi = (token) =>
    oauth.protectedResourceRequest(token, 'GET', provider.me, new Headers(), null, loopback);

  async function refresh({ client, authentication }, token) {
    const answer = await oauth.refreshTokenGrantRequest(server, client, authentication, token, loopback);
    return oauth.processRefreshTokenResponse(server, client, answer);
  }

  for (const [name, method] of [
    ['in the header', oauth.ClientSecretBasic],
    ['in the body', oauth.ClientSecretPost],
  ]) {
    it(`logs in, refreshes and calls the API with its secret ${name}`, async () => {
      const who = registered(provider.webClient(), method);
      const { callback, tokens } = await logIn(who);
      assert.equal(callback.searchParams.get('iss'), provider.issuer);
      assert.equal(tokens.token_type, 'bearer');
      assert.ok(tokens.expires_in > 0);
      const renewed = await refresh(who, tokens.refresh_token);
      assert.notEqual(renewed.access_token, tokens.access_token);
      assert.notEqual(renewed.refresh_token, tokens.refresh_token);
      const me = await (await callApi(renewed.access_token)).json();
      assert.deepEqual([me.username, me.client_id], [PERSON.username, who.client.client_id]);
    });
  }

  it('logs in and refreshes as a public client', async () => {
    const who = registered(provider.webClient('--public'));
    const { tokens } = await logIn(who);
    assert.ok((await refresh(who, tokens.refresh_token)).access_token);
  });

  it('would notice an answer of another issuer', async () => {
    const { state, callback } = await ask(web);
    callback.searchParams.set('iss', 'https://other.example');
    assert.throws(() => oauth.validateAuthResponse(server, web.client, callback, state), /iss/);
  });

  it('is told when the user says no', async () => {
    const who = registered(provider.webClient());
    const { state, callback } = await ask(who, 'deny');
    assert.throws(() => oauth.validateAuthResponse(server, who.client, callback, state), { error: 'access_denied' });
  });

  it('cannot use a code twice', async () => {
    const { parameters, verifier } = await logIn(web);
    await assert.rejects(exchange(web, parameters, verifier), { error: 'invalid_grant', status: 400 });
  });

  for (const kind of ['refresh_token', 'access_token']) {
    it(`is refused after it revoked its ${kind}`, async () => {
      const { tokens } = await logIn(web);
      assert.equal((await callApi(tokens.access_token)).status, 200);
      const answer = await oauth.revocationRequest(server, web.client, web.authentication, tokens[kind], {
        additionalParameters: { token_type_hint: kind },
        ...loopback,
      });
      await oauth.processRevocationResponse(answer);
      await assert.rejects(callApi(tokens.access_token), (error) => {
        assert.equal(error.status, 401);
        assert.equal(error.cause[0].parameters.error, 'invalid_token');
        return true;
      });
      await assert.rejects(refresh(web, tokens.refresh_token), { error: 'invalid_grant', status: 400 });
    });
  }

  it('gets a token for a machine', async () => {
    const { client, authentication } = registered(provider.machineClient());
    const answer = await oauth.clientCredentialsGrantRequest(
      server, client, authentication, { scope: 'photos:read' }, loopback,
    );
    const tokens = await oauth.processClientCredentialsResponse(server, client, answer);
    assert.equal(tokens.scope, 'photos:read');
    assert.equal(tokens.refresh_token, undefined);
  });

  it('learns that a wrong secret is invalid_client', async () => {
    const { client } = registered(provider.machineClient());
    const answer = await oauth.clientCredentialsGrantRequest(
      server, client, oauth.ClientSecretBasic('not it: 100% & +'), {}, loopback,
    );
    // A 401 with a challenge is reported as such; its scheme must be the one that was tried (RFC 6749 section 5.2).
    await assert.rejects(oauth.processClientCredentialsResponse(server, client, answer), (error) => {
      assert.equal(error.status, 401);
      const challenges = error.cause instanceof Array ? error.cause : [];
      assert.equal(challenges[0]?.scheme, 'basic');
      return true;
    });
  });
});
