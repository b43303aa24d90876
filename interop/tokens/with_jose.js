// npm's jose, under openid-client and oidc-provider, beside our tokens. Reads and prints what with_joserfc.py does.

import { text } from 'node:stream/consumers';

import * as jose from 'jose';

async function answer(alg, ours) {
  const secret = alg.startsWith('HS');
  const privateKey = await jose.importJWK(ours.private, alg);
  const publicJwk = ours.public ?? ours.private;
  const publicKey = await jose.importJWK(publicJwk, alg);
  const verified = await jose.jwtVerify(ours.token, publicKey, {
    algorithms: [alg],
    audience: 'https://api.example',
    typ: 'at+jwt',
  });
  const own = secret
    ? { privateKey: await jose.generateSecret(alg, { extractable: true }) }
    : await jose.generateKeyPair(alg, { extractable: true });
  const sign = (header, key) => new jose.SignJWT(verified.payload).setProtectedHeader(header).sign(key);
  return {
    claims: verified.payload,
    header: verified.protectedHeader,
    thumbprint: await jose.calculateJwkThumbprint(publicJwk),
    token: await sign({ alg }, privateKey),
    own: {
      private: await jose.exportJWK(own.privateKey),
      public: secret ? null : await jose.exportJWK(own.publicKey),
      pem: secret ? null : await jose.exportPKCS8(own.privateKey),
      token: await sign({ alg, kid: 'own' }, own.privateKey),
    },
  };
}

const answers = {};
for (const [alg, ours] of Object.entries(JSON.parse(await text(process.stdin)))) {
  answers[alg] = await answer(alg, ours);
}
console.log(JSON.stringify(answers));
