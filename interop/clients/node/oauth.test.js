// oauth, the OAuth 1.0a client under Passport and most other Node programs.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'node:querystring';

import { OAuth } from 'oauth';

import { Browser } from './browser.js';
import { PERSON, Quadrille, REDIRECT_URI, SCOPE } from './quadrille.js';

describe('oauth', () => {
  let provider;
  const rsa = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  before(async () => {
    provider = await Quadrille.start({
      QUADRILLE_OAUTH1_ENABLED: 'true',
      QUADRILLE_OAUTH1_SIGNATURE_METHODS:
        'HMAC-SHA256,HMAC-SHA1-as-most-clients-sign,RSA-SHA1-with-its-broken-digest,PLAINTEXT-which-carries-the-secrets',
    });
  });
  after(() => provider.stop());

  /** A client that signs with this method, and its identifier. */
  function register(method, version = '1.0') {
    const options = [];
    if (method === 'RSA-SHA1') {
      const file = path.join(provider.directory, 'public.pem');
      writeFileSync(file, rsa.publicKey);
      options.push('--rsa-key', file);
    }
    const { client_id, oauth1_secret } = provider.webClient('--oauth1', ...options);
    const secret = method === 'RSA-SHA1' ? rsa.privateKey : oauth1_secret;
    const at = (name) => `${provider.issuer}/oauth/${name}`;
    const client = new OAuth(at('request_token'), at('access_token'), client_id, secret, version, REDIRECT_URI, method);
    return { client, client_id };
  }

  const ask = (client, name) =>
    (...rest) =>
      new Promise((resolve, reject) => {
        client[name](...rest, (error, ...results) => (error ? reject(refusal(error)) : resolve(results)));
      });

  /** From temporary credentials to token credentials. */
  async function logIn(client, decision) {
    const [temporary, secret, { oauth_callback_confirmed }] = await ask(client, 'getOAuthRequestToken')();
    assert.equal(oauth_callback_confirmed, 'true');
    const browser = new Browser({ fill: PERSON, redirectUri: REDIRECT_URI });
    const callback = await browser.authorize(`${provider.issuer}/oauth/authorize?oauth_token=${temporary}`, decision);
    assert.equal(callback.searchParams.get('oauth_token'), temporary);
    const verifier = callback.searchParams.get('oauth_verifier');
    if (!verifier) return { callback };
    const [token, tokenSecret] = await ask(client, 'getOAuthAccessToken')(temporary, secret, verifier);
    return { token, tokenSecret };
  }

  for (const method of ['HMAC-SHA1', 'HMAC-SHA256', 'RSA-SHA1', 'PLAINTEXT']) {
    it(`logs in and calls the API with ${method}`, async () => {
      const { client, client_id } = register(method);
      const { token, tokenSecret } = await logIn(client);
      const url = `${provider.me}?b=2&a=1&empty=&space=x%20y&signs=%2B%26%3D%25`;
      const said = [
        (await ask(client, 'get')(url, token, tokenSecret))[0],
        (await ask(client, 'post')(url, token, tokenSecret, { 'a b': 'x y', c: ['2', '1'] }))[0],
        (await ask(client, 'post')(url, token, tokenSecret, '{"caption":"Grüße"}', 'application/json'))[0],
        await (await fetch(client.signUrl(url, token, tokenSecret))).text(),
      ];
      for (const me of said.map(JSON.parse)) {
        assert.deepEqual([me.username, me.client_id, me.scope], [PERSON.username, client_id, SCOPE]);
      }
    });
  }

  it('is told when the user says no', async () => {
    const { callback } = await logIn(register('HMAC-SHA256').client, 'deny');
    assert.equal(callback.searchParams.get('oauth_problem'), 'user_refused');
  });

  it('is told what is wrong with a version that is none', async () => {
    // Much sample code sends this version; RFC 5849, section 3.1, allows "1.0" only.
    const { client } = register('HMAC-SHA256', '1.0A');
    await assert.rejects(ask(client, 'getOAuthRequestToken')(), { status: 400, problem: 'version_rejected' });
  });

  it('is refused when its token was revoked', async () => {
    const { client } = register('HMAC-SHA256');
    const { token, tokenSecret } = await logIn(client);
    const me = () => ask(client, 'get')(provider.me.href, token, tokenSecret);
    await me();
    provider.run(['token', 'revoke', '--token-stdin'], token);
    for (const end = Date.now() + 5000; ; ) {
      try {
        await me();
        assert.ok(Date.now() < end, 'still good');
      } catch (error) {
        assert.deepEqual([error.status, error.problem], [401, 'token_rejected']);
        return;
      }
    }
  });
});

/** The response of the server. */
function refusal({ statusCode, data }) {
  return Object.assign(new Error(`${statusCode}: ${data}`), { status: statusCode, problem: parse(data).oauth_problem });
}
