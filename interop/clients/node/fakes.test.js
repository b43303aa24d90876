// Fakes of services with OpenID Connect (`quadrille fake`), as openid-client finds and uses them by default.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { createInterface } from 'node:readline';

import * as client from 'openid-client';

import { PROGRAM } from './quadrille.js';

const REDIRECT_URI = 'http://localhost:3000/callback';
// LinkedIn repeats no nonce.
const WITHOUT_NONCE = ['linkedin'];

async function withFake(service, use) {
  const fake = spawn(PROGRAM, ['fake', service, '--json', '--approve-as', '1'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(fake, 'exit');
  try {
    const [line] = await once(createInterface(fake.stdout), 'line');
    await use(JSON.parse(line));
  } finally {
    fake.kill('SIGTERM');
    await ended;
  }
}

/** Twitch has its scopes in an array, which openid-client refuses at the real one, too. */
async function withScopesAsText(...request) {
  const answer = await fetch(...request);
  if (!answer.headers.get('content-type')?.includes('json')) return answer;
  const body = await answer.json();
  if (Array.isArray(body.scope)) body.scope = body.scope.join(' ');
  return new Response(JSON.stringify(body), answer);
}

describe('openid-client at fakes', () => {
  const { services } = JSON.parse(execFileSync(PROGRAM, ['fake', '--list', '--json'], { encoding: 'utf8' }));
  const providers = services.filter(({ protocol }) => protocol === 'OpenID Connect').map(({ service }) => service);

  it('finds the services with OpenID Connect', () => {
    for (const service of ['google', 'azure', 'gitlab', 'apple']) assert.ok(providers.includes(service), service);
  });

  for (const service of providers) {
    it(`logs in at ${service}`, () => withFake(service, async ({ issuer, client_id, client_secret }) => {
      const config = await client.discovery(new URL(issuer), client_id, client_secret, undefined, {
        execute: [client.allowInsecureRequests],
      });
      if (service === 'twitch') config[client.customFetch] = withScopesAsText;
      const checks = {
        pkceCodeVerifier: client.randomPKCECodeVerifier(),
        expectedState: client.randomState(),
        expectedNonce: WITHOUT_NONCE.includes(service) ? undefined : client.randomNonce(),
      };
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: REDIRECT_URI,
        scope: 'openid email',
        code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: checks.expectedState,
        ...(checks.expectedNonce && { nonce: checks.expectedNonce }),
      });
      const { headers } = await fetch(url, { redirect: 'manual' });
      const tokens = await client.authorizationCodeGrant(config, new URL(headers.get('location')), checks);
      const { sub, iat } = tokens.claims();
      assert.ok(Math.abs(Date.now() / 1000 - iat) < 600, `${service}: iat ${iat}`);
      if (config.serverMetadata().userinfo_endpoint) {
        assert.equal((await client.fetchUserInfo(config, tokens.access_token, sub)).sub, sub);
      }
    }));
  }
});
