// oauth4webapi and jose verify an access token of ours (RFC 9068) as an API would, with the keys that the issuer
// publishes. Reads { issuer, audience, token, other } from standard input; prints the claims.

import { text } from 'node:stream/consumers';

import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';

const { issuer, audience, token, other } = JSON.parse(await text(process.stdin));
const insecure = { [oauth.allowInsecureRequests]: true };

const url = new URL(issuer);
const found = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure });
const as = await oauth.processDiscoveryResponse(url, found);
const request = (value) => new Request(audience, { headers: { authorization: `Bearer ${value}` } });
const claims = await oauth.validateJwtAccessToken(as, request(token), audience, insecure);

const rejected = async (value, aud) => {
  try {
    await oauth.validateJwtAccessToken(as, request(value), aud, insecure);
    return false;
  } catch {
    return true;
  }
};
const keys = createRemoteJWKSet(new URL(as.jwks_uri));
const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' });

process.stdout.write(
  JSON.stringify({
    claims,
    payload,
    header: protectedHeader,
    rejects_another_audience: await rejected(token, 'https://mail.example'),
    rejects_a_changed_token: await rejected(other, audience),
  }),
);
