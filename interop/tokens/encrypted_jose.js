// npm's jose beside our encrypted tokens. Reads and prints what encrypted_joserfc.py does.

import { text } from 'node:stream/consumers';

import * as jose from 'jose';

async function answer({ alg, enc, private: jwk, public: published, token }) {
  const opened = await jose.compactDecrypt(token, await jose.importJWK(jwk, alg), {
    keyManagementAlgorithms: [alg],
    contentEncryptionAlgorithms: [enc],
  });
  const encrypt = new jose.CompactEncrypt(opened.plaintext).setProtectedHeader({ alg, enc, cty: 'JWT' });
  return {
    payload: new TextDecoder().decode(opened.plaintext),
    header: opened.protectedHeader,
    token: await encrypt.encrypt(await jose.importJWK(published ?? jwk, alg)),
  };
}

const answers = {};
for (const [name, ours] of Object.entries(JSON.parse(await text(process.stdin)))) {
  answers[name] = await answer(ours);
}
console.log(JSON.stringify(answers));
