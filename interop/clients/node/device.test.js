// The device authorization grant (RFC 8628), by openid-client and by oauth4webapi.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';

import { Browser } from './browser.js';
import { PERSON, Quadrille } from './quadrille.js';

const loopback = { [oauth.allowInsecureRequests]: true };
const SCOPE = 'photos:read';

describe('devices', () => {
  let provider;
  before(async () => { provider = await Quadrille.start({ QUADRILLE_DEVICE_ENABLED: 'true' }); });
  after(() => provider.stop());

  /** The user follows the link, signs in, compares the code and decides. */
  async function decide(codes, decision) {
    const browser = new Browser({ fill: PERSON });
    const page = await browser.visit(codes.verification_uri_complete, { decision });
    assert.equal(page.status, 200, page.text);
    return page.text;
  }

  /** The user types the code in, in lower case and without the hyphen. */
  async function type(codes) {
    const user_code = codes.user_code.toLowerCase().replace('-', '');
    const browser = new Browser({ fill: { ...PERSON, user_code } });
    const page = await browser.visit(codes.verification_uri, { decision: 'allow' });
    assert.match(page.text, /Television has access/);
  }

  describe('openid-client', () => {
    const discover = ({ client_id, client_secret }) =>
      client.discovery(new URL(provider.issuer), client_id, client_secret, undefined, {
        algorithm: 'oauth2',
        execute: [client.allowInsecureRequests],
      });

    for (const options of [['--public'], []]) {
      it(`logs in, calls the API and refreshes ${options.length ? 'without' : 'with'} a secret`, async () => {
        const registered = provider.deviceClient(...options);
        const config = await discover(registered);
        const codes = await client.initiateDeviceAuthorization(config, { scope: SCOPE });
        await type(codes);
        const tokens = await client.pollDeviceAuthorizationGrant(config, codes);
        assert.equal(tokens.scope, SCOPE);
        const answer = await client.fetchProtectedResource(config, tokens.access_token, provider.me, 'GET');
        const me = await answer.json();
        assert.deepEqual([me.username, me.client_id], [PERSON.username, registered.client_id]);
        const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
        assert.notEqual(renewed.access_token, tokens.access_token);
      });
    }

    it('is told when the user says no', async () => {
      const config = await discover(provider.deviceClient('--public'));
      const codes = await client.initiateDeviceAuthorization(config, { scope: SCOPE });
      assert.match(await decide(codes, 'deny'), /was not let in/);
      await assert.rejects(client.pollDeviceAuthorizationGrant(config, codes), { error: 'access_denied' });
    });
  });

  describe('oauth4webapi', () => {
    let server;
    before(async () => {
      const issuer = new URL(provider.issuer);
      const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...loopback });
      server = await oauth.processDiscoveryResponse(issuer, answer);
    });

    it('waits, is told to slow down, logs in, and cannot use a code twice', async () => {
      const { client_id, client_secret } = provider.deviceClient();
      const [who, auth] = [{ client_id }, oauth.ClientSecretPost(client_secret)];
      const answer = await oauth.deviceAuthorizationRequest(server, who, auth, { scope: SCOPE }, loopback);
      const codes = await oauth.processDeviceAuthorizationResponse(server, who, answer);
      assert.equal(codes.interval, 5);
      const poll = async () => {
        const answer = await oauth.deviceCodeGrantRequest(server, who, auth, codes.device_code, loopback);
        return oauth.processDeviceCodeResponse(server, who, answer);
      };
      await assert.rejects(poll(), { error: 'authorization_pending', status: 400 });
      await assert.rejects(poll(), { error: 'slow_down', status: 400 });
      assert.match(await decide(codes, 'allow'), /Television has access/);
      const tokens = await poll();
      const call = () => oauth.protectedResourceRequest(tokens.access_token, 'GET', provider.me, new Headers(), null, loopback);
      assert.equal((await (await call()).json()).username, PERSON.username);
      await assert.rejects(poll(), { error: 'invalid_grant', status: 400 });
      await assert.rejects(call(), { status: 401 });
    });
  });
});
