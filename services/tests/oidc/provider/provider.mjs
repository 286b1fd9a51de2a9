// An OpenID provider on loopback, for the test beside it: node provider.mjs PORT
//
// Its keys are made anew at every start. The resource that a client names says what token it gets.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const started = Date.now().toString(36);

function key(alg, type, options) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), kid: `${alg}-${started}`, alg, use: 'sig' };
}

const audiences = {
  'urn:highstreet': 'highstreet',
  'urn:highstreet:expired': 'highstreet',
  'urn:bakery': 'bakery',
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'counter',
    client_secret: 'a-secret-of-the-counter',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }],
  jwks: {
    keys: [key('RS256', 'rsa', { modulusLength: 2048 }), key('ES256', 'ec', { namedCurve: 'P-256' })],
  },
  extraTokenClaims: () => ({ roles: ['staff'], shops: ['skanu'] }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({
        audience: audiences[resource],
        scope: '',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  formats: {
    customizers: {
      jwt(ctx, token, parts) {
        if (ctx.oidc.params.resource === 'urn:highstreet:expired') {
          parts.payload.iat -= 3600;
          parts.payload.exp -= 3600;
        }
      },
    },
  },
});

provider.on('server_error', (ctx, error) => console.error(error));
provider.listen(port, '127.0.0.1', () => console.log('listening'));
