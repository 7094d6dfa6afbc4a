// A client's proof of itself by jose: `node jose_token.mjs ALGORITHM` reads the claims from standard input and writes
// {"token", "jwk"}: signed with a key pair made for it, and the public half that the client would publish.
import { readFileSync } from 'node:fs';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const algorithm = process.argv[2];
const { publicKey, privateKey } = await generateKeyPair(algorithm);
const jwk = { ...(await exportJWK(publicKey)), kid: `jose-${algorithm}`, alg: algorithm, use: 'sig' };
const claims = JSON.parse(readFileSync(0, 'utf8'));
const token = await new SignJWT(claims.extra ?? {})
  .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid: jwk.kid })
  .setIssuer(claims.issuer)
  .setAudience(claims.audience)
  .setIssuedAt()
  .setExpirationTime('5m')
  .setJti(crypto.randomUUID())
  .sign(privateKey);
process.stdout.write(JSON.stringify({ token, jwk }));
