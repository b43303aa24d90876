// simple-oauth2, which does not support PKCE and rejects every response that is not JSON.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { AuthorizationCode, ClientCredentials } from 'simple-oauth2';

import { Browser } from './browser.js';
import { PERSON, Quadrille, REDIRECT_URI, SCOPE } from './quadrille.js';

describe('simple-oauth2', () => {
  let provider;
  before(async () => {
    provider = await Quadrille.start();
  });
  after(() => provider.stop());

  const configured = ({ client_id, client_secret }, authorizationMethod) => ({
    client: { id: client_id, secret: client_secret },
    auth: {
      tokenHost: provider.issuer,
      tokenPath: '/oauth/token',
      authorizePath: '/oauth/authorize',
      revokePath: '/oauth/revoke',
    },
    options: { authorizationMethod },
  });

  for (const method of ['header', 'body']) {
    it(`logs in, refreshes and revokes with its secret in the ${method}`, async () => {
      const registered = provider.webClient('--allow-without-pkce-so-that-a-leaked-code-can-be-injected');
      const client = new AuthorizationCode(configured(registered, method));
      const url = client.authorizeURL({ redirect_uri: REDIRECT_URI, scope: SCOPE.split(' '), state: 'a b' });
      const browser = new Browser({ fill: PERSON, redirectUri: REDIRECT_URI });
      const { searchParams } = await browser.authorize(url);
      assert.equal(searchParams.get('state'), 'a b');
      const first = await client.getToken({ code: searchParams.get('code'), redirect_uri: REDIRECT_URI });
      const token = await first.refresh({ scope: SCOPE });
      const me = () => fetch(provider.me, { headers: { authorization: `Bearer ${token.token.access_token}` } });
      assert.equal((await (await me()).json()).username, PERSON.username);
      await token.revokeAll();
      assert.equal((await me()).status, 401);
    });
  }

  it('gets a token for itself', async () => {
    const { auth, ...rest } = configured(provider.machineClient(), 'header');
    const client = new ClientCredentials({ auth: { tokenHost: auth.tokenHost, tokenPath: auth.tokenPath }, ...rest });
    const { token } = await client.getToken({ scope: 'photos:read' });
    assert.equal(token.scope, 'photos:read');
  });
});
